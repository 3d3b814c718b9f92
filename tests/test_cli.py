"""The command line: what it does, prints and returns."""

import json
import re
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncpg
import pytest

from tests.commands import Ended, run_here
from tests.databases import Lender
from vibe4vets.cli import main
from vibe4vets.core.embedded import EmbeddedPostgres

Run = Callable[..., Awaitable[Ended]]


@pytest.fixture
def settings(server: EmbeddedPostgres, database: str, folder: Path) -> dict[str, object]:
    """The environment of a command on this test's own database."""
    return {"DATABASE_URL": server.app_url(database), "VIBE4VETS_DATA_DIR": folder / "data"}


@pytest.fixture
def run(folder: Path, settings: dict[str, object], capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command to its end: exit code, standard output, standard error."""

    async def to_the_end(*arguments: object, **more: object) -> Ended:
        return await run_here(capsys, folder, arguments, settings | more)

    return to_the_end


def record(number: int, **changes: object) -> dict[str, object]:
    """One line of a record file."""
    return {
        "source": "test_source",
        "source_record_id": str(number),
        "title": f"Housing help {number}",
        "organization": f"Organization {number}",
        "scope": "local",
        "categories": ["housing"],
        "address": {"city": "Columbus", "state": "OH"},
        **changes,
    }


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Three records, and two lines that are none."""
    lines = [*(json.dumps(record(number)) for number in range(3)), "not json", json.dumps(record(9, title=""))]
    path = tmp_path / "records.ndjson"
    path.write_text("\n".join(lines) + "\n")
    return path


async def test_import_counts_and_quarantines(run: Run, file: Path, sql: asyncpg.Connection, folder: Path) -> None:
    code, out, err = await run("import", file, "--publish")
    assert code == 0, err
    assert "Imported records.ndjson" in out
    assert re.findall(r"│ (\w+) +│ +([\d,]+) │", out) == [("created", "3"), ("quarantined", "2")]
    assert await sql.fetchval("select count(*) from published_resources") == 3
    (kept,) = (folder / "data/quarantine").iterdir()
    assert str(kept) in out
    refused = [json.loads(line) for line in kept.read_text().splitlines()]
    assert [(line["line"], line["reason"].split(":")[0]) for line in refused] == [(4, "line"), (5, "title")]
    assert refused[0]["content"] == "not json"
    again = await run("import", file, "--publish")
    assert again[0] == 0
    assert "Nothing changed." in again[1]


async def test_a_dry_run_changes_nothing(run: Run, file: Path, sql: asyncpg.Connection) -> None:
    code, out, err = await run("import", file, "--publish", "--dry-run")
    assert code == 0, err
    assert "Would import records.ndjson" in out
    tables = await sql.fetch(
        "select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace"
    )
    assert len(tables) > 8
    of_the_code = {"alembic_version", "lexicon_entries", "search_state", "taxonomy_terms"}
    of_the_run = {"connector_runs", "quarantined_records", "audit_events", "audit_unsealed"}
    for (table,) in tables:
        rows = await sql.fetchval(f'select count(*) from "{table}"')
        assert (rows > 0) == (table in of_the_code | of_the_run), table


async def test_strict_makes_a_quarantined_record_a_failure(run: Run, file: Path, sql: asyncpg.Connection) -> None:
    code, _, _ = await run("import", file, "--strict")
    assert code == 1
    assert await sql.fetchval("select count(*) from resources where status = 'draft'") == 3


def call(monkeypatch: pytest.MonkeyPatch, *arguments: str, **settings: str) -> int:
    """Run the command line in this process, for what needs no database; return its exit code."""
    monkeypatch.setattr(sys, "argv", ["vibe4vets", *arguments])
    monkeypatch.setattr(signal, "signal", lambda *_: None)  # this process keeps its own
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as end:
        main()
    return int(end.value.code or 0)


def test_a_missing_file_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(monkeypatch, "import", "nowhere.ndjson") == 2
    error = capsys.readouterr().err
    assert "nowhere.ndjson" in error
    assert "does not exist" in error


async def test_reindex_repairs_the_read_model(run: Run, file: Path, sql: asyncpg.Connection) -> None:
    await run("import", file, "--publish")
    everything = (
        "select p.id, document, etag, title_key, p.cities, words::text"
        " from published_resources p join search_rows s on s.id = p.id order by p.id"
    )
    whole = await sql.fetch(everything)
    damaged, missing, stray = (row["id"] for row in whole)
    await sql.execute("update published_resources set document = '{}', cities = '{}' where id = $1", damaged)
    await sql.execute("delete from published_resources where id = $1", missing)
    await sql.execute("update resources set status = 'draft' where id = $1", stray)
    code, out, err = await run("reindex")
    assert code == 0, err
    assert "Rendered 2 published resources." in out
    assert await sql.fetch(everything) == whole[:2]


async def test_migrate_brings_the_schema_to_the_head(
    folder: Path, server: EmbeddedPostgres, lender: Lender, capsys: pytest.CaptureFixture[str]
) -> None:
    database = await lender.own("template1")
    settings = {"DATABASE_URL": server.app_url(database), "VIBE4VETS_DATA_DIR": folder / "data"}
    code, _, err = await run_here(capsys, folder, ["reindex"], settings)
    assert (code, err) == (1, "The database has no schema yet: run `vibe4vets migrate`.\n")
    urls = settings | {"DATABASE_MIGRATION_URL": server.owner_url(database)}
    told = await run_here(capsys, folder, ["migrate"], urls)
    assert told == (0, "The database schema is up to date.\n", "")
    code, _, err = await run_here(capsys, folder, ["reindex"], settings)
    assert code == 0, err


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://u@h/hunter2"),
        ("DATABASE_URL", "hunter2"),
        ("DATABASE_URL", "postgresql://u@h:hunter2/db"),
        ("VIBE4VETS_DATABASE__POOL_SIZE", "hunter2"),
        ("VIBE4VETS_DATABASE", "hunter2"),
        ("VIBE4VETS_DATABASE__HUNTER2", "1"),
        ("VIBE4VETS_SECRET_KEY", "hunter2"),
        ("VIBE4VETS_ENV", "hunter2"),
    ],
)
def test_a_wrong_setting_is_named_and_never_quoted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str
) -> None:
    assert call(monkeypatch, "openapi", **{name: value}) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"{name}: ")
    assert err.count("\n") == 1
    assert "hunter2" not in err
    assert "Value error" not in err


