"""Commands of ours in the process of the tests: starting Python would take longer than most of what they do."""

import asyncio
import io
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from vibe4vets.cli import main

Ended = tuple[int, str, str]


async def run_here(
    capsys: pytest.CaptureFixture[str],
    folder: Path,
    arguments: Sequence[object],
    settings: Mapping[str, object],
    *,
    text: str = "",
) -> Ended:
    """Run `vibe4vets ...` with a text for its standard input: exit code, standard output, standard error."""

    def call() -> int:
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder)  # away from any .env
            patch.setattr(sys, "argv", ["vibe4vets", *map(str, arguments)])
            patch.setattr(sys, "stdin", io.StringIO(text))
            patch.setattr(signal, "signal", lambda *_: None)  # this process keeps its own
            for name, value in settings.items():
                patch.setenv(name, str(value))
            with pytest.raises(SystemExit) as end:
                main()
        return int(end.value.code or 0)

    code = await asyncio.to_thread(call)
    return code, *capsys.readouterr()
