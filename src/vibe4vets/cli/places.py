"""Loading places from the command line."""

from collections.abc import Mapping
from pathlib import Path

from rich.table import Table
from sqlalchemy.ext.asyncio import async_sessionmaker

from vibe4vets.cli.directory import bulk_engine
from vibe4vets.cli.terminal import out, progress_bars
from vibe4vets.core.config import Settings
from vibe4vets.core.database import Session
from vibe4vets.resources import service as resources

_COUNTED = ("zip", "city", "county", "skipped")
_SHOW_EVERY = 1_000


async def load_place_file(settings: Settings, file: Path) -> Mapping[str, int]:
    """Load `file` in one transaction, showing how far it is; return the counts by kind."""
    async with bulk_engine(settings) as engine:
        with progress_bars() as bars:
            bar = bars.add_task("Reading", total=_lines(file))

            def show(lines: int) -> None:
                if lines % _SHOW_EVERY == 0:
                    bars.update(bar, completed=lines)

            async with async_sessionmaker(engine, class_=Session).begin() as session:
                counts = await resources.load_places(session, file, show)
            bars.update(bar, completed=_lines(file))
            return counts


def tell_places(counts: Mapping[str, int], file: Path) -> None:
    """Print how many places of each kind the file brought."""
    table = Table(title=f"Loaded {file.name}")
    for name in _COUNTED:
        table.add_column(name, justify="right")
    table.add_row(*(f"{counts.get(name, 0):,}" for name in _COUNTED))
    out.print(table)
    out.print("Every running service uses them within seconds.")


def _lines(file: Path) -> int:
    with file.open("rb") as content:
        return sum(1 for _ in content)
