"""When a published resource is open: its certain hours as minutes of the week, by the clocks of its locations.

Unknown is not closed: what has no certain hours, or an uncertain clock that matters, is left out of `open_at`.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import ARRAY, ColumnElement, Integer, all_, and_, bindparam, func, literal, or_

from vibe4vets.resources.geography import POSSIBLE_ZONES, TIME_ZONES
from vibe4vets.resources.models import published
from vibe4vets.resources.schemas import ResourceRead

_DAY: Final = 24 * 60
_WEEK: Final = 7 * _DAY
_CLOCKS: Final = (*sorted(TIME_ZONES), "UTC")
"""In an order that the index of published hours rests on: `DOCUMENT_VERSION` grows with it."""
P = published.c


def open_week(weekly: Sequence[Sequence[tuple[str, str]]] | None) -> str | None:
    """The minutes from Monday's midnight in which it is open, as a multirange; None when nobody knows.

    An end before its start is in the next day; Sunday's night runs into Monday.
    """
    if weekly is None:
        return None
    return "{" + ",".join(f"[{start},{end})" for start, end in _minutes(weekly)) + "}"


def _minutes(weekly: Sequence[Sequence[tuple[str, str]]]) -> list[tuple[int, int]]:
    """From which minute of the week to which it is open."""
    ranges = []
    for day, intervals in enumerate(weekly):
        for opens, closes in intervals:
            start, end = _minute(opens), _minute(closes)
            end += _DAY * (end < start)
            start, end = start + day * _DAY, end + day * _DAY
            ranges += [(start, min(end, _WEEK)), (0, max(end - _WEEK, 0))]
    return [(start, end) for start, end in ranges if start < end]


def _is_always(weekly: Sequence[Sequence[tuple[str, str]]] | None) -> bool:
    return weekly is not None and all(("00:00", "24:00") in map(tuple, day) for day in weekly)


def possible_zones(resource: ResourceRead) -> list[str]:
    """Every clock that its hours may go by; none when that is anybody's guess. Round the clock, any will do."""
    if _is_always(resource.hours.weekly):
        return ["UTC"]
    zones: set[str] = set()
    for place in resource.locations:
        known = [place.time_zone] if place.time_zone in TIME_ZONES else POSSIBLE_ZONES.get(place.state or "", [])
        if not known:
            return []
        zones.update(known)
    return sorted(zones)


def _minute(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)


def open_hours(weekly: Sequence[Sequence[tuple[str, str]]] | None, zones: Sequence[str]) -> list[int]:
    """The hours of the week in which it is open at some minute, by each of its clocks: what an index can hold."""
    ranges = _minutes(weekly or ())
    hours = {minute // 60 for start, end in ranges for minute in range(start - start % 60, end, 60)}
    return sorted(_hour(zone, hour) for zone in zones for hour in hours)


def _hour(zone: str, hour: int) -> int:
    """An hour of the week, from Monday's first as 0, by one clock."""
    return _CLOCKS.index(zone) * 7 * 24 + hour


def clocks_at(instant: datetime) -> dict[str, Any]:
    """What the parameters of `open_at` stand for: the hour and the minute of the week by every clock there is."""
    times = {zone: _local(instant, zone) for zone in _CLOCKS}
    minutes = {_named(zone): time.weekday() * _DAY + time.hour * 60 + time.minute for zone, time in times.items()}
    return {"open_hours": [_hour(zone, minutes[_named(zone)] // 60) for zone in _CLOCKS], **minutes}


def _named(zone: str) -> str:
    return f"open_minute_{_CLOCKS.index(zone)}"


def _local(instant: datetime, zone: str) -> datetime:
    try:
        return instant.astimezone(ZoneInfo(zone))
    except OverflowError:  # the first and the last day that a calendar has
        return instant


def open_at() -> ColumnElement[bool]:
    """Known to be open, by every clock that its locations may have, or round the clock.

    Written out clock by clock: to convert the instant for each resource took most of the time, at night seconds.
    """
    by_each_clock = (
        or_(literal(zone) != all_(P.time_zones), P.open_week.op("@>")(bindparam(_named(zone), type_=Integer)))
        for zone in _CLOCKS
    )
    return and_(
        P.open_hours.op("&&")(bindparam("open_hours", type_=ARRAY(Integer))),
        P.open_week.is_not(None),
        func.cardinality(P.time_zones) > 0,
        *by_each_clock,
    )
