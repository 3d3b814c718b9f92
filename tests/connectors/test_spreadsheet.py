"""County spreadsheets: any headers, any rows; what cannot be read is told with its row and the reason."""

import json
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.connectors.feeds import Feed, counted
from vibe4vets.connectors.base import About, Record, Rejection, SourceError
from vibe4vets.connectors.models import Outcome, Trigger
from vibe4vets.connectors.service import prepare, run_source
from vibe4vets.connectors.service.preparing import Prepared
from vibe4vets.connectors.sources.spreadsheet import Spreadsheet
from vibe4vets.connectors.sources.spreadsheet.columns import FIELDS, find_columns
from vibe4vets.connectors.sources.spreadsheet.decoding import MOST_BYTES, MOST_ROWS, Row

ABOUT = About("county_office", "A county office", None, 4)
SHARED = Path("/work/shared/data/csv")
HEADER = (
    ' Agency/Program Name,Service Type(s),PHONE #,Addr,"City, St Zip",Web Site,Hours of Operation ,'
    "Who can use it?,Notes"
)
GOOD = (
    'Help House,Housing / Mental Hlth,(614) 555-0123 x5,1 Main Street,"Columbus, OH 43215",helphouse.org,'
    "Mon-Fri 9AM-5PM,Vets; Families,bring ID"
)
SHEET = f"{HEADER}\n{GOOD}\n"


def write(tmp_path: Path, content: str | bytes, name: str = "sheet.csv") -> Path:
    """A file with the content."""
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


async def read(path: Path, **options: Any) -> tuple[list[Record | Rejection], list[str]]:
    """What a sheet yields, and its warnings."""
    source = Spreadsheet(path, ABOUT, **options)
    items = [item async for page in source.pages() for item in page.items]
    return items, source.warnings()


async def one(tmp_path: Path, **cells: str) -> Record | Rejection:
    """The only row of a sheet with these columns."""
    given = {"Name": "Help House", **cells}
    lines = [",".join(f'"{text}"' for text in row) for row in (given.keys(), given.values())]
    ((item,), _) = await read(write(tmp_path, "\n".join(lines)), columns=dict(zip(cells, cells, strict=True)))
    return item


async def test_a_row_becomes_a_record(tmp_path: Path) -> None:
    ((record,), warnings) = await read(write(tmp_path, SHEET))
    assert isinstance(record, Record)
    prepared = prepare(record)
    assert isinstance(prepared, Prepared), prepared
    content = json.loads(prepared.content)
    assert record.line == 2
    assert (content["title"], content["organization"]) == ("Help House", "Help House")
    assert content["categories"] == ["housing", "mental_health"]
    assert (content["phone"], content["phone_extension"]) == ("+16145550123", "5")
    assert content["website"] == "https://helphouse.org"
    assert content["eligibility"] == ["Vets", "Families"]
    assert content["description"] == "bring ID"
    assert content["hours_weekly"][0] == [["09:00", "17:00"]]
    (place,) = content["locations"]
    assert [place[key] for key in ("street", "city", "state", "postal_code")] == [
        "1 Main Street",
        "Columbus",
        "OH",
        "43215",
    ]
    assert "Agency/Program Name = title" in warnings[0]


@pytest.mark.parametrize(
    ("headers", "fields"),
    [
        ("Name|Phone|Street|City|State|ZIP|County", "title|phone|street|city|state|zip|county"),
        ("Agency|Program|Tel.|E-Mail Address|URL", "organization|title|phone|email|website"),
        ("ORGANIZATION|Telephone|Fax|Address", "title|phone||street"),
        ("Resource Name|Type of Service|Contact Name|Cost|How to apply", "title|categories||cost|how_to_apply"),
        (
            "ID|Provider|Name|Lat|Long|Language(s)|Last updated",
            "record_id|organization|title|latitude|longitude|languages|as_of",
        ),
        (
            "Program Name|City/State|Eligibility Requirements|Schedule|Comments",
            "title|place|eligibility|hours|description",
        ),
    ],
)
def test_columns_are_suggested_from_their_headers(headers: str, fields: str) -> None:
    columns = find_columns([Row(1, headers.split("|"))], {})
    assert [columns.field_at.get(at, "") for at in range(len(columns.headers))] == fields.split("|")


def test_the_page_of_the_docs_names_every_field() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs/sources.md").read_text(encoding="utf-8")
    table = page.partition("| field |")[2].partition("\n\n")[0]
    assert {field for field in FIELDS if not re.search(rf"\b{field}\b", table)} == set()


