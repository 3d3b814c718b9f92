"""Files and publishers from the command line."""

import asyncio
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import typer

from tests.commands import Ended, run_here
from tests.publisher import Publisher, http
from vibe4vets.cli.files import open_file
from vibe4vets.connectors.base import SourceError
from vibe4vets.connectors.models import Format
from vibe4vets.connectors.registry import connectors
from vibe4vets.connectors.sources.hsds import HSDSFile
from vibe4vets.connectors.sources.records import RecordFile
from vibe4vets.connectors.sources.spreadsheet import Spreadsheet
from vibe4vets.core.config import Settings
from vibe4vets.core.embedded import EmbeddedPostgres

CANARY = "canary-77c1e0"
SHEET = "Name,Phone,City\nHelp House,614-555-0123,Columbus\n*** FOOD ***,,\nPantry [red],12,Akron\n"
RECORD = {"source_record_id": "1", "title": "t", "organization": "o", "scope": "local", "categories": ["food"]}


@pytest.fixture
def settings(server: EmbeddedPostgres, database: str, folder: Path) -> dict[str, object]:
    """The environment of a command on this test's own database."""
    return {"DATABASE_URL": server.app_url(database), "VIBE4VETS_DATA_DIR": folder / "data"}


Run = Callable[..., Any]


