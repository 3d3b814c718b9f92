"""The tools that read the whole tree; each shows what it found when it fails."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]
SCRIPTS = Path(sys.executable).parent
TREES = ("src", "tests", "alembic", "bench")
NOUNLESS = {"utils.py", "helpers.py", "common.py", "constants.py", "util.py", "misc.py"}
WRITTEN = re.compile(r"\bveterans?\b")
# Values that programs compare keep their case: tags, addresses, names of files and of settings.
IN_A_NAME = re.compile(r"""https?://\S+|\S*[-_/.=#+@]\S*""")


@pytest.mark.parametrize(
    "command",
    [
        [sys.executable, "-m", "ruff", "check", "."],
        [sys.executable, "-m", "ruff", "format", "--check", "."],
        [sys.executable, "-m", "mypy"],
        [str(SCRIPTS / "lint-imports"), "--no-logo"],
    ],
    ids=["ruff check", "ruff format", "mypy", "import-linter"],
)
def test_tool_finds_nothing(command: list[str]) -> None:
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


def test_every_file_has_a_noun() -> None:
    assert [str(path) for path in _sources() if path.name in NOUNLESS] == []


def test_migrations_import_no_application_code() -> None:
    """A migration must still run when the code it was written beside is gone."""
    for path in sorted((PROJECT / "alembic/versions").glob("*.py")):
        assert not [name for name in _imports(path) if name.split(".")[0] == "vibe4vets"], path.name


def test_veteran_has_a_capital_in_text_for_people() -> None:
    pages = {path: path.read_text(encoding="utf-8") for path in _pages()}
    texts = [(path, line) for path, text in pages.items() for line in _prose(text)]
    texts += [(path, text) for path in _sources() if path.is_relative_to(PROJECT / "src") for text in _messages(path)]
    assert len(texts) > 500
    assert [(path.name, text) for path, text in texts if WRITTEN.search(IN_A_NAME.sub("", text))] == []


def _pages() -> Iterator[Path]:
    yield from (PROJECT / "README.md", PROJECT / "CONTRIBUTING.md")
    yield from sorted((PROJECT / "docs").rglob("*.md"))
    yield from sorted((PROJECT / "src").rglob("*.md"))


def _sources() -> list[Path]:
    return sorted(path for tree in TREES for path in (PROJECT / tree).rglob("*.py"))


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def _prose(text: str) -> list[str]:
    """The lines of a page without code, which may quote what people type."""
    without_blocks = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"`[^`\n]*`", "", without_blocks).splitlines()


def _messages(path: Path) -> Iterator[str]:
    """Every text of a module that has a space, so that it is more than a name: messages, help, docstrings."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield node.value
