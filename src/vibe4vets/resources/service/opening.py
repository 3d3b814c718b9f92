"""When a published resource is open: its certain hours as minutes of the week, by the clocks of its locations.

Unknown is not closed: what has no certain hours, or an uncertain clock that matters, is left out of `open_at`.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import ARRAY, ColumnElement, Integer, and_, bindparam, func, not_, select

from vibe4vets.resources.geography import POSSIBLE_ZONES, TIME_ZONES
from vibe4vets.resources.models import published
from vibe4vets.resources.schemas import ResourceRead

_DAY: Final = 24 * 60
_WEEK: Final = 7 * _DAY
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


def open_hours(weekly: Sequence[Sequence[tuple[str, str]]] | None) -> list[int]:
    """The hours of the week, from Monday's first as 0, in which it is open at some minute: what an index can hold."""
    ranges = _minutes(weekly or ())
    return sorted({minute // 60 for start, end in ranges for minute in range(start - start % 60, end, 60)})


def hours_around(instant: datetime) -> list[int]:
    """The hour of the week at `instant` by every clock of the country, and UTC."""
    times = [_local(instant, zone) for zone in (*TIME_ZONES, "UTC")]
    return sorted({time.weekday() * 24 + time.hour for time in times})


def _local(instant: datetime, zone: str) -> datetime:
    try:
        return instant.astimezone(ZoneInfo(zone))
    except OverflowError:  # the first and the last day that a calendar has
        return instant


def open_at(instant: ColumnElement[datetime]) -> ColumnElement[bool]:
    """Known to be open at `instant`, by every clock that its locations may have, or round the clock."""
    zone = func.unnest(P.time_zones).column_valued("zone")
    minute = func.minute_of_week(instant, zone, type_=Integer)
    shut = select(zone).where(not_(P.open_week.op("@>")(minute))).exists()
    return and_(
        P.open_hours.op("&&")(bindparam("open_hours", type_=ARRAY(Integer))),
        P.open_week.is_not(None),
        func.cardinality(P.time_zones) > 0,
        not_(shut),
    )
