"""Every import contract of pyproject.toml is broken once: a contract that cannot fail guards nothing."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]
LINT_IMPORTS = Path(sys.executable).with_name("lint-imports")
# the contract, the module that offends, and its offence
OFFENCES = [
    ("packages", "core/models.py", "import vibe4vets.resources.models"),
    ("packages", "resources/terms.py", "import vibe4vets.connectors.models"),
    ("packages", "stray.py", ""),
    ("resources", "resources/models/directory.py", "import vibe4vets.resources.schemas"),
    ("resources", "resources/geography.py", "import vibe4vets.resources.phones"),
    ("resources", "resources/stray.py", ""),
    ("connectors", "connectors/models.py", "import vibe4vets.connectors.service"),
    ("connectors", "connectors/stray.py", ""),
    ("young-domains", "auth/stray.py", ""),
    ("http", "resources/service/search/searching.py", "from fastapi import Request"),
    ("http", "connectors/exceptions.py", "import starlette.exceptions"),
    ("routers", "main.py", "import vibe4vets.resources.router"),
    ("routers", "__main__.py", "import vibe4vets.core.health"),
    ("sources", "connectors/sources/records.py", "import vibe4vets.core.database"),
    ("sources", "connectors/sources/records.py", "import vibe4vets.resources.phones"),
    ("sources", "connectors/base.py", "import sqlalchemy"),
    ("one-publisher", "connectors/sources/other.py", "import vibe4vets.connectors.sources.records"),
    ("sources", "connectors/categories.py", "import vibe4vets.resources.geography"),
    ("outbound", "connectors/sources/records.py", "import httpx"),
    ("outbound", "core/database.py", "import httpcore"),
    ("queue", "resources/service/search/searching.py", "import pgqueuer"),
]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package and of its contracts, which are kept."""
    root = tmp_path_factory.mktemp("layers")
    shutil.copytree(PROJECT / "src", root / "src", ignore=shutil.ignore_patterns("__pycache__", "*.ndjson"))
    shutil.copy(PROJECT / "pyproject.toml", root)
    assert " 0 broken" in _lint(root).stdout
    return root


@pytest.mark.parametrize(("contract", "module", "offence"), OFFENCES)
def test_contract_breaks(tree: Path, contract: str, module: str, offence: str) -> None:
    path = tree / "src/vibe4vets" / module
    before = path.read_text(encoding="utf-8") if path.exists() else None
    try:
        path.write_text(f"{before or ''}\n{offence}\n", encoding="utf-8")
        done = _lint(tree, "--contract", contract)
        assert done.returncode == 1
        assert "0 kept, 1 broken" in done.stdout, done.stdout
    finally:
        path.write_text(before, encoding="utf-8") if before is not None else path.unlink()


def test_every_contract_is_broken_here() -> None:
    config = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    assert {contract["id"] for contract in config["tool"]["importlinter"]["contracts"]} == {row[0] for row in OFFENCES}


def _lint(tree: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [LINT_IMPORTS, "--no-logo", "--no-cache", *options]
    environment = {"PYTHONPATH": str(tree / "src"), "NO_COLOR": "1", "COLUMNS": "200"}
    return subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False)
