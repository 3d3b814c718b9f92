"""HSDS 3.x, from an API and from files: every service arrives, and an incomplete reading never ends well."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.publisher import Publisher, http
from vibe4vets.connectors.base import About, FetchError, Record, Rejection, Resumable, Source, SourceError
from vibe4vets.connectors.models import Outcome
from vibe4vets.connectors.service import prepare, run_connector, run_source
from vibe4vets.connectors.service.preparing import Prepared
from vibe4vets.connectors.sources.hsds import Endpoint, HSDSFeed, HSDSFile
from vibe4vets.core.fetch import Fetcher

ABOUT = About("ohio_211", "Ohio 211", "211 of Ohio", 3)
SHARED = Path("/work/shared/data/hsds")
RECORDS = Path("/work/shared/data/veteran_resources.jsonl")
shared = pytest.mark.skipif(not SHARED.exists(), reason="the shared HSDS feed is not here")
PLACE = {
    "location_type": "physical",
    "name": "Main office",
    "latitude": 39.96,
    "longitude": -83.0,
    "addresses": [
        {"address_1": "PO Box 1", "address_type": "postal", "city": "Elsewhere", "state_province": "OH"},
        {
            "address_1": "1 Main St",
            "address_2": "Floor 2",
            "city": "Columbus",
            "state_province": "Ohio",
            "postal_code": "43215",
            "region": "Franklin",
            "address_type": "physical",
        },
    ],
}


def service(number: int = 1, **changes: Any) -> dict[str, Any]:
    """A full service; None leaves a key out."""
    full = {
        "id": f"00000000-0000-4000-8000-{number:012}",
        "name": "Rent help",
        "status": "active",
        "description": "Help with rent.",
        "organization": {"id": "o", "name": "Help House", "description": "x", "website": "helphouse.org"},
        "phones": [
            {"id": "f", "number": "614-555-0000", "type": "fax"},
            {"id": "p", "number": "614-555-0123", "extension": 7, "type": "voice"},
        ],
        "schedules": [
            {"freq": "WEEKLY", "byday": "MO,TU,WE,TH,FR", "opens_at": "09:00:00", "closes_at": "17:00Z"},
            {"freq": "WEEKLY", "byday": "SA", "opens_at": "10:00-05:00", "closes_at": "12:30-05:00"},
        ],
        "service_areas": [{"name": "Ohio", "extent": "OH", "extent_type": "state"}, {"name": "Franklin County"}],
        "service_at_locations": [{"location": PLACE}],
        "attributes": [
            {"link_entity": "service", "value": "housing", "taxonomy_term": {"code": "housing", "name": "Housing"}},
            {"value": "rent-assistance", "taxonomy_term": {"code": "rent-assistance", "name": "Rent Assistance"}},
            {"link_type": "eligibility", "taxonomy_term": {"code": "low", "name": "Low income"}},
        ],
        "last_modified": "2026-01-31T00:00:00Z",
        **changes,
    }
    return {key: value for key, value in full.items() if value is not None}


def page(contents: list[Any], number: int = 1, of: int = 1, total: int | None = None) -> dict[str, Any]:
    """A page of services."""
    size = len(contents)
    known = {"total_items": size if total is None else total, "total_pages": of, "page_number": number, "size": size}
    return known | {"first_page": number == 1, "last_page": number == of, "empty": not contents, "contents": contents}


@pytest.fixture
def serve(publisher: Publisher, fetcher: Fetcher) -> Callable[..., HSDSFeed]:
    """A feed of the given pages."""

    def feed(*pages: Any, **options: Any) -> HSDSFeed:
        publisher.scripts["/hsds/services"] = lambda asked: http(
            json.dumps(pages[int(asked.query("page") or 1) - 1]).encode()
        )
        return HSDSFeed(fetcher, Endpoint(publisher.url("/hsds"), **options), ABOUT)

    return feed


Serve = Callable[..., HSDSFeed]


async def read(source: Source) -> list[Record | Rejection]:
    """Everything that the source yields."""
    return [item async for page in source.pages() for item in page.items]


def as_content(item: Record | Rejection) -> dict[str, Any]:
    """The record as the directory takes it."""
    assert isinstance(item, Record), item
    prepared = prepare(item)
    assert isinstance(prepared, Prepared), prepared
    content: dict[str, Any] = json.loads(prepared.content)
    return content


async def one(serve: Serve, **changes: Any) -> dict[str, Any]:
    """A service as the directory takes it."""
    (item,) = await read(serve(page([service(**changes)])))
    return as_content(item)


async def test_a_service_arrives_with_every_field(serve: Serve) -> None:
    content = await one(
        serve,
        application_process="Call first.",
        required_documents=[{"document": "DD-214"}, {"document": "Photo ID"}],
        cost_options=[{"option": "free", "amount": 0, "currency": "USD"}],
        eligibility_description="Veterans; Spouses",
        minimum_age=18,
        languages=[{"code": "en-US"}, {"code": "es"}],
        alert="Closed on Friday 27 November.",
        additional_urls=[{"url": "https://example.org/more"}],
    )
    assert (content["source_record_id"][-2:], content["title"], content["organization"]) == (
        "01",
        "Rent help",
        "Help House",
    )
    assert (content["categories"], content["tags"]) == (["housing"], ["rent-assistance"])
    assert (content["phone"], content["phone_extension"]) == ("+16145550123", "7")
    assert content["website"] == "https://helphouse.org"
    assert content["hours_text"] == "Mon-Fri 9:00AM-5:00PM; Sat 10:00AM-12:30PM"
    assert content["hours_weekly"][5] == [["10:00", "12:30"]]
    assert (content["states"], content["scope"]) == (["OH"], "local")
    assert content["eligibility"] == ["Veterans", "Spouses", "Low income", "Ages 18 and older"]
    assert content["how_to_apply"] == "Call first.\nBring: DD-214, Photo ID."
    assert (content["cost"], content["languages"], content["as_of"]) == ("Free", ["en", "es"], "2026-01-31")
    assert content["summary"] == "Closed on Friday 27 November."
    assert content["description"].splitlines() == [
        "Help with rent.",
        "Serves: Ohio; Franklin County.",
        "Phones: 614-555-0000 (fax); 614-555-0123 ext. 7 (voice).",
        "See also: https://example.org/more",
    ]
    (place,) = content["locations"]
    assert place == {
        "name": "Main office",
        "street": "1 Main St, Floor 2",
        "city": "Columbus",
        "county": "Franklin",
        "state": "OH",
        "postal_code": "43215",
        "latitude": 39.96,
        "longitude": -83.0,
        "time_zone": "America/New_York",
    }


async def test_a_service_may_have_no_more_than_its_name(serve: Serve, publisher: Publisher) -> None:
    bare = {"id": "7", "name": "Hotline", "status": "active"}
    publisher.scripts["/hsds/services/7"] = http(json.dumps(bare).encode())
    (item,) = await read(serve(page([bare])))
    content = as_content(item)
    assert (content["organization"], content["categories"], content["locations"]) == (
        "Hotline",
        ["support_services"],
        [],
    )


async def test_a_list_with_less_than_the_whole_is_completed_one_by_one(serve: Serve, publisher: Publisher) -> None:
    summary = {"id": "a/b", "name": "Rent help", "status": "active"}
    publisher.scripts["/hsds/services/a%2Fb"] = http(json.dumps(service() | summary).encode())
    (item,) = await read(serve(page([summary])))
    assert as_content(item)["phone"] == "+16145550123"


async def test_several_places_and_none(serve: Serve) -> None:
    other = {"latitude": 41.5, "longitude": -81.7, "addresses": [{"city": "Cleveland", "state_province": "OH"}]}
    virtual = {"location_type": "virtual", "name": "Online"}
    content = await one(serve, service_at_locations=[{"location": PLACE}, {"location": virtual}, {"location": other}])
    assert [place["city"] for place in content["locations"]] == ["Columbus", "Cleveland"]
    content = await one(serve, service_at_locations=[{"location": virtual}])
    assert (content["locations"], content["scope"]) == ([], "state")
    content = await one(serve, service_at_locations=None, service_areas=[{"name": "United States"}])
    assert (content["scope"], content["states"]) == ("national", [])


@pytest.mark.parametrize(
    ("schedules", "text"),
    [
        ([{"description": "By appointment"}], "By appointment"),
        (
            [{"freq": "WEEKLY", "byday": "SU,SA,TU", "opens_at": "00:00", "closes_at": "12:00"}],
            "Tue, Sat-Sun 12:00AM-12:00PM",
        ),
        ([{"freq": "WEEKLY", "interval": 2, "byday": "MO", "opens_at": "09:00"}], "every 2 weeks on Mon 9:00AM"),
        ([{"freq": "MONTHLY", "byday": "2MO,-1FR", "opens_at": "09:00"}], "monthly on the 2nd Mon, last Fri 9:00AM"),
        ([{"freq": "MONTHLY", "bymonthday": "1,15", "opens_at": "09:00"}], "monthly on day 1,15 9:00AM"),
        ([{"freq": "WEEKLY"}], None),
        ([], None),
    ],
)
async def test_schedules_become_hours(serve: Serve, schedules: list[dict[str, Any]], text: str | None) -> None:
    assert (await one(serve, schedules=schedules))["hours_text"] == text


async def test_the_phone_and_hours_of_the_place_stand_in(serve: Serve) -> None:
    at = {
        "location": PLACE | {"phones": [{"number": "614-555-0199"}]},
        "schedules": [{"description": "By appointment"}],
    }
    content = await one(serve, phones=[], schedules=None, service_at_locations=[at])
    assert (content["phone"], content["hours_text"]) == ("+16145550199", "By appointment")


async def test_what_is_gone_is_passed_over_and_what_is_closed_is_told(serve: Serve) -> None:
    statuses = ["inactive", "defunct", "temporarily closed", "active"]
    feed = serve(page([service(number, status=status) for number, status in enumerate(statuses)]))
    items = await read(feed)
    assert [as_content(item)["summary"] for item in items] == ["Temporarily closed.", None]
    assert feed.warnings() == ["2 services are inactive or defunct at their publisher"]
    assert [item.line for item in items] == [3, 4]


async def test_a_bad_service_is_told_and_the_others_go_on(serve: Serve) -> None:
    items = await read(serve(page([service(1), 7, {"id": "x", "phones": []}, service(4, phones=7), service(5)])))
    told = [(item.line, item.record_id, item.reason.split(":")[0]) for item in items if isinstance(item, Rejection)]
    assert told == [(2, None, "record"), (3, "x", "name"), (4, service(4)["id"], "phones")]
    assert len(items) == 5


async def test_pages_with_a_key_and_since_when(serve: Serve, publisher: Publisher) -> None:
    pages = [page([service(number)], number, of=3, total=3) for number in (1, 2, 3)]
    since = datetime(2026, 1, 31, tzinfo=UTC)
    feed = serve(*pages, secrets={"X-API-Key": SecretStr("canary")}, modified_after=since)
    assert not feed.complete
    assert [(page.done, page.checkpoint, feed.total()) async for page in feed.pages()] == [
        (1, "2 1 3 0", 3),
        (2, "3 2 3 0", 3),
        (3, None, 3),
    ]
    assert [asked.query("page") for asked in publisher.asked] == ["1", "2", "3"]
    assert {asked.query("modified_after") for asked in publisher.asked} == {since.isoformat()}
    assert {asked.headers["x-api-key"] for asked in publisher.asked} == {"canary"}
    assert await read(serve(page([], of=0, total=0), modified_after=since)) == []


async def test_a_reading_goes_on_at_a_checkpoint(serve: Serve, publisher: Publisher) -> None:
    statuses = ["inactive", "active", "active"]
    pages = [page([service(n, status=status)], n, of=3, total=3) for n, status in enumerate(statuses, start=1)]
    stopped = serve(*pages)
    checkpoint = (await anext(stopped.pages())).checkpoint
    publisher.asked.clear()
    resumed = serve(*pages)
    assert isinstance(resumed, Resumable)
    assert checkpoint is not None
    resumed.resume(checkpoint)
    assert [(item.line, type(item)) for item in await read(resumed)] == [(2, Record), (3, Record)]
    assert [asked.query("page") for asked in publisher.asked] == ["2", "3"]
    assert resumed.warnings() == ["1 services are inactive or defunct at their publisher"]
    changed = serve(*(page([service(n)], n, of=3, total=4) for n in (1, 2, 3)))
    changed.resume(checkpoint)
    with pytest.raises(SourceError, match="does not go with the pages before it"):
        await read(changed)


@pytest.mark.parametrize(
    "pages",
    [
        [page([])],
        [page([], total=5)],
        [page([service(1)], 1, 2, 2), page([service(1)], 1, 2, 2)],
        [page([service(1)], 1, 2, 3), page([service(2)], 2, 2, 3)],
        [page([service(1)], 1, 2, 2), page([service(2)], 2, 2, 3)],
        [{"contents": []}],
        [[service(1)]],
        [page([service(1)]) | {"contents": {}}],
    ],
)
async def test_an_incomplete_reading_does_not_end_well(serve: Serve, pages: list[Any]) -> None:
    with pytest.raises(SourceError):
        await read(serve(*pages))


async def test_a_stream_is_read_whole_or_not_at_all(serve: Serve, publisher: Publisher) -> None:
    lines = [json.dumps(service(number)) for number in (1, 2, 3)]
    feed = serve(stream=True)
    publisher.scripts["/hsds/services"] = http("\n".join(lines).encode(), content_type="application/x-ndjson")
    assert [item.line for item in await read(feed)] == [1, 2, 3]
    assert publisher.asked[-1].query("format") == "ndjson"
    for body in (b"", "\n".join(lines)[:-20].encode(), b"<html>"):
        publisher.scripts["/hsds/services"] = http(body, content_type="application/x-ndjson")
        with pytest.raises(SourceError):
            await read(feed)
    publisher.scripts["/hsds/services"] = http(b"<html>", content_type="text/html")
    with pytest.raises(FetchError):
        await read(feed)


@pytest.mark.parametrize(
    "content",
    [
        json.dumps([service(1), service(2)]),
        "\ufeff" + json.dumps(page([service(1), service(2)])),
        json.dumps(service(1)) + "\n\n" + json.dumps(service(2)) + "\n",
    ],
)
async def test_files_of_every_shape(tmp_path: Path, content: str) -> None:
    path = tmp_path / "services"
    path.write_text(content, encoding="utf-8")
    file = HSDSFile(path, ABOUT)
    items = await read(file)
    assert [item.record_id for item in items] == [service(1)["id"], service(2)["id"]]
    assert (file.total(), file.complete, file.subject) == (2, False, "services")


@pytest.mark.parametrize("content", [b"", b"7", b"\xff", b"[" * 100_000, b'{"a": 1}\nx'])
async def test_a_file_that_is_none_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "services.json"
    path.write_bytes(content)
    with pytest.raises(SourceError, match="not JSON in UTF-8"):
        await read(HSDSFile(path, ABOUT))


async def run(engine: AsyncEngine, source: Source) -> Mapping[Outcome, int]:
    """A run as the command line makes it."""
    report = await run_source(engine, source, publish=True, dry_run=False, progress=lambda *_: None)
    return report.counts


async def test_a_second_run_changes_nothing(engine: AsyncEngine, sql: asyncpg.Connection, serve: Serve) -> None:
    feed = page([service(1), service(2, phones=[{"number": "12"}])])
    counts = await run(engine, serve(feed))
    assert (counts[Outcome.CREATED], counts[Outcome.QUARANTINED]) == (1, 1)
    assert (await run(engine, serve(feed)))[Outcome.UNCHANGED] == 1
    assert tuple(await sql.fetchrow("select slug, name, tier from sources")) == ("ohio_211", "Ohio 211", 3)


def shared_pages() -> list[dict[str, Any]]:
    """The pages of the shared feed."""
    return [json.loads(path.read_text()) for path in sorted(SHARED.glob("services_page_*.json"))]


@shared
async def test_the_shared_feed_arrives_whole(engine: AsyncEngine, sql: asyncpg.Connection, serve: Serve) -> None:
    pages = shared_pages()
    contents = [as_content(item) for item in await read(serve(*pages))]
    assert len(contents) == 400
    assert differences(contents) == []
    counts = (await run_connector(engine, serve(*pages), dry_run=False, progress=lambda *_: None)).counts
    assert (counts[Outcome.CREATED], counts[Outcome.QUARANTINED]) == (400, 0)
    assert (await run(engine, HSDSFile(SHARED / "services_full.json", ABOUT)))[Outcome.UNCHANGED] == 400
    assert await sql.fetchval("select count(*) from published_resources") == 400


def differences(contents: list[dict[str, Any]]) -> list[tuple[str, str, Any, Any]]:
    """Where a service says something else than the record that the feed was made of."""
    rows = [line.split("\t") for line in (SHARED / "id_map.tsv").read_text().splitlines()[1:]]
    made_of = {service_id: (source, record_id) for service_id, source, record_id in rows}
    lines = RECORDS.read_text(encoding="utf-8").splitlines()
    records = {(record["source"], record["source_record_id"]): record for record in map(json.loads, lines)}
    found = []
    for content in contents:
        record = records[made_of[content["source_record_id"]]]
        place = content["locations"][0]
        for name, ours, theirs in [
            ("title", content["title"], record["title"]),
            ("organization", content["organization"], record["organization"]),
            ("categories", set(content["categories"]), set(record["categories"])),
            ("phone", (content["phone"] or "").removeprefix("+1"), _digits(record["phone"])),
            ("city", place["city"], record["address"]["city"]),
            ("state", place["state"], record["address"]["state"]),
            ("county", place["county"], record["county"]),
            ("states", set(content["states"]), set(record["states_served"])),
            ("eligibility", content["eligibility"], record["eligibility"]),
            ("website", content["website"], record["website"]),
            ("hours", bool(content["hours_text"]), bool(record["hours"])),
        ]:
            if ours != theirs:
                found.append((content["source_record_id"], name, ours, theirs))
    return found


def _digits(phone: str | None) -> str:
    return "".join(filter(str.isdigit, phone or "")).removeprefix("1")[:10]
