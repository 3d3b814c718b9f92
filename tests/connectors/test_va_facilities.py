"""The VA Facilities API v1, served by a scripted publisher: every facility arrives with every field that it has."""

import gzip
import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.publisher import Asked, Publisher, http
from vibe4vets.connectors.base import FetchError, Record, Rejection, Resumable, SourceError
from vibe4vets.connectors.known_sources import known_sources
from vibe4vets.connectors.models import Outcome
from vibe4vets.connectors.service import RunReport, prepare, run_connector, run_source
from vibe4vets.connectors.service.preparing import Prepared
from vibe4vets.connectors.sources.va_facilities import ABOUT, VAFacilities
from vibe4vets.core.fetch import Fetcher, UnexpectedStatus

KEY = "a-key-of-the-va"
SHARED = Path("/work/shared/data")
shared = pytest.mark.skipif(not (SHARED / "va_facilities").exists(), reason="the shared VA pages are not here")
WEEK = dict.fromkeys(("monday", "tuesday", "wednesday", "thursday", "friday"), "800AM-430PM") | {
    "saturday": "Closed",
    "sunday": "Closed",
}


def facility(number: int = 1, **attributes: Any) -> dict[str, Any]:
    """A facility as the API has it; None leaves a key out."""
    facts = {
        "name": "Columbus VA Clinic",
        "facilityType": "va_health_facility",
        "classification": "Primary Care CBOC",
        "website": "https://www.va.gov/columbus/",
        "lat": 39.98,
        "long": -82.91,
        "timeZone": "America/New_York",
        "address": {"physical": {"zip": "43219-1834", "city": "Columbus", "state": "OH", "address1": "420 N James Rd"}},
        "phone": {"main": "614-257-5200", "pharmacy": "614-257-5201, ext. 12", "afterHours": "000-000-0000"},
        "hours": WEEK,
        "services": {
            "health": [{"name": "Primary care", "serviceId": "primaryCare", "link": "https://api.va.gov/x"}],
            "lastUpdated": "2026-10-05",
        },
        "operatingStatus": {"code": "NORMAL"},
        **attributes,
    }
    kept = {key: value for key, value in facts.items() if value is not None}
    return {"id": f"vha_{number}", "type": "va_facilities", "attributes": kept}


def page(data: Sequence[object], number: int = 1, of: int = 1, total: int | None = None) -> dict[str, Any]:
    """A page of the API."""
    pagination = {"currentPage": number, "perPage": 100, "totalPages": of}
    return {"data": data, "links": {}, "meta": {"pagination": pagination | {"totalEntries": total or len(data)}}}


@pytest.fixture
def serve(publisher: Publisher, fetcher: Fetcher) -> Callable[..., VAFacilities]:
    """A source that reads the given pages."""

    def source(*pages: dict[str, Any]) -> VAFacilities:
        def script(asked: Asked) -> bytes:
            if asked.headers.get("apikey") != KEY:
                return http(b'{"message": "No API key found in request"}', "401 Unauthorized")
            return http(json.dumps(pages[int(asked.query("page") or 1) - 1]).encode())

        publisher.scripts["/v1/facilities"] = script
        return VAFacilities(fetcher, SecretStr(KEY), publisher.url("/v1"))

    return source


Serve = Callable[..., VAFacilities]


async def read(source: VAFacilities) -> list[Record | Rejection]:
    """Everything that the source yields."""
    return [item async for page in source.pages() for item in page.items]


async def one(serve: Serve, **attributes: Any) -> tuple[Record, dict[str, Any]]:
    """A facility as a record, and as the directory takes it."""
    (record,) = await read(serve(page([facility(**attributes)])))
    assert isinstance(record, Record), record
    prepared = prepare(record)
    assert isinstance(prepared, Prepared), prepared
    return record, json.loads(prepared.content)


