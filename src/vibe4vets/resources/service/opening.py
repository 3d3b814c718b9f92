"""When a published resource is open: its certain hours as minutes of the week, by the clocks of its locations.

Unknown is not closed: what has no certain hours, or an uncertain clock that matters, is left out of `open_at`.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Integer, and_, func, not_, select

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
    ranges = []
    for day, intervals in enumerate(weekly):
        for opens, closes in intervals:
            start, end = _minute(opens), _minute(closes)
            end += _DAY * (end < start)
            start, end = start + day * _DAY, end + day * _DAY
            ranges += [(start, min(end, _WEEK)), (0, max(end - _WEEK, 0))]
    return "{" + ",".join(f"[{start},{end})" for start, end in ranges if start < end) + "}"


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


def open_at(instant: ColumnElement[datetime]) -> ColumnElement[bool]:
    """Known to be open at `instant`, by every clock that its locations may have, or round the clock."""
    zone = func.unnest(P.time_zones).column_valued("zone")
    minute = func.minute_of_week(instant, zone, type_=Integer)
    shut = select(zone).where(not_(P.open_week.op("@>")(minute))).exists()
    return and_(P.open_week.is_not(None), func.cardinality(P.time_zones) > 0, not_(shut))
