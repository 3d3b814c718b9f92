"""Open at an instant: by the clock on the wall of each location, past midnight, on the days that clocks change."""

from typing import Any

import httpx
import pytest

from tests.resources.conftest import Shelf
from vibe4vets.resources.hours import parse_weekly
from vibe4vets.resources.service.opening import open_week

OFFICE: list[Any] = [*([[["08:00", "16:30"]]] * 5), [], []]
NIGHT: list[Any] = [[], [], [], [], [["22:00", "02:00"]], [["22:00", "02:00"]], [["22:00", "02:00"]]]
ALWAYS: list[Any] = [[["00:00", "24:00"]]] * 7
OHIO = [{"state": "OH", "time_zone": "America/New_York"}]


async def is_open(client: httpx.AsyncClient, instant: str) -> bool:
    answer = await client.get("/api/v1/resources", params={"open_at": instant})
    assert answer.status_code == 200, answer.text
    total = answer.json()["total"]
    assert total in {0, 1}
    return bool(total)


@pytest.mark.parametrize(
    ("weekly", "instant", "expected"),
    [
        (OFFICE, "2026-11-16T13:00:00Z", True), (OFFICE, "2026-11-16T12:59:59Z", False),
        (OFFICE, "2026-11-16T21:29:59Z", True), (OFFICE, "2026-11-16T21:30:00Z", False),
        (OFFICE, "2026-11-16T08:00:00-05:00", True), (OFFICE, "2026-11-21T14:00:00Z", False),
        (NIGHT, "2026-11-21T04:00:00Z", True), (NIGHT, "2026-11-21T06:59:00Z", True),
        (NIGHT, "2026-11-21T07:00:00Z", False), (NIGHT, "2026-11-23T06:30:00Z", True),
        (NIGHT, "2026-11-23T07:00:00Z", False), (NIGHT, "2026-11-20T06:00:00Z", False),
        # summer time begins on 8 March 2026 at 02:00 and ends on 1 November at 02:00
        (OFFICE, "2026-03-06T12:30:00Z", False), (OFFICE, "2026-03-09T12:00:00Z", True),
        (OFFICE, "2026-10-30T12:00:00Z", True), (OFFICE, "2026-11-02T12:00:00Z", False),
        (NIGHT, "2026-03-08T06:59:00Z", True), (NIGHT, "2026-03-08T07:00:00Z", False),
        (NIGHT, "2026-11-01T05:30:00Z", True), (NIGHT, "2026-11-01T06:30:00Z", True),
        (ALWAYS, "2026-03-08T07:00:00Z", True), (ALWAYS, "0001-01-01T00:00:00Z", True),
        (ALWAYS, "9999-12-31T23:59:59Z", True),
    ],
)  # fmt: skip
async def test_open_by_the_clock_on_the_wall(
    client: httpx.AsyncClient, shelf: Shelf, weekly: list[Any], instant: str, *, expected: bool
) -> None:
    await shelf.publish(hours_weekly=weekly, locations=OHIO)
    assert await is_open(client, instant) == expected


@pytest.mark.parametrize(
    ("given", "noon", "morning"),
    [
        ({"hours_weekly": None, "hours_text": "by appointment", "locations": OHIO}, False, False),
        ({"hours_weekly": OFFICE}, False, False),
        ({"hours_weekly": ALWAYS}, True, True),
        ({"hours_weekly": [[]] * 7, "locations": OHIO}, False, False),
        # Florida keeps two times: 8:15 on the coast may be 7:15 in the Panhandle
        ({"hours_weekly": OFFICE, "locations": [{"state": "FL"}]}, True, False),
        ({"hours_weekly": OFFICE, "locations": [{"state": "FL", "time_zone": "America/New_York"}]}, True, True),
        ({"hours_weekly": OFFICE, "locations": [{"city": "Nowhere"}]}, False, False),
        ({"hours_weekly": OFFICE, "locations": [{"state": "OH", "time_zone": "Mars/Olympus"}]}, True, True),
        ({"hours_weekly": OFFICE, "locations": [{"time_zone": "'; drop table"}]}, False, False),
        ({"hours_weekly": [[["08:00", "08:00"]]] * 7, "locations": OHIO}, False, False),
    ],
)  # fmt: skip
async def test_what_is_not_certain_is_left_out(
    client: httpx.AsyncClient, shelf: Shelf, given: dict[str, Any], *, noon: bool, morning: bool
) -> None:
    await shelf.publish(**given)
    assert await is_open(client, "2026-11-16T12:00:00-05:00") == noon
    assert await is_open(client, "2026-11-16T08:15:00-05:00") == morning


async def test_now_is_an_instant_and_search_knows_it_too(client: httpx.AsyncClient, shelf: Shelf) -> None:
    await shelf.publish(hours_weekly=ALWAYS)
    assert await is_open(client, "now")
    for instant, expected in (("now", 1), ("2026-11-16T17:00:00Z", 1)):
        found = await client.get("/api/v1/search", params={"q": "helpers", "open_at": instant})
        assert found.json()["total"] == expected
    for bad in ("later", "Now", "2026-11-16T12:00:00", "1763300000", "", "2026-13-01T00:00:00Z"):
        answer = await client.get("/api/v1/resources", params={"open_at": bad})
        assert answer.status_code == 422, bad
        assert answer.json()["errors"][0]["pointer"] == "/query/open_at"


async def test_a_cursor_holds_while_now_goes_on(client: httpx.AsyncClient, shelf: Shelf) -> None:
    for number in range(3):
        await shelf.publish(str(number), hours_weekly=ALWAYS)
    page = (await client.get("/api/v1/resources?open_at=now&limit=2")).json()
    rest = (await client.get(f"/api/v1/resources?open_at=now&limit=2&cursor={page['next_cursor']}")).json()
    assert len({item["id"] for item in page["items"] + rest["items"]}) == 3


def test_the_minutes_of_a_week() -> None:
    assert open_week(None) is None
    assert open_week([[]] * 7) == "{}"
    assert open_week(NIGHT) == "{[7080,7320),[8520,8760),[9960,10080),[0,120)}"
    assert open_week(parse_weekly("24/7")) == open_week(ALWAYS)