async def test_a_facility_arrives_with_every_field(serve: Serve) -> None:
    record, content = await one(
        serve,
        services={
            "health": [{"name": "Mental health care", "serviceId": "mentalHealth"}],
            "benefits": [{"name": "VAHome Loan Assistance", "serviceId": "vAHomeLoanAssistance"}],
            "lastUpdated": "2026-10-05",
        },
        operationalHoursSpecialInstructions=["Call for an appointment."],
        parent={"id": "vha_757"},
        visn=10,
        healthCareSystem={"name": "VA Central Ohio health care"},
        satisfaction={"health": {"primaryCareUrgent": 0.8}, "effectiveDate": "2026-05-22"},
        newFieldNobodyKnows={"a": [1]},
    )
    assert (record.record_id, content["title"]) == ("vha_1", "Columbus VA Clinic")
    assert content["categories"] == ["healthcare", "mental_health", "housing"]
    assert {"va-health-facility", "primary-care-cboc", "mental-health", "va-home-loan-assistance"} <= {*content["tags"]}
    assert (content["phone"], content["website"]) == ("+16142575200", "https://www.va.gov/columbus/")
    assert content["hours_text"] == "Mon-Fri 8:00AM-4:30PM; Sat-Sun Closed"
    assert content["hours_weekly"] == [[["08:00", "16:30"]]] * 5 + [[], []]
    assert content["as_of"] == "2026-10-05"
    assert content["states"] == ["OH"]
    (place,) = content["locations"]
    assert place == {
        "name": None,
        "street": "420 N James Rd",
        "city": "Columbus",
        "county": None,
        "state": "OH",
        "postal_code": "43219-1834",
        "latitude": 39.98,
        "longitude": -82.91,
        "time_zone": "America/New_York",
    }
    assert content["description"].splitlines() == [
        "VA health facility (Primary Care CBOC) in Columbus, OH.",
        "Services: Mental health care, VAHome Loan Assistance.",
        "Call for an appointment.",
        "Other phones: pharmacy 614-257-5201 ext. 12.",
        "VA system: VISN 10, VA Central Ohio health care, part of vha_757.",
        "Veterans' satisfaction (as of 2026-05-22): primary care urgent 80%.",
    ]
    assert content["summary"] is None


async def test_every_key_but_the_name_may_be_absent(serve: Serve) -> None:
    bare = {"id": "vc_1", "type": "va_facilities", "attributes": {"name": "Bare", "operatingStatus": {}}}
    (record,) = await read(serve(page([bare])))
    assert isinstance(record, Record)
    assert isinstance(prepare(record), Prepared)
    assert record.places == ()


@pytest.mark.parametrize(
    ("main", "phone", "extension"),
    [
        ("202-745-8000 x56333", "+12027458000", "56333"),
        ("202-745-8000, ext. 58127", "+12027458000", "58127"),
        ("213-253-5000 x", "+12132535000", None),
        ("9137584136", "+19137584136", None),
        ("1-913-758-4136 Ext. 4", "+19137584136", "4"),
        ("  (857) 203-6461 x 12", "+18572036461", "12"),
        ("618-239-0087/0095", "+16182390087", None),
        ("616-456-257", None, None),
        ("661-m322-0101", None, None),
        ("000-000-0000", None, None),
    ],
)
async def test_phones_as_the_va_writes_them(serve: Serve, main: str, phone: str | None, extension: str | None) -> None:
    _, content = await one(serve, phone={"main": main})
    assert (content["phone"], content["phone_extension"]) == (phone, extension)
    # a number that nobody can dial is shown as it is published; zeros are none
    assert (main in content["description"]) is (phone is None and not main.startswith("000"))


async def test_odd_hours_stay_text_and_a_doubtful_day_closes_nothing(serve: Serve) -> None:
    for hours, text in [
        (dict.fromkeys(WEEK, "24/7"), "Mon-Sun 24/7"),
        (dict.fromkeys(WEEK, "Sunrise - Sundown"), "Mon-Sun Sunrise - Sundown"),
        (WEEK | {"saturday": "-"}, "Mon-Fri 8:00AM-4:30PM; Sat hours not given; Sun Closed"),
        ({"monday": "9:00 a.m. - 5:30 p.m."}, "Mon 9:00AM - 5:30PM; Tue-Sun hours not given"),
        (dict.fromkeys(WEEK, "By Appointment Only"), "Mon-Sun By Appointment Only"),
        ({}, None),
    ]:
        _, content = await one(serve, hours=hours)
        assert content["hours_text"] == text
        assert (content["hours_weekly"] is not None) is (text == "Mon-Sun 24/7")