async def test_the_header_may_stand_below_a_title(tmp_path: Path) -> None:
    ((record,), _) = await read(
        write(tmp_path, "County resources 2026,,\r\n\r\nName,City,Phone\r\nHelp House,Columbus,\r\n")
    )
    assert isinstance(record, Record)
    assert (record.line, record.city) == (4, "Columbus")


async def test_a_wrong_suggestion_is_put_right_by_hand(tmp_path: Path) -> None:
    sheet = write(tmp_path, "Wer,Wo,Notes\nHelp House,Columbus,secret\n")
    with pytest.raises(SourceError, match=r"the first row has: Wer, Wo, Notes\. Name the columns with --column"):
        await read(sheet)
    ((record,), warnings) = await read(sheet, columns={"Wer": "title", "Wo": "city", "Notes": "ignore"})
    assert isinstance(record, Record)
    assert (record.title, record.city, record.description) == ("Help House", "Columbus", "")
    assert warnings[1] == "Columns passed over: Notes"
    for wrong in ({"Wer": "titel"}, {"Wer": "title", "Wo": "title"}, {"Elsewhere": "title"}):
        with pytest.raises(SourceError):
            await read(sheet, columns=wrong)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("bom", ["", "\ufeff"])
async def test_separators_line_ends_and_bom(tmp_path: Path, separator: str, end: str, bom: str) -> None:
    rows = [
        ["Name", '"City, St"', "Notes"],
        ["Peña", '"Columbus, OH"', f'"two{end}lines; ""quoted"""'],
        ["B", '"X, OH"', ""],
    ]
    content = bom + end.join(separator.join(row) for row in rows) + end + end
    items, _ = await read(write(tmp_path, content))
    assert [(item.line, item.title, item.city) for item in items if isinstance(item, Record)] == [
        (2, "Peña", "Columbus"),
        (3, "B", "X"),
    ]
    assert isinstance(items[0], Record)
    assert items[0].description == 'two lines; "quoted"'


@pytest.mark.parametrize(
    ("content", "advice"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        ("Name,City\nPe\xf1a,Columbus\n".encode("cp1252"), "Line 2 is not UTF-8; the file looks like Windows-1252"),
        (b"Name,City\nA,B\nC\x81,D\n", "Line 3 is not UTF-8: save it as"),
        ("Name,City\nA,B\n".encode("utf-16"), "UTF-16"),
        ("Name,City\nA,B\n".encode("utf-16-le"), "NUL character"),
        (b"Name,City\nA,B\x00\n", "Line 2 holds a NUL character"),
        (b"PK\x03\x04rest", "Excel workbook"),
        (b"\xd0\xcf\x11\xe0rest", "old Excel workbook"),
        (b"%PDF-1.7", "a PDF"),
        (b'Name,City\nA,"B\nC,D\nE,F\n', "Line 2 begins a quoted cell that never ends"),
        (b'Name,City\nA,B\nC,D\nE,"F', "Line 4 begins a quoted cell that never ends"),
        (b'Name,City\nA,"' + b"x\n" * 200_000, "Line 2 begins a quoted cell that never ends"),
        (b"Name,City" + b",x" * 63 + b"\n", "more than 64 columns"),
        (b"Name,City\n" + b"A,B\n" * (MOST_ROWS + 1), "more than 50,000 rows"),
        (b"x" * (MOST_BYTES + 1), "larger than 10 MiB"),
        (b"just words\nand more\n", "No header"),
    ],
)
async def test_what_is_no_such_file_is_refused_with_advice(tmp_path: Path, content: bytes, advice: str) -> None:
    with pytest.raises(SourceError) as refusal:
        await read(write(tmp_path, content))
    assert advice in str(refusal.value)