async def test_a_database_that_is_down_is_told_in_one_line(run: Run, file: Path) -> None:
    code, _, err = await run("import", file, DATABASE_URL="postgresql://u:hunter2@127.0.0.1:1/db")
    assert code == 1
    assert "cannot be reached" in err
    assert err.count("\n") == 1
    assert "hunter2" not in err


def test_openapi_needs_no_database_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    monkeypatch.chdir(folder)
    assert call(monkeypatch, "openapi", VIBE4VETS_DATA_DIR=str(folder / "data")) == 0
    out, err = capsys.readouterr()
    assert err == ""
    document = json.loads(out)
    assert document["openapi"] == "3.1.0"
    assert "/api/v1/search" in document["paths"]
    assert list(folder.iterdir()) == []


def test_help_names_every_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(monkeypatch, "--help") == 0
    out = capsys.readouterr().out
    for command in ("serve", "migrate", "import", "reindex", "openapi"):
        assert command in out


async def test_places_are_loaded_from_a_file(run: Run, sql: asyncpg.Connection, tmp_path: Path) -> None:
    path = tmp_path / "zips.csv"
    path.write_text("zip,city,state,county,latitude,longitude\n43215,Columbus,OH,Franklin,39.967,-83.004\n")
    code, out, err = await run("places", "load", path)
    assert (code, "Loaded zips.csv" in out) == (0, True), err
    assert await sql.fetchval("select count(*) from places") == 3
    path.write_text("name,colour\nHome,red\n")
    code, out, err = await run("places", "load", path)
    assert (code, out) == (1, "")
    assert "zip,city,state,county,latitude,longitude" in err
    assert "Traceback" not in err