@pytest.mark.parametrize(
    ("status", "summary"),
    [
        ({"code": "NORMAL", "additionalInfo": "x"}, None),
        ({"code": "CLOSED", "additionalInfo": "Closed for renovation."}, "Closed: Closed for renovation."),
        ({"code": "LIMITED"}, "Limited services and hours."),
        ({"code": "TEMPORARY_CLOSURE"}, "Temporarily closed."),
        ({"code": "NEW_CODE", "supplementalStatus": [{"id": "A", "label": "Masks"}]}, "Status: new_code: Masks."),
    ],
)
async def test_a_status_is_an_alert_and_no_deletion(serve: Serve, status: dict[str, Any], summary: str | None) -> None:
    _, content = await one(serve, operatingStatus=status)
    assert content["summary"] == summary
    assert any(tag.startswith("status-") for tag in content["tags"]) is (summary is not None)


async def test_an_address_abroad_has_no_state_no_zip_and_no_us_phone(serve: Serve) -> None:
    manila = {"zip": "01302", "city": "Pasay City", "state": "PH", "address1": "1501 Roxas Boulevard"}
    _, content = await one(serve, address={"physical": manila}, phone={"main": "632-550-3888"}, timeZone="Asia/Manila")
    (place,) = content["locations"]
    assert (place["city"], place["state"], place["postal_code"]) == ("Pasay City 01302, Philippines", None, None)
    assert (content["phone"], content["states"]) == (None, [])
    assert "Phones (Philippines): main 632-550-3888." in content["description"]


async def test_what_can_be_mended_is(serve: Serve) -> None:
    _, content = await one(
        serve,
        name="CLEVELAND VA CLINIC  ",
        website="www.va.gov/some path",
        address={"physical": {"zip": "48124-31810", "state": "Guam"}, "mailing": {"city": "Rittman", "zip": "44273"}},
        mobile=True,
        lat=None,
        operationalHoursSpecialInstructions="One text,\r\nnot a list.",
    )
    assert (content["title"], content["website"]) == ("Cleveland VA Clinic", "https://www.va.gov/some%20path")
    (place,) = content["locations"]
    assert (place["postal_code"], place["state"], place["longitude"]) == ("48124", "GU", None)
    assert "mobile-unit" in content["tags"]
    for line in ("Mobile unit: it travels", "Mailing address: Rittman, 44273.", "One text, not a list."):
        assert line in content["description"]


async def test_a_bad_facility_is_told_and_the_others_go_on(serve: Serve) -> None:
    broken = [facility(1), {"id": "vha_2"}, 7, facility(4, lat="north"), facility(5, hours=[1]), facility(6)]
    items = await read(serve(page(broken)))
    assert [type(item).__name__ for item in items] == ["Record"] + ["Rejection"] * 4 + ["Record"]
    assert [item.line for item in items] == [1, 2, 3, 4, 5, 6]
    told = [(item.record_id, item.reason.split(":")[0]) for item in items if isinstance(item, Rejection)]
    assert told == [
        ("vha_2", "attributes"),
        (None, "record"),
        ("vha_4", "attributes.lat"),
        ("vha_5", "attributes.hours"),
    ]


async def test_values_that_nothing_can_store_cost_their_record_only(
    engine: AsyncEngine, sql: asyncpg.Connection, serve: Serve
) -> None:
    hostile = [
        {"name": "a\0b"},
        {"name": "a\ud800b"},
        {"name": "x" * 1_000_000},
        {"lat": float("nan")},
        {"long": float("-inf")},
        {"lat": 999.0},
        {"website": "javascript:alert(1)"},
        {"website": f"https://x.example/{'x' * 2000}"},
        {"timeZone": "\u202e"},
        {"classification": "\ud800"},
        {"address": {"physical": {"city": "x" * 101, "state": "OH"}}},
    ]
    facilities = [facility(number, **changes) for number, changes in enumerate([{}, *hostile, {}])]
    counts = await run(engine, serve(page(facilities)))
    assert (counts[Outcome.CREATED], counts[Outcome.QUARANTINED]) == (2, len(hostile))
    told = await sql.fetch("select line, reason, content from quarantined_records order by line")
    assert [row["line"] for row in told] == list(range(2, len(hostile) + 2))
    assert all(len(row["content"]) <= 10_000 and ": " in row["reason"] for row in told)