async def test_cp1252_is_converted_on_request_only(tmp_path: Path) -> None:
    text = "Name,City\nCaf\xe9 \u2013 Vets\u2019 table,Columbus\n"
    ((record,), _) = await read(write(tmp_path, text.encode("cp1252")), encoding="cp1252")
    assert isinstance(record, Record)
    assert record.title == "Caf\xe9 \u2013 Vets\u2019 table"
    with pytest.raises(SourceError, match="is UTF-8, not Windows-1252"):
        await read(write(tmp_path, text), encoding="cp1252")
    with pytest.raises(SourceError, match="not Windows-1252 either"):
        await read(write(tmp_path, b"Name,City\nA\x81,B\n"), encoding="cp1252")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",,", "row: empty"),
        ("*** HOUSING ***,,", "row: a single cell"),
        ("Call 211 for more", "row: a single cell"),
        ("TOTAL: 288 agencies,,", "row: a single cell"),
        ("Name,Phone,City", "row: the header once more"),
        ("Help,614-555-0123,Columbus,x,y", "row: 5 cells under 3 headers"),
        ('"=HYPERLINK(""http://x.invalid"",""Click"")",,Columbus', "row: a formula"),
        (",614-555-0123,Columbus", "title: missing"),
        ("n/a,614-555-0123,Columbus", "title: missing"),
        ("614.221.0000,Some Agency,Columbus", "title: has no letter"),
        (f"Help,,{'x' * 40_000}", "row: a cell of more than 32 KiB"),
    ],
)
async def test_rows_that_are_no_resource_are_told(tmp_path: Path, row: str, reason: str) -> None:
    items, _ = await read(write(tmp_path, f"Name,Phone,City\nGood,614-555-0123,Columbus\n{row}\nLast,,Akron\n"))
    assert [type(item).__name__ for item in items] == ["Record", "Rejection", "Record"]
    bad = items[1]
    assert isinstance(bad, Rejection)
    assert (bad.line, bad.source) == (3, "county_office")
    assert bad.reason.startswith(reason)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("Hamilton, OH 45011", ("Hamilton", "OH", "45011")),
        ("Springfield OH", ("Springfield", "OH", None)),
        ("St. Clairsville,OH 43950-1234", ("St. Clairsville", "OH", "43950-1234")),
        ("Columbus, Ohio 43215", ("Columbus", "Ohio", "43215")),
        ("Kansas City, Missouri", ("Kansas City", "Missouri", None)),
        ("Kansas City", ("Kansas City", None, None)),
        ("Columbus, ZZ 99999", ("Columbus", "ZZ", "99999")),  # told later: nothing is cut or guessed
        ("", (None, None, None)),
    ],
)
async def test_city_state_and_zip_in_one_cell(tmp_path: Path, text: str, place: tuple[str | None, ...]) -> None:
    record = await one(tmp_path, place=text, phone="614-555-0123")
    assert isinstance(record, Record)
    assert (record.city, record.state, record.postal_code) == place


@pytest.mark.parametrize(
    ("text", "as_of"),
    [
        ("1/15/2026", "2026-01-15"),
        ("01-15-26", "2026-01-15"),
        ("2026-01-15", "2026-01-15"),
        ("Jan 2026", "2026-01"),
        ("January 15, 2026", "2026-01-15"),
        ("soon", "soon"),
        ("", None),
    ],
)
async def test_dates_as_offices_write_them(tmp_path: Path, text: str, as_of: str | None) -> None:
    record = await one(tmp_path, as_of=text, phone="614-555-0123")
    assert isinstance(record, Record)
    assert record.as_of == as_of


async def test_a_kind_of_help_without_a_name_becomes_a_tag(tmp_path: Path) -> None:
    record = await one(tmp_path, categories="Food; Llama rides", phone="988")
    assert isinstance(record, Record)
    assert (record.categories, record.tags) == (("food",), ("Llama rides",))
    record = await one(tmp_path, categories="", phone="988")
    assert isinstance(record, Record)
    assert record.categories == ("support_services",)


async def test_the_same_name_street_and_city_is_a_duplicate_and_a_phone_decides_a_tie(tmp_path: Path) -> None:
    rows = [
        "Name,Address,City,Phone",
        "Help House,1 Main Street,Columbus,614-555-0123",
        "HELP HOUSE (Main),1 Main St.,Columbus,(614) 555-0123",
        "Help House,1 Main St,columbus,",
        "Help House,2 Main St,Columbus,614-555-0123",
        "Desk,1 Main St,Columbus,614-555-0001",
        "Desk,1 Main St,Columbus,614-555-0002",
        "Desk,1 Main St,Columbus,1-614-555-0002",
    ]
    items, warnings = await read(write(tmp_path, "\n".join(rows)))
    repeated = {item.line: item.duplicate_of for item in items if isinstance(item, Rejection)}
    assert repeated == {3: 2, 4: 2, 8: 7}
    assert warnings[-1].startswith("3 rows repeat")
    ids = {item.record_id for item in items if isinstance(item, Record)}
    shuffled, _ = await read(write(tmp_path, "\n".join([rows[0], *rows[:0:-1]])))
    assert {item.record_id for item in shuffled if isinstance(item, Record)} == ids
    assert len(ids) == 4


async def test_an_id_column_is_the_identity(tmp_path: Path) -> None:
    items, _ = await read(write(tmp_path, "ID,Name,City\n7,Help,Columbus\n8,Help,Columbus\n"))
    assert [item.record_id for item in items] == ["7", "8"]