@pytest.fixture
def run(folder: Path, settings: dict[str, object], capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command to its end: exit code, standard output, standard error without the bars."""

    async def to_the_end(*arguments: object, **more: object) -> Ended:
        return _without_bars(*await run_here(capsys, folder, arguments, settings | more))

    return to_the_end


@pytest.fixture
def run_process(programs: Any, settings: dict[str, object]) -> Run:
    """The same as a process of its own, of which nothing is hidden."""

    async def to_the_end(*arguments: object, **more: object) -> Ended:
        process: subprocess.Popen[str] = programs.run(*arguments, **settings, **more)
        out, err = await asyncio.to_thread(process.communicate, timeout=60)
        return _without_bars(process.returncode, out, err)

    return to_the_end


def _without_bars(code: int, out: str, err: str) -> Ended:
    told = [line for line in err.splitlines(keepends=True) if "\N{BOX DRAWINGS HEAVY HORIZONTAL}" not in line]
    return code, out, "".join(told)


async def test_a_spreadsheet_is_imported_with_its_source(run: Run, sql: asyncpg.Connection, folder: Path) -> None:
    sheet = folder / "county [bold].csv"
    sheet.write_text(SHEET)
    code, out, err = await run("import", sheet, "--source", "county_test", "--publish", COLUMNS=200)
    assert (code, err) == (0, "")
    assert "Imported county [bold].csv" in out
    assert "Columns read as: Name = title, Phone = phone, City = city" in out
    assert await sql.fetchval("select count(*) from published_resources") == 1
    told = await sql.fetch("select line, reason, source from quarantined_records order by line")
    assert [(row["line"], row["reason"].split(":")[0]) for row in told] == [(3, "row"), (4, "phone")]
    code, out, _ = await run("import", sheet, "--source", "county_test", "--publish")
    assert (code, "Nothing changed." in out) == (0, True)


async def test_columns_and_encoding_are_given_by_hand(run: Run, sql: asyncpg.Connection, folder: Path) -> None:
    sheet = folder / "sheet"
    sheet.write_bytes("Wer;Wo\nCaf\xe9;Columbus\n".encode("cp1252"))
    columns = ("--column", "Wer=title", "--column", "Wo=city")
    command = ("import", sheet, "--source", "county_test", "--format", "csv", *columns)
    code, _, err = await run(*command)
    assert code == 1
    assert err.startswith("Line 2 is not UTF-8; the file looks like Windows-1252")
    assert err.count("\n") == 1
    code, _, err = await run(*command, "--encoding", "cp1252")
    assert (code, err) == (0, "")
    assert await sql.fetchval("select title from resources") == "Caf\xe9"


async def test_what_is_said_of_columns_holds_for_the_next_file(run: Run, sql: asyncpg.Connection, folder: Path) -> None:
    sheet = folder / "county.csv"
    sheet.write_text("Name,Agency,City\nWing B,Help House,Columbus\n")
    said = ("--column", "Agency=title", "--column", "Name=ignore")
    command = ("import", sheet, "--source", "county_test")
    code, _, err = await run(*command, *said, "--dry-run")
    assert (code, err, await sql.fetchval("select count(*) from column_mappings")) == (0, "", 0)
    assert (await run(*command, *said))[0] == 0
    sheet.write_text("Name,Agency,City\nWing C,Food House,Akron\n")
    assert (await run(*command))[0] == 0
    assert [row[0] for row in await sql.fetch("select title from resources order by 1")] == ["Food House", "Help House"]


async def test_a_record_file_may_leave_its_source_to_the_command(
    run: Run, sql: asyncpg.Connection, folder: Path
) -> None:
    file = folder / "records"
    file.write_text(json.dumps(RECORD) + "\n" + json.dumps(RECORD | {"source": "own"}) + "\n")
    code, _, err = await run("import", file, "--source", "given")
    assert (code, err) == (0, "")
    assert [row[0] for row in await sql.fetch("select slug from sources order by 1")] == ["given", "own"]


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ('{"source": "a"}\n', RecordFile),
        ('\ufeff\n {"source_record_id": "1", "contents": 1}', RecordFile),
        ('[\n{"id": "1"}]', HSDSFile),
        ('{\n"total_items": 1, "contents": []}', HSDSFile),
        ("Name,City\n", Spreadsheet),
        ('"Name";"City"\n', Spreadsheet),
        ("PK\x03\x04", Spreadsheet),
        ("", Spreadsheet),
    ],
)
def test_the_content_decides_what_a_file_is(tmp_path: Path, content: str, kind: type) -> None:
    path = tmp_path / "con.xlsx"
    path.write_text(content, encoding="utf-8")
    assert type(open_file(path, "a_source", None, None, [])) is kind


@pytest.mark.parametrize(
    ("options", "advice"),
    [
        ((None, None, None, []), "name the source"),
        ((None, Format.HSDS, None, []), "name the source"),
        (("../x", None, None, []), "a slug has"),
        (("x" * 65, None, None, []), "a slug has"),
        (("a", Format.HSDS, None, ["A=title"]), "only a spreadsheet"),
        (("a", Format.NDJSON, "cp1252", []), "only a spreadsheet"),
        (("a", None, None, ["title"]), "Header=field"),
        (("a", None, None, ["=title"]), "Header=field"),
    ],
)
def test_options_that_do_not_fit_are_told(tmp_path: Path, options: Any, advice: str) -> None:
    path = tmp_path / "sheet.csv"
    path.write_text(SHEET)
    with pytest.raises(typer.BadParameter, match=advice):
        open_file(path, *options)


def facility(number: int) -> dict[str, Any]:
    """A facility of the VA's API."""
    address = {"physical": {"city": "Columbus", "state": "OH"}}
    attributes = {"name": f"Clinic {number}", "facilityType": "va_health_facility", "address": address}
    return {"id": f"vha_{number}", "type": "va_facilities", "attributes": attributes}


def page(count: int, total: int) -> bytes:
    """A page of the VA's API."""
    pagination = {"currentPage": 1, "perPage": 1000, "totalPages": 1, "totalEntries": total}
    return json.dumps({"data": [facility(n) for n in range(count)], "meta": {"pagination": pagination}}).encode()


async def test_a_connector_runs_and_its_key_is_nowhere(
    run: Run, run_process: Run, sql: asyncpg.Connection, folder: Path
) -> None:
    async with Publisher({"/v1/facilities": http(page(3, 3))}).running() as publisher:
        given = {
            "VA_API_KEY": CANARY,
            "VIBE4VETS_FETCH__ALLOW": publisher.address,
            "VIBE4VETS_CONNECTORS__VA_FACILITIES__BASE_URL": publisher.url("/v1"),
        }
        code, out, err = await run("connectors", "list", **given, COLUMNS=200)
        assert (code, err) == (0, "")
        assert "va_facilities" in out
        assert "ready" in out
        told = [out]
        code, out, err = await run_process("connectors", "run", "va_facilities", **given)
        assert (code, "Imported VA facilities" in out) == (0, True), err
        told += [out, err]
        assert await sql.fetchval("select count(*) from published_resources") == 3
        publisher.scripts["/v1/facilities"] = http(page(2, 3))
        code, out, err = await run("connectors", "run", "va_facilities", **given)
        assert (code, err) == (1, "VA facilities: 2 of 3 facilities came; nothing is concluded from that\n")
        publisher.scripts["/v1/facilities"] = http(b"{}", "403 Forbidden")
        code, out, err = await run("connectors", "run", "va_facilities", **given)
        assert (code, err) == (1, "127.0.0.1: answers 403\n")
        told += [out, err]
    assert {asked.headers["apikey"] for asked in publisher.asked} == {CANARY}
    assert await sql.fetchval("select count(*) from published_resources") == 3
    states = [row[0] for row in await sql.fetch("select state from connector_runs order by created_at")]
    assert states == ["succeeded", "failed", "failed"]
    tables = await sql.fetch("select tablename from pg_tables where schemaname = 'public'")
    kept = [str(await sql.fetch(f'select * from "{table[0]}"')) for table in tables]
    kept += [path.read_text(errors="replace") for path in (folder / "data").rglob("*") if path.is_file()]
    assert CANARY not in "".join(told + kept)
    assert "vha_1" in "".join(kept)


async def test_what_keeps_a_connector_from_running_is_told(run: Run) -> None:
    assert await run("connectors", "run", "va_facilities") == (1, "", "Set VA_API_KEY to a key of developer.va.gov.\n")
    code, _, err = await run("connectors", "run", "nobody")
    assert code == 2
    assert "there is no connector" in err
    away = {"VIBE4VETS_CONNECTORS__OHIO_211__BASE_URL": "http://127.0.0.1/hsds"}
    code, _, err = await run("connectors", "run", "ohio_211", **away)
    assert (code, err) == (1, "127.0.0.1: resolves to an address that is not public; only public hosts are fetched\n")


def test_connectors_come_from_the_settings() -> None:
    given = {
        "connectors": {
            "ohio_211": {"base_url": "https://api.example.org/hsds/", "api_key": CANARY},
            "county": {"base_url": "https://county.example.org/vets.ndjson", "format": "records"},
            "stream": {
                "base_url": "https://api.example.org",
                "format": "hsds-ndjson",
                "modified_after": "2026-01-01T00:00Z",
            },
            "no_address": {},
            "va_facilities": {"enabled": False},
        }
    }
    found = connectors(Settings(_env_file=None, **given))  # type: ignore[arg-type]
    assert {slug: connector.obstacle for slug, connector in found.items()} == {
        "county": None,
        "no_address": "Set VIBE4VETS_CONNECTORS__NO_ADDRESS__BASE_URL to the address of its API or file.",
        "ohio_211": None,
        "stream": None,
        "va_facilities": "Switched off by VIBE4VETS_CONNECTORS__VA_FACILITIES__ENABLED.",
    }
    assert (found["ohio_211"].about.tier, found["va_facilities"].about.tier) == (4, 1)
    assert [slug for slug, connector in found.items() if connector.file_url] == ["county"]
    assert all(connector.about.schedule for connector in found.values())
    assert found["ohio_211"].open(None).complete  # type: ignore[arg-type]
    assert not found["stream"].open(None).complete, "what vanishes is not noticed"  # type: ignore[arg-type]
    with pytest.raises(SourceError, match="Switched off"):
        found["va_facilities"].open(None)  # type: ignore[arg-type]
    assert CANARY not in str(found) + str(Settings(_env_file=None, **given))  # type: ignore[arg-type]