async def test_pages_are_read_to_the_last_with_the_key_in_a_header(serve: Serve, publisher: Publisher) -> None:
    source = serve(*(page([facility(n)], n, of=3, total=3) for n in (1, 2, 3)))
    seen = [(len(page.items), page.done, page.checkpoint, source.total()) async for page in source.pages()]
    assert seen == [(1, 1, "2 1 3", 3), (1, 2, "3 2 3", 3), (1, 3, None, 3)]
    assert {asked.headers["apikey"] for asked in publisher.asked} == {KEY}
    assert KEY not in "".join(asked.target for asked in publisher.asked) + source.subject


async def test_a_reading_goes_on_at_a_checkpoint(serve: Serve, publisher: Publisher) -> None:
    pages = [page([facility(n)], n, of=3, total=3) for n in (1, 2, 3)]
    checkpoints = [page.checkpoint async for page in serve(*pages).pages()]
    publisher.asked.clear()
    resumed = serve(*pages)
    assert isinstance(resumed, Resumable)
    assert checkpoints[1] is not None
    resumed.resume(checkpoints[1])
    assert [(item.line, item.record_id) for item in await read(resumed)] == [(3, "vha_3")]
    assert [asked.query("page") for asked in publisher.asked] == ["3"]


@pytest.mark.parametrize(
    "pages",
    [
        [page([], total=5)],
        [page([])],
        [page([facility(1)], 1, 2, 5), page([], 2, 2, 5)],
        [page([facility(1)], 1, 2, 2), page([facility(1)], 1, 2, 2)],  # the page is ignored
        [page([facility(1)], 1, 2, 2), page([facility(2)], 2, 2, 3)],
        [page([facility(1), facility(2)], total=1)],
        [{"data": []}],
        [{"errors": [{"title": "x"}]}],
        [{"data": {}, "meta": {"pagination": {"currentPage": 1, "totalPages": 1, "totalEntries": 1}}}],
    ],
)
async def test_an_incomplete_reading_does_not_end_well(serve: Serve, pages: list[dict[str, Any]]) -> None:
    with pytest.raises(SourceError):
        await read(serve(*pages))


async def test_errors_of_the_api_are_fetch_errors_without_the_key(serve: Serve, publisher: Publisher) -> None:
    source = serve(page([facility(1)]))
    publisher.scripts["/v1/facilities"] = http(f'{{"message": "{KEY}"}}'.encode(), "403 Forbidden")
    with pytest.raises(UnexpectedStatus) as error:
        await read(source)
    assert KEY not in str(error.value)
    publisher.scripts["/v1/facilities"] = http(b"<html>Sign in</html>", content_type="text/html")
    with pytest.raises(FetchError):
        await read(source)


async def run(engine: AsyncEngine, source: VAFacilities) -> dict[Outcome, int]:
    """A run as the command line makes it."""
    report = await run_source(engine, source, publish=True, dry_run=False, progress=lambda *_: None)
    return dict(report.counts)


async def test_a_second_run_changes_nothing_and_an_edit_one_record(
    engine: AsyncEngine, sql: asyncpg.Connection, serve: Serve
) -> None:
    first = [facility(n) for n in (1, 2, 3)]
    assert (await run(engine, serve(page(first))))[Outcome.CREATED] == 3
    assert (await run(engine, serve(page(first))))[Outcome.UNCHANGED] == 3
    counts = await run(engine, serve(page([*first[:2], facility(3, operatingStatus={"code": "CLOSED"})])))
    assert (counts[Outcome.UPDATED], counts[Outcome.UNCHANGED]) == (1, 2)
    row = await sql.fetchrow("select slug, name, tier, attribution from sources")
    assert tuple(row) == ("va_facilities", ABOUT.name, 1, ABOUT.publisher)
    assert await sql.fetchval("select connector from connector_runs limit 1") == "va_facilities"


HOSTILE = {
    "an error": http(b'{"errors": []}', "404 Not Found"),
    "a login page": http(b"<html>Sign in</html>", content_type="text/html"),
    "cut off": http(json.dumps(page([facility(3)], 3, 3, 3)).encode()[:-40]),
    "an empty list": http(json.dumps(page([], 3, 3, 3)).encode()),
    "another page": http(json.dumps(page([facility(1)], 1, 3, 3)).encode()),
    "a way inside": http(status="302 Found", location="http://169.254.169.254/v1/facilities"),
    "a way in circles": http(status="302 Found", location="/v1/facilities?page=3"),
    "a bomb": http(gzip.compress(bytes(50_000_000), 1), content_encoding="gzip"),
    "a promise": http(content_length=str(10 * 1024**3)),
    "no JSON": http(b"[" * 100_000),
}