@pytest.mark.parametrize("name", ["..csv", "a\r\nb.csv", "\u202egnp.csv", "[red]x.csv", "con"])
async def test_a_file_name_is_shown_without_what_could_mislead(tmp_path: Path, name: str) -> None:
    subject = Spreadsheet(write(tmp_path, SHEET, name), ABOUT).subject
    assert subject.isprintable()
    assert "/" not in subject


async def run(engine: AsyncEngine, source: Spreadsheet) -> Mapping[Outcome, int]:
    """A run as the command line makes it."""
    report = await run_source(engine, source, publish=True, dry_run=False, progress=lambda *_: None)
    return report.counts


async def test_the_same_file_twice_changes_nothing(
    engine: AsyncEngine, sql: asyncpg.Connection, tmp_path: Path
) -> None:
    path = write(tmp_path, SHEET + "*** FOOD ***,,,,,,,,\nBad phone,Food,12,,Columbus OH,,,,\n")
    counts = await run(engine, Spreadsheet(path, ABOUT))
    assert (counts[Outcome.CREATED], counts[Outcome.QUARANTINED]) == (1, 2)
    counts = await run(engine, Spreadsheet(path, ABOUT))
    assert (counts[Outcome.UNCHANGED], counts[Outcome.CREATED], counts[Outcome.UPDATED]) == (1, 0, 0)
    told = await sql.fetch("select distinct line, reason, source from quarantined_records order by line")
    assert [(row["line"], row["source"]) for row in told] == [(3, "county_office"), (4, "county_office")]
    assert told[1]["reason"].startswith("phone: give ten digits")
    assert await sql.fetchval("select tier from sources where slug = 'county_office'") == 4


@pytest.mark.skipif(not SHARED.exists(), reason="the shared county sheets are not here")
@pytest.mark.parametrize(
    ("name", "encoding"), [("county_resources_utf8bom.csv", None), ("county_resources_cp1252.csv", "cp1252")]
)
async def test_the_county_sheets_come_out_as_labelled(
    engine: AsyncEngine, sql: asyncpg.Connection, name: str, encoding: str | None
) -> None:
    expected = [json.loads(line) for line in (SHARED / "expected.jsonl").read_text().splitlines()]
    items, _ = await read(SHARED / name, encoding=encoding)
    kinds = Counter()
    for label, item in zip(expected, items, strict=True):
        outcome = prepare(item) if isinstance(item, Record) else item
        assert outcome.line == label["row"] + 1
        kind = "ok" if isinstance(outcome, Prepared) else "duplicate" if outcome.duplicate_of else "bad"
        kinds[kind] += 1
        assert kind == label["line_kind"], (label, outcome)
        if isinstance(outcome, Prepared):
            content = json.loads(outcome.content)
            digits = "".join(filter(str.isdigit, label["phone"] or ""))
            assert (content["phone"] or "").removeprefix("+1") + (content["phone_extension"] or "") == digits
        else:
            assert outcome.reason
            assert outcome.duplicate_of == (label["duplicate_of_row"] + 1 if kind == "duplicate" else None)
    assert kinds == {"ok": 268, "duplicate": 20, "bad": 12}
    counts = await run(engine, Spreadsheet(SHARED / name, ABOUT, encoding=encoding))
    assert (counts[Outcome.CREATED], counts[Outcome.QUARANTINED]) == (268, 32)
    counts = await run(engine, Spreadsheet(SHARED / name, ABOUT, encoding=encoding))
    assert counts[Outcome.UNCHANGED] == 268
    assert await sql.fetchval("select count(*) from published_resources") == 268


@pytest.mark.skipif(not SHARED.exists(), reason="the shared county sheets are not here")
async def test_the_rows_of_a_county_wait_for_a_reviewer_and_the_bad_ones_cost_no_other(community: Feed) -> None:
    sheet = Spreadsheet(SHARED / "county_resources_utf8bom.csv", community.about)
    items = [item async for page in sheet.pages() for item in page.items]
    records = [item for item in items if isinstance(item, Record) and isinstance(prepare(item), Prepared)]
    refused = len(items) - len(records)
    upload = {"complete": False, "rejections": refused, "trigger": Trigger.UPLOAD}
    assert counted(await community.read(*records, **upload)) == {"proposed": 268, "quarantined": 32}
    assert await community.sql.fetchval("select count(*) from published_resources") == 0
    assert await community.sql.fetchval("select count(*) from proposals where state = 'open'") == 268
    assert counted(await community.read(*records, **upload)) == {"unchanged": 268, "quarantined": 32}
    assert await community.sql.fetchval("select max(version) from proposals") == 1
