"""Uploaded files: what is refused at once and why, what a run makes of the others, and that no name is a path."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from tests.auth.conftest import AddPerson, SignIn
from tests.conftest import NO_TLS, SECRET, Programs
from tests.connectors.conftest import Ask
from vibe4vets.connectors.service import do_run
from vibe4vets.connectors.sources.spreadsheet.decoding import LONGEST_CELL, MOST_ROWS
from vibe4vets.core.config import Settings
from vibe4vets.core.embedded import EmbeddedPostgres
from vibe4vets.core.fetch import Fetcher
from vibe4vets.core.fetch.hosts import PostgresHosts
from vibe4vets.core.jobs import Workbench

SHARED = Path("/work/shared/data")
IMPORTS = b"/api/v1/connectors/imports"
SHEET = (
    "Name,Phone,City,State\nHelp House,614-555-0123,Columbus,OH\n*** FOOD ***,,,\n"
    "Food Hall,614-555-0199,Akron,OH\nPantry,12,Akron,OH\n"
)
SOURCE = {"source": "county_test"}
RECORD = {"source_record_id": "1", "title": "t", "organization": "o", "scope": "local", "categories": ["food"]}

Send = Callable[..., Awaitable[httpx.Response]]
Work = Callable[[httpx.Response], Awaitable[dict[str, Any]]]


@pytest.fixture
def send(ask: Ask) -> Send:
    """Upload a file: `await send(content, name, field=...)`."""

    async def send(content: str | bytes, name: str = "sheet.csv", **fields: str) -> httpx.Response:
        raw = content.encode() if isinstance(content, str) else content
        headers = {"Idempotency-Key": fields.pop("key")} if "key" in fields else {}
        return await ask("POST", "/imports", files={"file": (name, raw)}, data=fields, headers=headers)

    return send


@pytest.fixture
async def work(app: FastAPI, settings: Settings, ask: Ask) -> AsyncIterator[Work]:
    """Do what was asked for, as a worker does, and tell what became of it."""
    database = app.state.database

    async def work(answer: httpx.Response) -> dict[str, Any]:
        assert answer.status_code == 202, answer.text
        await do_run(bench, answer.json()["id"])
        found: dict[str, Any] = (await ask("GET", f"/runs/{answer.json()['id']}")).json()
        return found

    async with Fetcher(settings.fetch, PostgresHosts(database.writes)) as fetcher:
        bench = Workbench(settings, database, fetcher, asyncio.Event())
        yield work


async def test_a_sheet_is_imported_by_a_run(send: Send, work: Work, ask: Ask, sql: asyncpg.Connection) -> None:
    answer = await send(SHEET, **SOURCE, publish="true")
    queued = answer.json()
    assert answer.headers["location"] == f"/api/v1/connectors/runs/{queued['id']}"
    assert (queued["connector"], queued["subject"], queued["state"]) == ("county_test", "sheet.csv", "queued")
    assert (queued["trigger"], queued["policy"]) == ("upload", "publish")
    assert await sql.fetchval("select count(*) from uploaded_parts") == 1
    run = await work(answer)
    assert (run["state"], run["counts"]["quarantined"]) == ("succeeded", 2), run
    assert await sql.fetchval("select count(*) from published_resources") == 2
    refused = (await ask("GET", f"/runs/{queued['id']}/quarantine")).json()["items"]
    assert [item["line"] for item in refused] == [3, 5]
    assert "Columns read as" in run["warnings"][0]
    assert await sql.fetchval("select count(*) from uploaded_files") == 0
    assert await sql.fetchval("select count(*) from uploaded_parts") == 0
    again = await work(await send(SHEET, **SOURCE, publish="true"))
    assert (again["counts"]["unchanged"], again["counts"]["created"], again["counts"]["updated"]) == (2, 0, 0)
    assert (await ask("GET", "/county_test/runs")).json()["total"] == 2


async def test_a_dry_run_tells_and_changes_nothing(send: Send, work: Work, ask: Ask, sql: asyncpg.Connection) -> None:
    run = await work(await send(SHEET, **SOURCE, dry_run="true", columns='{"Name": "title"}'))
    assert (run["state"], run["dry_run"]) == ("succeeded", True)
    assert run["plan"]["counts"]["quarantined"] == 2
    refused = (await ask("GET", f"/runs/{run['id']}/quarantine")).json()["items"]
    assert [item["line"] for item in refused] == [3, 5]
    for table in ("resources", "proposals", "source_records", "uploaded_files", "column_mappings"):
        assert await sql.fetchval(f"select count(*) from {table}") == 0, table


async def test_without_a_word_of_publishing_nothing_is_public(send: Send, work: Work, sql: asyncpg.Connection) -> None:
    run = await work(await send(SHEET, **SOURCE))
    assert (run["policy"], run["state"]) == ("review", "succeeded")
    assert await sql.fetchval("select count(*) from uploaded_files") == 0


@pytest.mark.parametrize(
    ("content", "fields", "status", "told"),
    [
        (b"", {}, 422, "The file is empty"),
        ("Name,City\nPe\xf1a,Columbus\n".encode("cp1252"), {}, 422, "Line 2 is not UTF-8"),
        ("Name,City\nPe\xf1a,Columbus\n".encode("cp1252"), {}, 422, "encoding=cp1252"),
        ("Name,City\nA,B\n".encode("utf-16"), {}, 422, "UTF-16"),
        ("Name,City\nA,B\n".encode("utf-16-be"), {}, 422, "NUL"),
        (b"Name,City\nA,B\0\n", {}, 422, "Line 2 holds a NUL"),
        (b'Name,City\r\nA,"B\r\nC,D\r\n', {}, 422, "Line 2 begins a quoted cell that never ends"),
        (b'Name,City\nA,"' + b"x\n" * 40_000, {}, 422, "Line 2 begins a quoted cell that never ends"),
        (b"Name,City\nA," + b"x" * (LONGEST_CELL + 1) + b"\nB,C\n", {}, 422, "Row 2 has a cell of more than 32 KiB"),
        (b"Name,City" + b",x" * 63 + b"\nA,B\n", {}, 422, "more than 64 columns"),
        (b"Name,City\n" + b"A,B\n" * (MOST_ROWS + 1), {}, 422, "more than 50,000 rows"),
        (b"Name,City\n" + b"A" * 5_000_000, {}, 422, "Line 2 is longer than"),
        (b"just words\nand more\n", {}, 422, "No header"),
        (b"PK\x03\x04rest", {}, 415, "Excel workbook"),
        (b"PK\x03\x04rest", {"format": "hsds"}, 415, "Excel workbook"),
        (b"\xd0\xcf\x11\xe0rest", {"format": "csv"}, 415, "old Excel workbook"),
        (b"%PDF-1.7", {}, 415, "a PDF"),
        (b"Name,City\nA,B\n", {"format": "ndjson"}, 422, "so it is not ndjson"),
        (b'{"a": 1}\n' * (MOST_ROWS + 1), {}, 422, "more than 50,000 lines"),
        (b'{"a": "\xff"}\n', {}, 422, "Line 1 is not UTF-8"),
        (b'[{"id": 1}]', {"encoding": "cp1252"}, 422, "Only a spreadsheet has an encoding"),
        (b"Name,City\nA,B\n", {"encoding": "cp1252", "columns": '{"Nope": "title"}'}, 422, "No header"),
        (b"Name,City\nA,B\n", {"columns": '{"Name": "titel"}'}, 422, "No such field: titel"),
    ],
)
async def test_a_file_that_cannot_be_read_is_refused_with_the_reason(  # noqa: PLR0913, PLR0917
    send: Send, sql: asyncpg.Connection, content: bytes, fields: dict[str, str], status: int, told: str
) -> None:
    answer = await send(content, **SOURCE, **fields)
    assert answer.status_code == status, answer.text
    assert answer.json()["type"] == ("other-kind" if status == 415 else "unusable-file")
    assert told in answer.json()["detail"]
    assert await sql.fetchval("select count(*) from connector_runs") == 0


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
async def test_any_line_end_and_a_bom_are_read(send: Send, work: Work, end: str) -> None:
    content = b"\xef\xbb\xbf" + SHEET.replace("\n", end).encode()
    run = await work(await send(content, **SOURCE, dry_run="true"))
    assert (run["done"], run["counts"]["quarantined"]) != (0, 0)
    assert run["plan"]["counts"]["quarantined"] == 2


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"source": "No Slug"}, "/body/source"),
        ({"source": "s", "format": "xlsx"}, "/body/format"),
        ({"source": "s", "encoding": "latin-1"}, "/body/encoding"),
        ({"source": "s", "publish": "perhaps"}, "/body/publish"),
        ({"source": "s", "columns": "[]"}, "/body/columns"),
        ({"source": "s", "columns": '{"A": 7}'}, "/body/columns/A"),
        ({"source": "s", "unknown": "x"}, "/body/unknown"),
        ({"source": "s\0"}, "/body/source"),
    ],
)
async def test_a_field_that_is_wrong_is_named(send: Send, fields: dict[str, str], pointer: str) -> None:
    answer = await send(SHEET, **fields)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == pointer


async def test_the_form_has_one_file(ask: Ask) -> None:
    for parts in ([], [("file", ("a", b"x")), ("file", ("b", b"y"))], [("other", ("a", b"x"))]):
        answer = await ask("POST", "/imports", files=[*parts, ("source", (None, b"s"))])
        assert (answer.status_code, answer.json()["type"]) == (422, "invalid-request")
    assert (await ask("POST", "/imports", json={"file": "x"})).status_code == 415
    assert (await ask("POST", "/imports", data={"file": "x"})).status_code == 415
    assert (await ask("POST", "/imports")).status_code == 422
    bad = await ask("POST", "/imports", content=b"x", headers={"Content-Type": "multipart/form-data"})
    assert bad.status_code == 400
    nameless = await ask("POST", "/imports", files={"file": ("s.csv", SHEET)})
    assert "Name the source" in nameless.json()["detail"]
    assert (await ask("POST", "/imports", files={"file": ("s.csv", SHEET)}, data={"columns": "{"})).status_code == 400


@pytest.mark.parametrize(
    ("name", "subject"),
    [
        ("../../x", "x"), ("a\r\nb", "ab"), ("con", "con"), ("C:\\temp\\x.csv", "x.csv"), ("..", ".."),
        ("/etc/passwd", "passwd"), ("\u202egnp.csv", "gnp.csv"), ("x" * 900, "x" * 200), ("a\x1b[31m", "a[31m"),
    ],
)  # fmt: skip
async def test_a_file_name_is_never_a_path(ask: Ask, sql: asyncpg.Connection, name: str, subject: str) -> None:
    boundary = "b0undary"
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="source"\r\n\r\ncounty_test\r\n--{boundary}\r\n'
    # as a browser would not write it: the name as it is, but for what would end the header
    shown = name.replace("\r\n", "%0D%0A").replace("\\", "\\\\")
    disposition = f'Content-Disposition: form-data; name="file"; filename="{shown}"\r\n\r\n'
    body = f"{head}{disposition}{SHEET}\r\n--{boundary}--\r\n".encode()
    kind = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    answer = await ask("POST", "/imports", content=body, headers=kind)
    assert answer.status_code == 202, answer.text
    told = answer.json()["subject"]
    assert told == (subject if "%" not in shown else "a%0D%0Ab")
    assert told.isprintable()
    assert await sql.fetchval("select subject from connector_runs") == told


async def test_a_stranger_is_refused_before_the_file_is_read(
    app: FastAPI, send_raw_to: Any, add_person: AddPerson, sign_in: SignIn
) -> None:
    read = 0

    def endless() -> Iterator[bytes]:
        nonlocal read
        while True:
            read += 1
            yield b"x" * 65536

    announced = [(b"content-type", b"multipart/form-data; boundary=b"), (b"content-length", b"11000000")]
    for role, status in ((None, 401), ("partner", 403), ("reviewer", 403), ("editor", 403)):
        headers = [*announced]
        if role is not None:
            credentials = await sign_in(await add_person(role))
            headers.append((b"authorization", credentials["Authorization"].encode()))
        answer = await send_raw_to(app, IMPORTS, method="POST", headers=headers, body=endless())
        assert (answer.status_code, read) == (status, 0)


async def test_a_file_that_is_too_large_is_refused_while_it_comes(
    app: FastAPI, send_raw_to: Any, add_person: AddPerson, sign_in: SignIn
) -> None:
    credentials = await sign_in(await add_person("admin"))
    headers = [
        (b"content-type", b"multipart/form-data; boundary=b"),
        (b"authorization", credentials["Authorization"].encode()),
    ]
    read = 0

    def endless() -> Iterator[bytes]:
        nonlocal read
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n'
        while True:
            read += 1
            yield b"x" * 65536

    answer = await send_raw_to(app, IMPORTS, method="POST", headers=headers, body=endless())
    assert (answer.status_code, answer.json()["type"]) == (413, "body-too-large")
    assert 160 <= read <= 165
    announced = [*headers, (b"content-length", b"11000000")]
    answer = await send_raw_to(app, IMPORTS, method="POST", headers=announced, body=endless())
    assert answer.status_code == 413


async def test_an_upload_that_is_sent_again_is_taken_once(send: Send, sql: asyncpg.Connection) -> None:
    key = str(uuid4())
    first = await send(SHEET, **SOURCE, key=key)
    again = await send(SHEET, **SOURCE, key=key)
    assert (first.status_code, again.status_code) == (202, 202)
    assert (again.json(), again.headers["idempotency-replayed"]) == (first.json(), "true")
    other = await send(SHEET + "More,614-555-0155,Dayton,OH\n", **SOURCE, key=key)
    assert (other.status_code, other.json()["type"]) == (422, "idempotency-key-reused")
    busy = await send(SHEET, **SOURCE)
    assert (busy.status_code, busy.json()["run_id"]) == (409, first.json()["id"])
    assert await sql.fetchval("select count(*) from uploaded_files") == 1


async def test_a_mapping_is_kept_for_the_next_file(send: Send, work: Work, ask: Ask) -> None:
    first = "Wer,Wo,Notes\nHelp House,Columbus,call first\n"
    columns = json.dumps({"Wer": "title", "Wo": "city", "Notes": "ignore"})
    assert "No header" in (await send(first, **SOURCE)).json()["detail"]
    await work(await send(first, **SOURCE, columns=columns))
    found = (await ask("GET", "/mappings/county_test?header=Wo&header=Phone%20%23", role="reviewer")).json()
    assert found["columns"] == [
        {"header": "Wo", "suggested": None, "saved": "city"},
        {"header": "Phone #", "suggested": "phone", "saved": None},
        {"header": "Notes", "suggested": "description", "saved": "ignore"} | {"suggested": None},
        {"header": "Wer", "suggested": None, "saved": "title"},
    ]
    assert {"title", "ignore"} <= set(found["fields"])
    run = await work(await send("Wer,Wo,Phone\nFood Hall,Akron,614-555-0123\n", **SOURCE))
    assert run["warnings"][0] == "Columns read as: Wer = title, Wo = city, Phone = phone"
    over = await work(await send("Wer,Wo,Who\nX Hall,Akron,A\n", **SOURCE, columns='{"Who": "title"}'))
    assert "Who = title" in over["warnings"][0]
    assert "Wer = title" not in over["warnings"][0]
    assert (await ask("GET", "/mappings/another")).json()["columns"] == []


async def test_a_cancelled_upload_leaves_no_file(send: Send, ask: Ask, sql: asyncpg.Connection) -> None:
    run = (await send(SHEET, **SOURCE)).json()
    assert await sql.fetchval("select count(*) from uploaded_parts") == 1
    assert (await ask("POST", f"/runs/{run['id']}/cancel")).json()["state"] == "cancelled"
    assert await sql.fetchval("select count(*) from uploaded_files") == 0
    assert await sql.fetchval("select count(*) from uploaded_parts") == 0


async def test_record_files_and_services_are_told_by_their_content(send: Send, work: Work) -> None:
    lines = "\n".join(json.dumps({**RECORD, "source": "s", "source_record_id": str(n)}) for n in range(3))
    run = await work(await send(lines, "x.csv", dry_run="true"))
    assert (run["connector"], run["state"], run["plan"]["counts"]["quarantined"]) == ("records", "succeeded", 0)
    own = await work(await send(json.dumps(RECORD), **SOURCE, dry_run="true"))
    assert (own["connector"], own["state"], own["plan"]["counts"]["quarantined"]) == ("county_test", "succeeded", 0)
    broken = await work(await send('[{"id": ', **SOURCE))
    assert (broken["state"], "not JSON" in broken["advice"]) == ("failed", True)


@pytest.mark.skipif(not SHARED.exists(), reason="the shared files are not here")
@pytest.mark.parametrize(
    ("name", "fields"),
    [("county_resources_utf8bom.csv", {}), ("county_resources_cp1252.csv", {"encoding": "cp1252"})],
)
async def test_the_county_sheets_are_planned_as_labelled(
    send: Send, work: Work, name: str, fields: dict[str, str]
) -> None:
    run = await work(await send((SHARED / "csv" / name).read_bytes(), name, **SOURCE, **fields, dry_run="true"))
    counts = run["plan"]["counts"]
    assert (run["state"], counts["quarantined"], sum(counts.values())) == ("succeeded", 32, 300)


def forget_peak(process: int) -> None:
    """Begin the measuring of a process anew."""
    Path(f"/proc/{process}/clear_refs").write_text("5", encoding="ascii")


def peak_kib(process: int) -> int:
    """The most memory that a process has had since it was last asked to forget."""
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="only Linux tells the peak of a process")
async def test_a_large_file_is_never_in_memory(
    programs: Programs, server: EmbeddedPostgres, database: str, add_person: AddPerson, sign_in: SignIn
) -> None:
    """Row G1: 10 MiB of 50,000 rows raise the peak of the process by less than 60 MB."""
    settings = {"DATABASE_URL": server.app_url(database), "VIBE4VETS_SECRET_KEY": SECRET}
    service = await asyncio.to_thread(
        programs.serve, "--no-worker", **settings, VIBE4VETS_DATA_DIR=programs.folder / "data"
    )
    row = b"Help House,614-555-0123,Columbus,\xc3\xa9" + b"x" * 170 + b"\n"
    sheet = b"Name,Phone,City,Notes\n" + row * 50_000
    assert 9.5 * 2**20 < len(sheet) <= 10 * 2**20
    credentials = await sign_in(await add_person("admin"))
    async with httpx.AsyncClient(base_url=service.url, headers=credentials, timeout=60, verify=NO_TLS) as client:

        async def upload(content: bytes, source: str) -> httpx.Response:
            return await client.post(
                "/api/v1/connectors/imports", files={"file": ("large.csv", content)}, data={"source": source}
            )

        assert (await upload(SHEET.encode(), "small")).status_code == 202  # what is loaded once is not the file's
        forget_peak(service.process.pid)
        before = peak_kib(service.process.pid)
        answer = await upload(sheet, "large")
        assert answer.status_code == 202, answer.text
        assert peak_kib(service.process.pid) - before < 60_000
