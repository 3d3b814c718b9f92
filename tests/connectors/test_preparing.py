"""From a publisher's record to one that the directory takes."""

import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from vibe4vets.connectors.base import Record, Rejection
from vibe4vets.connectors.known_sources import describe_source, known_sources
from vibe4vets.connectors.service.preparing import Prepared, parse_as_of, prepare

RECORD = Record(
    line=7,
    source="county_vso",
    record_id="oh-1",
    title="Franklin County Veterans Service Commission",
    organization="Franklin County, Ohio",
    scope="local",
    categories=("benefits",),
    content="the line",
)


def prepared(**changes: Any) -> dict[str, Any]:
    """The content of the prepared record."""
    found = prepare(replace(RECORD, **changes))
    assert isinstance(found, Prepared), found
    content: dict[str, Any] = json.loads(found.content)
    return content


def test_contacts_are_normalised() -> None:
    content = prepared(phone="(614) 525-2500 ext. 12", website=" https://vets.example.org ", email="")
    assert (content["phone"], content["phone_extension"]) == ("+16145252500", "12")
    assert content["website"] == "https://vets.example.org"
    assert content["email"] is None


def test_short_codes_stay() -> None:
    assert prepared(phone="988")["phone"] == "988"


def test_hours_become_a_week_only_where_certain() -> None:
    certain = prepared(hours="Mon-Fri 8:00AM-4:30PM; Sat-Sun Closed")
    assert certain["hours_weekly"] == [[["08:00", "16:30"]]] * 5 + [[], []]
    doubtful = prepared(hours="by appointment")
    assert doubtful["hours_text"] == "by appointment"
    assert doubtful["hours_weekly"] is None


def test_places_become_one_location_with_its_certain_time_zone() -> None:
    [place] = prepared(city="Columbus", state="Ohio", postal_code="43215", latitude=39.96, longitude=-83.0)["locations"]
    assert (place["state"], place["time_zone"]) == ("OH", "America/New_York")
    [split] = prepared(city="Knoxville", state="TN")["locations"]
    assert split["time_zone"] is None
    assert prepared()["locations"] == []


@pytest.mark.parametrize(
    ("state", "latitude", "longitude", "is_kept"),
    [
        ("OH", 39.96, -83.0, True),
        ("Ohio", 34.05, -118.24, False),
        ("OH", -39.96, 83.0, False),
        ("AK", 52.9, 172.9, True),
        ("GU", 13.47, 144.75, True),
        ("DC", 38.9, -77.03, True),
        (None, 34.05, -118.24, True),
        (None, 0.0, 0.0, False),
    ],
)
def test_a_point_in_another_state_is_left_out_and_told(
    state: str | None, latitude: float, longitude: float, *, is_kept: bool
) -> None:
    found = prepare(replace(RECORD, city="Town", state=state, latitude=latitude, longitude=longitude))
    assert isinstance(found, Prepared)
    [place] = json.loads(found.content)["locations"]
    assert (place["latitude"], place["longitude"]) == ((latitude, longitude) if is_kept else (None, None))
    assert len(found.oddities) == (not is_kept)
    assert all(oddity.startswith("oh-1: its coordinates are ") for oddity in found.oddities)


@pytest.mark.parametrize(
    ("given", "state", "kept"),
    [
        ("432151834", "OH", "43215-1834"),
        ("43215 1834", "OH", "43215-1834"),
        (" 43215-1834 ", "OH", "43215-1834"),
        ("2108", "MA", "02108"),
    ],
)
def test_zip_codes_are_written_one_way(given: str, state: str, kept: str) -> None:
    assert prepared(postal_code=given, state=state)["locations"][0]["postal_code"] == kept


@pytest.mark.parametrize(
    ("given", "kept"),
    [("www.example.org/help", "https://www.example.org/help"), ("http://example.org", "http://example.org")],
)
def test_an_address_gets_its_scheme(given: str, kept: str) -> None:
    assert prepared(website=given)["website"] == kept


def test_a_time_zone_is_one_that_there_is() -> None:
    assert prepared(state="OH", time_zone="America/Chicago")["locations"][0]["time_zone"] == "America/Chicago"
    found = prepare(replace(RECORD, state="OH", time_zone="Eastern/Ohio"))
    assert isinstance(found, Prepared)
    assert json.loads(found.content)["locations"][0]["time_zone"] == "America/New_York"
    assert found.oddities == ("oh-1: there is no such time zone, and it was left out",)