@pytest.mark.parametrize("answer", HOSTILE.values(), ids=HOSTILE.keys())
async def test_a_hostile_last_page_changes_nothing(
    engine: AsyncEngine, sql: asyncpg.Connection, publisher: Publisher, serve: Serve, answer: bytes
) -> None:
    pages = [page([facility(number)], number, 3, 3) for number in (1, 2, 3)]
    assert (await run(engine, serve(*pages)))[Outcome.CREATED] == 3
    before = await sql.fetch("select * from published_resources order by id")
    changed = [page([facility(number, name="Changed")], number, 3, 3) for number in (1, 2)]
    source = serve(*changed)
    good = publisher.scripts["/v1/facilities"]
    assert callable(good)
    publisher.scripts["/v1/facilities"] = lambda asked: answer if asked.query("page") == "3" else good(asked)
    with pytest.raises((SourceError, FetchError)):
        await run(engine, source)
    assert await sql.fetch("select * from published_resources order by id") == before
    assert await sql.fetchval("select state from connector_runs order by created_at desc limit 1") == "failed"
    assert publisher.hits("/v1/facilities") >= 6


def test_what_it_declares_is_what_the_table_of_sources_says() -> None:
    known = known_sources()["va_facilities"]
    assert (ABOUT.slug, ABOUT.name, ABOUT.tier, ABOUT.publisher, ABOUT.licence, ABOUT.url) == (
        known.slug,
        known.name,
        known.tier,
        known.publisher,
        known.licence,
        known.url,
    )


MISPLACED = ("vba_345b", "vba_345e")


def shared_pages() -> list[dict[str, Any]]:
    """The real facilities."""
    return [json.loads(path.read_text()) for path in sorted((SHARED / "va_facilities").glob("page_*.json"))]


@shared
async def test_all_real_facilities_come_through(engine: AsyncEngine, sql: asyncpg.Connection, serve: Serve) -> None:
    pages = shared_pages()
    items = await read(serve(*pages))
    assert len(items) == 2397
    lost = {}
    real = [found for page in pages for found in page["data"]]
    for found, record in zip(real, items, strict=True):
        assert isinstance(record, Record), record
        prepared = prepare(record)
        assert isinstance(prepared, Prepared), prepared
        content = json.loads(prepared.content)
        lost[record.record_id] = missing_fields(found["attributes"], content)
    # two offices in Arizona, which VA puts on the map of California: people would be sent 500 miles astray
    assert {key: names for key, names in lost.items() if names} == {key: ["coordinates"] for key in MISPLACED}
    records = [item for item in items if isinstance(item, Record)]
    without_main = [found for found in real if "main" not in (found["attributes"].get("phone") or {})]
    assert len(without_main) == 18
    assert sum(bool(found["attributes"].get("services")) is False for found in real) == 893
    # five main phones cannot be dialled as published, and Manila has another country's
    assert sum(record.phone is None for record in records) == 18 + 4 + 2
    assert Counter(record.organization for record in records).most_common(1)[0][1] == 1293
    report = await review(engine, serve(*pages))
    assert (report.counts[Outcome.CREATED], report.counts[Outcome.QUARANTINED]) == (2397, 0)
    assert [warning.split(":")[0] for warning in report.warnings] == [*MISPLACED]
    assert await sql.fetchval("select count(*) from published_resources") == 2397
    before = dict(await sql.fetch("select source_record_id, version from resources"))
    assert (await review(engine, serve(*pages))).counts[Outcome.UNCHANGED] == 2397
    assert dict(await sql.fetch("select source_record_id, version from resources")) == before
    edits: list[dict[str, Any]] = [
        {"operatingStatus": {"code": "LIMITED"}},
        {"operatingStatus": {"code": "CLOSED", "additionalInfo": "Closed for a storm."}},
        {"hours": {"monday": "9:00AM-5:00PM"}},
        {"phone": {"main": "614-555-0199"}},
        {"address": {"physical": {"zip": "43215", "city": "Columbus", "state": "OH", "address1": "1 Main St"}}},
    ]
    edited = [pages[number * 4]["data"][number] for number in range(5)]
    for found, changes in zip(edited, edits, strict=True):
        found["attributes"] |= changes
    edited[4]["attributes"] |= {"lat": 39.96, "long": -83.0}
    counts = (await review(engine, serve(*pages))).counts
    assert (counts[Outcome.UPDATED], counts[Outcome.PROPOSED], counts[Outcome.UNCHANGED]) == (3, 2, 2392)
    after = dict(await sql.fetch("select source_record_id, version from resources"))
    changed = {name for name, version in after.items() if version != before[name]}
    # the fourth and the fifth are told in the description too, which is harmless
    assert changed == {found["id"] for found in edited}
    waiting = await sql.fetch(
        "select r.source_record_id, array(select jsonb_object_keys(p.changes) order by 1) from proposals p"
        " join resources r on r.id = p.resource_id where p.state = 'open'"
    )
    assert {row[0]: row[1] for row in waiting} == {edited[3]["id"]: ["phone"], edited[4]["id"]: ["locations"]}


