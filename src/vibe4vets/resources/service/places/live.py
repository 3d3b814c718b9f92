"""The gazetteer of this process: read from the table of places, anew after each change of it."""

import asyncio
import sys
from array import array
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import func, select

from vibe4vets.core.database import Session, Statement
from vibe4vets.core.models import utc_now
from vibe4vets.resources.models import known_places, place_loads
from vibe4vets.resources.service.places.atlas import Columns
from vibe4vets.resources.service.places.gazetteer import Gazetteer
from vibe4vets.resources.service.places.place import PlaceKind

_WHOLE_COUNTRY: Final = 30_000
"""So many ZIP codes are those of the country, and not of a state; there are 41,000."""
_PLACE = known_places.c
_COLUMNS: Final = (
    _PLACE.key, _PLACE.name, _PLACE.state, _PLACE.county, _PLACE.latitude, _PLACE.longitude, _PLACE.weight,
)  # fmt: skip
_VERSION = Statement(select(func.coalesce(func.max(place_loads.c.id), 0).label("version")))
_IN_ORDER = (
    select(_PLACE.kind, *_COLUMNS).order_by(_PLACE.kind, _PLACE.key, _PLACE.weight.desc(), _PLACE.state).subquery()
)
_PLACES = Statement(
    select(_IN_ORDER.c.kind, *(func.array_agg(_IN_ORDER.c[column.name]) for column in _COLUMNS)).group_by(
        _IN_ORDER.c.kind
    )
)


class LivePlaces:
    """Keeps one gazetteer, and asks every few seconds whether there is a newer one."""

    def __init__(self, *, check_every: timedelta = timedelta(seconds=5)) -> None:
        self._check_every = check_every
        self._gazetteer: Gazetteer | None = None
        self._version = -1
        self._next_check: datetime | None = None
        self._reading = asyncio.Lock()

    async def current(self, session: Session) -> Gazetteer:
        """The gazetteer; at most one request at a time waits for a newer one, the others use what there is."""
        if self._gazetteer is not None and (self._reading.locked() or not self._is_due()):
            return self._gazetteer
        async with self._reading:
            if self._gazetteer is None or self._is_due():
                return await self._read(session)
            return self._gazetteer

    def _is_due(self) -> bool:
        return self._next_check is None or utc_now() >= self._next_check

    async def _read(self, session: Session) -> Gazetteer:
        (newest,) = await session.rows(_VERSION, {})
        gazetteer = self._gazetteer
        if gazetteer is None or newest.version != self._version:
            rows = await session.rows(_PLACES, {})
            # the other requests go on meanwhile
            gazetteer = await asyncio.to_thread(_gazetteer, [tuple(row) for row in rows])
        self._gazetteer, self._version = gazetteer, newest.version
        self._next_check = utc_now() + self._check_every
        return gazetteer


def _gazetteer(rows: list[tuple[Any, ...]]) -> Gazetteer:
    columns = {kind: _packed(*values) for kind, *values in rows}
    kinds = PlaceKind.ZIP, PlaceKind.CITY, PlaceKind.COUNTY
    zips, cities, counties = (columns.get(kind, Columns()) for kind in kinds)
    return Gazetteer(zips, cities, counties, complete=len(zips.keys) >= _WHOLE_COUNTRY)


def _packed(  # noqa: PLR0913, PLR0917  the columns of the statement above
    keys: list[str],
    names: list[str],
    states: list[str],
    counties: list[str | None],
    latitudes: list[float],
    longitudes: list[float],
    weights: list[int],
) -> Columns:
    """The columns in half of the memory: each text once, numbers as C has them."""
    return Columns(
        keys,
        [sys.intern(name) for name in names],
        [sys.intern(state) for state in states],
        [county and sys.intern(county) for county in counties],
        array("d", latitudes),
        array("d", longitudes),
        array("i", weights),
    )