def test_tags_become_terms_and_repeat_once() -> None:
    assert prepared(tags=("Women's Health", "womens-health", "HUD VASH", "  "))["tags"] == ["womens-health", "hud-vash"]


def test_states_are_codes() -> None:
    assert prepared(states=("Ohio", "pa", "OH"))["states"] == ["OH", "PA"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": "x" * 301}, "title"),
        ({"title": "a\u202eb"}, "title"),
        ({"title": "a\0b"}, "title"),
        ({"organization": " "}, "organization"),
        ({"source": "Not A Slug"}, "source"),
        ({"record_id": ""}, "source_record_id"),
        ({"record_id": "x" * 201}, "source_record_id"),
        ({"categories": ()}, "categories"),
        ({"categories": ("cars",)}, "categories"),
        ({"scope": "galactic"}, "scope"),
        ({"phone": "555"}, "phone"),
        ({"phone": "800-273-8255 press 1"}, "phone"),
        ({"email": "nobody"}, "email"),
        ({"website": "javascript:alert(1)"}, "website"),
        ({"website": "https://user:pw@example.org"}, "website"),
        ({"states": ("Ohiou",)}, "states"),
        ({"state": "ZZ"}, "state"),
        ({"postal_code": "4321"}, "postal_code"),
        ({"postal_code": "4321", "state": "OH"}, "postal_code"),
        ({"postal_code": "021089", "state": "MA"}, "postal_code"),
        ({"website": "www.example.org:99999"}, "website"),
        ({"website": "www.user@example.org"}, "website"),
        ({"latitude": 91.0, "longitude": 0.0}, "latitude"),
        ({"latitude": 39.0}, "locations"),
        ({"as_of": "last spring"}, "as_of"),
        ({"as_of": "2026-02-30"}, "as_of"),
        ({"languages": ("English",)}, "languages"),
        ({"description": "x" * 10_001}, "description"),
        ({"description": "\ud800"}, "description"),
    ],
)
def test_a_broken_rule_is_named_by_its_field_without_the_value(changes: dict[str, Any], field: str) -> None:
    found = prepare(replace(RECORD, **changes))
    assert isinstance(found, Rejection)
    assert field in found.reason
    assert (found.line, found.content) == (7, "the line")
    for value in changes.values():
        if isinstance(value, str) and len(value.strip()) > 3:
            assert value not in found.reason


def test_every_broken_rule_is_told_at_once() -> None:
    found = prepare(replace(RECORD, phone="1", as_of="x", scope="y"))
    assert isinstance(found, Rejection)
    assert all(f"{field}: " in found.reason for field in ("phone", "as_of", "scope"))


def test_the_same_content_has_the_same_hash_wherever_it_stands() -> None:
    first, second = prepare(RECORD), prepare(replace(RECORD, line=9, provenance="elsewhere"))
    changed = prepare(replace(RECORD, title="Another"))
    assert isinstance(first, Prepared)
    assert isinstance(second, Prepared)
    assert isinstance(changed, Prepared)
    assert first.content_hash == second.content_hash != changed.content_hash


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-01-31", date(2026, 1, 31)),
        ("2026-01", date(2026, 1, 1)),
        ("2016", date(2016, 1, 1)),
        ("FY2026", date(2025, 10, 1)),
        (" 2019-05 ", date(2019, 5, 1)),
    ],
)
def test_as_of_is_the_first_day_of_its_period(text: str, day: date) -> None:
    assert parse_as_of(text) == day


@pytest.mark.parametrize("text", ["", "26", "0000", "2026-13", "FY0000", "2026-01-01T00:00", "٢٠٢٦"])
def test_as_of_refuses_what_it_cannot_read(text: str) -> None:
    with pytest.raises(ValueError, match="give a date"):
        parse_as_of(text)


def test_known_sources_are_told_apart_from_strangers() -> None:
    assert describe_source("va_facilities").tier == 1
    stranger = describe_source("somebody_new")
    assert (stranger.name, stranger.tier) == ("somebody_new", 4)
    assert {source.tier for source in known_sources().values()} == {1, 2, 3, 4}