async def review(engine: AsyncEngine, source: VAFacilities) -> RunReport:
    """A run as a worker makes it."""
    return await run_connector(engine, source, dry_run=False, progress=lambda *_: None)


def missing_fields(facts: dict[str, Any], content: dict[str, Any]) -> list[str]:
    """What a facility's page has and its record has not."""
    whole = json.dumps(content, ensure_ascii=False).lower()
    place = (content["locations"] or [{}])[0]
    physical = facts["address"].get("physical") or {}
    services = [s for kind in ("health", "benefits", "other") for s in (facts.get("services") or {}).get(kind) or []]
    phones = (facts.get("phone") or {}).values()
    there = {
        "website": not facts.get("website") or content["website"] is not None,
        "coordinates": (place["latitude"], place["longitude"]) == (facts["lat"], facts["long"]),
        "time zone": place["time_zone"] == facts["timeZone"],
        "hours": bool(content["hours_text"]) is bool(facts.get("hours")),
        "address": all(" ".join(str(part).split()).lower() in whole for part in physical.values() if len(part) > 2)
        or physical.get("zip", "").startswith("48124"),
        "classification": (facts.get("classification") or "").lower() in whole,
        "services": all(" ".join(service["name"].split()).lower() in whole for service in services),
        "instructions": all(
            json.dumps(" ".join(text.split()), ensure_ascii=False)[1:-1].lower() in whole
            for text in facts.get("operationalHoursSpecialInstructions") or []
        ),
        "visn": not facts.get("visn") or f"visn {facts['visn']}" in whole,
        "phones": all(_digits(number)[:9] in _digits(whole) for number in phones if int(_digits(number) or 0) > 99),
        "mobile": not facts.get("mobile") or "mobile-unit" in content["tags"],
    }
    return [name for name, is_there in there.items() if not is_there]


def _digits(text: str) -> str:
    return "".join(character for character in text if character.isdigit()).removeprefix("1")


@shared
async def test_the_real_edge_cases_come_through(engine: AsyncEngine, sql: asyncpg.Connection, serve: Serve) -> None:
    edges = json.loads((SHARED / "va_facilities_edge_cases.json").read_text())
    counts = await run(engine, serve(edges))
    assert (counts[Outcome.CREATED], counts[Outcome.QUARANTINED]) == (11, 1)
    (reason,) = [row[0] for row in await sql.fetch("select reason from quarantined_records")]
    assert "the same source and id as line 10" in reason
    shown = {row["source_record_id"]: row for row in await sql.fetch("select * from resources")}
    assert shown["nca_071"]["summary"] == "Closed: Closed for renovation."
    assert shown["nca_075"]["summary"] == "Limited services and hours."
    assert shown["nca_076"]["phone"] is None
    assert (shown["vc_0101V"]["phone"], shown["vc_0101V"]["phone_extension"]) == ("+18572036461", "12")
    assert shown["vc_0102V"]["hours_text"] is None
    assert shown["vc_0103V"]["website"] == "https://www.va.gov/some%20path"
    assert shown["vba_205V"]["title"] == "Cleveland Maple Heights Vet Center"
