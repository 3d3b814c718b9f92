"""Distances in SQL: what is near, how far it is, and what lies in a box.

`near` is given by the parameters `near_latitude`, `near_longitude` and `near_state`; a radius also by its
box.
"""

import math
from typing import Any, Final

from sqlalchemy import ARRAY, ColumnElement, Double, Float, Text, bindparam, cast, func, or_, select, union_all
from sqlalchemy.dialects.postgresql import array

from vibe4vets.resources.models import Scope, published, published_locations
from vibe4vets.resources.service.places.place import Place

_EARTH_MILES: Final = 3958.7613
_MILES_PER_DEGREE: Final = math.radians(_EARTH_MILES)
L = published_locations.c


def _given(name: str) -> ColumnElement[float]:
    return bindparam(name, type_=Double)


HERE = func.on_globe(_given("near_latitude"), _given("near_longitude"))
CHORD: ColumnElement[float] = func.on_globe(L.latitude, L.longitude).op("<->", return_type=Float())(HERE)
"""The straight line from a location to `near` through the globe; the index returns locations in its order."""


def miles(chord: ColumnElement[float]) -> ColumnElement[float]:
    """The way over ground that a chord of the unit sphere spans; null for null."""
    return 2 * _EARTH_MILES * func.asin(chord / 2, type_=Float)


def distance_miles(resource_id: ColumnElement[Any]) -> ColumnElement[float]:
    """How far the nearest location of a resource is from `near`; null without coordinates."""
    # by a rounding, the other side of the globe is more than its diameter away
    nearest = (
        select(func.min(func.least(CHORD, 2.0), type_=Float)).where(L.resource_id == resource_id).scalar_subquery()
    )
    return miles(nearest)


def near_parameters(place: Place, radius_miles: float | None) -> dict[str, Any]:
    """What the parameters of `near` stand for, and with a radius of WITHIN_RADIUS."""
    given: dict[str, Any] = {
        "near_latitude": place.latitude, "near_longitude": place.longitude, "near_state": place.state,
    }  # fmt: skip
    if radius_miles is None:
        return given
    angle = radius_miles / _EARTH_MILES
    south, north = (math.degrees(math.radians(place.latitude) + side * angle) for side in (-1, 1))
    west, east = -180.0, 180.0
    if south > -90 and north < 90:  # noqa: PLR2004  else the pole is within, and every longitude
        width = math.degrees(math.asin(min(1.0, math.sin(angle) / math.cos(math.radians(place.latitude)))))
        if place.longitude - width >= -180 and place.longitude + width <= 180:  # noqa: PLR2004  else across the date line
            west, east = place.longitude - width, place.longitude + width
    box = {"radius_south": south, "radius_north": north, "radius_west": west, "radius_east": east}
    return given | box | {"radius": 2 * math.sin(min(angle, math.pi) / 2)}


_WITHIN = select(L.resource_id).where(
    L.latitude.between(_given("radius_south"), _given("radius_north")),
    L.longitude.between(_given("radius_west"), _given("radius_east")),
    _given("radius") >= CHORD,
)
_SERVED = published.alias("served")
_STATEWIDE = select(_SERVED.c.id).where(
    _SERVED.c.scope == Scope.STATE.value,
    _SERVED.c.states.op("&&")(cast(array([bindparam("near_state", type_=Text)]), ARRAY(Text))),
)
_NATIONAL = select(_SERVED.c.id).where(_SERVED.c.scope == Scope.NATIONAL.value)


def within_radius(*, include_national: bool) -> ColumnElement[bool]:
    """Has a location within the radius, or serves the whole state that `near` lies in."""
    national = [_NATIONAL] if include_national else []
    return published.c.id.in_(union_all(_WITHIN, _STATEWIDE, *national))


def box_parameters(bbox: str) -> dict[str, float]:
    """What the parameters of `in_box` stand for; one across the date line has `east_beyond` instead of `east`."""
    west, south, east, north = map(float, bbox.split(","))
    return {"west": west, "south": south, "east" if west <= east else "east_beyond": east, "north": north}


def in_box(*, across_the_date_line: bool) -> ColumnElement[bool]:
    """Has a location in the box."""
    latitude = L.latitude.between(_given("south"), _given("north"))
    between = L.longitude.between(_given("west"), _given("east"))
    outside = or_(L.longitude >= _given("west"), L.longitude <= _given("east_beyond"))
    return published.c.id.in_(select(L.resource_id).where(latitude, outside if across_the_date_line else between))
