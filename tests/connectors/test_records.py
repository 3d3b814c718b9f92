"""Reading a record file: every line becomes a record or is told with its reason."""

import json
from pathlib import Path
from typing import Any

import pytest

from vibe4vets.connectors.base import Record, Rejection
from vibe4vets.connectors.sources.records import LONGEST_LINE_BYTES, RecordFile

RECORD: dict[str, Any] = {
    "source": "county_vso",
    "source_record_id": "oh-1",
    "title": "Franklin County Veterans Service Commission",
    "organization": "Franklin County, Ohio",
    "scope": "local",
    "categories": ["benefits"],
}


async def read(tmp_path: Path, content: bytes) -> tuple[list[Record | Rejection], RecordFile]:
    """Write `content` to a file and read it as a record file."""
    path = tmp_path / "records.ndjson"
    path.write_bytes(content)
    source = RecordFile(path)
    return [item async for page in source.pages() for item in page.items], source


async def test_a_full_record_keeps_every_fact(tmp_path: Path) -> None:
    full = RECORD | {
        "description": "Helps with claims.",
        "subcategories": ["claims-assistance"],
        "tags": ["county"],
        "eligibility": ["Veterans"],
        "phone": "614-525-2500",
        "email": "vets@example.org",
        "website": "https://vets.example.org",
        "hours": "Mon-Fri 8:00AM-4:30PM",
        "address": {"street": "250 W Broad St", "city": "Columbus", "state": "OH", "zip": "43215"},
        "county": "Franklin",
        "latitude": 39.96,
        "longitude": -83,
        "states_served": ["OH"],
        "languages": ["en"],
        "as_of": "2026",
        "provenance": "county page",
    }
    [record], source = await read(tmp_path, json.dumps(full).encode() + b"\n")
    assert isinstance(record, Record)
    assert record.tags == ("claims-assistance", "county")
    assert (record.street, record.city, record.state, record.postal_code) == (
        "250 W Broad St",
        "Columbus",
        "OH",
        "43215",
    )
    assert (record.latitude, record.longitude) == (39.96, -83)
    assert record.provenance == "county page"
    assert source.warnings() == []


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"\xff\xfe{}", "not UTF-8"),
        (b"{", "not a JSON object"),
        (b"[]", "not a JSON object"),
        (b'"text"', "not a JSON object"),
        (b"\xef\xbb\xbf{}", "not a JSON object"),
        (b"[" * 100_000, "not a JSON object"),
        (b'{"title": "a", "title": "b"}', "a key stands twice"),
        (b'{"latitude": NaN}', "NaN is no JSON number"),
        (json.dumps(RECORD | {"latitude": 1e999}).replace("Infinity", "1e999").encode(), "latitude: "),
        (json.dumps(RECORD | {"latitude": True}).encode(), "latitude: "),
        (json.dumps(RECORD | {"title": 5}).encode(), "title: "),
        (json.dumps(RECORD | {"title": None}).encode(), "title: Field required"),
        (json.dumps(RECORD | {"tags": "ssvf"}).encode(), "tags: "),
        (json.dumps({k: v for k, v in RECORD.items() if k != "source"}).encode(), "source: Field required"),
    ],
)
async def test_a_bad_line_is_told_and_the_rest_goes_on(tmp_path: Path, line: bytes, reason: str) -> None:
    good = json.dumps(RECORD).encode()
    items, _ = await read(tmp_path, b"\n".join([line, b"", good]))
    assert isinstance(items[0], Rejection)
    assert reason in items[0].reason
    assert items[0].line == 1
    assert isinstance(items[1], Record)
    assert items[1].line == 3


async def test_an_endless_line_is_cut_off_and_the_next_one_read(tmp_path: Path) -> None:
    items, _ = await read(tmp_path, b"x" * (2 * LONGEST_LINE_BYTES + 5) + b"\n" + json.dumps(RECORD).encode())
    assert [type(item) for item in items] == [Rejection, Record]
    assert "longer than 1 MiB" in items[0].reason  # type: ignore[union-attr]
    assert [item.line for item in items] == [1, 2]


async def test_unknown_keys_are_ignored_with_one_warning(tmp_path: Path) -> None:
    line = json.dumps(RECORD | {"color": "red", "coordinate_source": "zip"}).encode()
    items, source = await read(tmp_path, b"\n".join([line, line]))
    assert all(isinstance(item, Record) for item in items)
    assert source.warnings() == ["Ignored keys that a record does not have: color, coordinate_source"]


async def test_total_counts_lines(tmp_path: Path) -> None:
    _, source = await read(tmp_path, b"{}\n{}\n{}\n")
    assert source.total() == 3
