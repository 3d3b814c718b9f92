from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from vibe4vets.resources.geography import STATES, state_code, time_zone

TERRITORIES = {"AS", "GU", "MP", "PR", "VI"}
DIVIDED = {"AK", "AZ", "FL", "ID", "IN", "KS", "KY", "MI", "ND", "NE", "NV", "OR", "SD", "TN", "TX"}


def test_fifty_states_the_district_and_five_territories_in_order() -> None:
    assert len(STATES) == 56
    assert TERRITORIES | {"DC"} < STATES.keys()
    assert list(STATES) == sorted(STATES)
    assert len(set(STATES.values())) == 56


def test_every_code_and_name_is_found_in_any_case() -> None:
    for code, name in STATES.items():
        for text in (code, code.lower(), name, name.lower(), name.upper(), f"  {name} "):
            assert state_code(text) == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Virgin Islands", "VI"),
        ("US Virgin Islands", "VI"),
        ("D.C.", "DC"),
        ("Washington, DC", "DC"),
        ("Washington D.C.", "DC"),
        ("Washington", "WA"),
        ("West  Virginia", "WV"),
        ("Virginia", "VA"),
        ("Kansas", "KS"),
        ("Arkansas", "AR"),
    ],
)
def test_neighbouring_names_are_told_apart(text: str, code: str) -> None:
    assert state_code(text) == code


@pytest.mark.parametrize(
    "text", ["", " ", "XX", "Wash", "Ohio State", "Columbus, OH", "Carolina", "N. Carolina", "O", "OHI", "US"]
)
def test_names_are_never_cut(text: str) -> None:
    assert state_code(text) is None


def test_a_state_has_a_zone_unless_it_is_divided() -> None:
    assert {state for state in STATES if time_zone(state) is None} == DIVIDED
    assert time_zone("XX") is None


@pytest.mark.parametrize(
    ("state", "winter", "summer"),
    [
        ("OH", -5, -4),
        ("DC", -5, -4),
        ("IL", -6, -5),
        ("NM", -7, -6),
        ("WA", -8, -7),
        ("HI", -10, -10),
        ("AS", -11, -11),
        ("PR", -4, -4),
        ("VI", -4, -4),
        ("GU", 10, 10),
        ("MP", 10, 10),
    ],
)
def test_zones_keep_the_hours_of_their_states(state: str, winter: int, summer: int) -> None:
    zone = time_zone(state)
    assert zone is not None
    offsets = [datetime(2026, month, 15, tzinfo=UTC).astimezone(ZoneInfo(zone)).utcoffset() for month in (1, 7)]
    assert [offset.total_seconds() / 3600 for offset in offsets if offset is not None] == [winter, summer]


def test_every_zone_is_in_the_database() -> None:
    for state in STATES.keys() - DIVIDED:
        zone = time_zone(state)
        assert zone is not None
        assert ZoneInfo(zone).key == zone
