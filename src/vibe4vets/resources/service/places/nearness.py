"""Distances in SQL: what is near, how far it is, and what lies in a box.

`near` is given by the parameters `near_latitude` and `near_longitude`; a radius also by its box, and by the areas that
have candidates.
"""

import math
from typing import Any, Final

from sqlalchemy import ARRAY, ColumnElement, Double, Float, FromClause, Integer, and_, bindparam, func, or_, select

from vibe4vets.resources.models import published, published_locations
from vibe4vets.resources.service.places.areas import NATIONAL, squares, squares_within, statewide
from vibe4vets.resources.service.places.place import Place

_EARTH_MILES: Final = 3958.7613
_MILES_PER_DEGREE: Final = math.radians(_EARTH_MILES)
_PLACE = published_locations.alias("place")
P, L = published.c, _PLACE.c
_NUMBERS: Final = ARRAY(Integer)


def _areas(name: str) -> ColumnElement[Any]:
    return bindparam(name, type_=_NUMBERS)


def _given(name: str) -> ColumnElement[float]:
    return bindparam(name, type_=Double)


HERE = func.on_globe(_given("near_latitude"), _given("near_longitude"))


def chord(locations: FromClause) -> ColumnElement[float]:
    """The straight line through the globe from a location to `near`; the index returns locations in its order."""
    return func.on_globe(locations.c.latitude, locations.c.longitude).op("<->", return_type=Float())(HERE)


def miles(chord: ColumnElement[float]) -> ColumnElement[float]:
    """The way over ground that a chord of the unit sphere spans; null for null."""
    return 2 * _EARTH_MILES * func.asin(chord / 2, type_=Float)


def distance_miles(resource_id: ColumnElement[Any]) -> ColumnElement[float]:
    """How far the nearest location of a resource is from `near`; null without coordinates."""
    # by a rounding, the other side of the globe is more than its diameter away
    shortest = func.min(func.least(chord(published_locations), 2.0), type_=Float)
    nearest = select(shortest).where(published_locations.c.resource_id == resource_id).scalar_subquery()
    return miles(nearest)


def near_parameters(place: Place, radius_miles: float | None) -> dict[str, Any]:
    """What the parameters of `near` stand for, and with a radius of WITHIN_RADIUS."""
    given: dict[str, Any] = {"near_latitude": place.latitude, "near_longitude": place.longitude}
    if radius_miles is None:
        return given
    given["near_serving"] = [statewide(place.state)] if place.state else []
    angle = radius_miles / _EARTH_MILES
    south, north = (math.degrees(math.radians(place.latitude) + side * angle) for side in (-1, 1))
    west, east = -180.0, 180.0
    if south > -90 and north < 90:  # noqa: PLR2004  else the pole is within, and every longitude
        width = math.degrees(math.asin(min(1.0, math.sin(angle) / math.cos(math.radians(place.latitude)))))
        if place.longitude - width >= -180 and place.longitude + width <= 180:  # noqa: PLR2004  else across the date line
            west, east = place.longitude - width, place.longitude + width
    given["near_squares"] = squares(max(south, -90.0), min(north, 90.0), west, east)
    box = {"radius_south": south, "radius_north": north, "radius_west": west, "radius_east": east}
    return given | box | {"radius": 2 * math.sin(min(angle, math.pi) / 2)}


_WITHIN = (
    select(L.position)
    .where(
        L.resource_id == P.id,
        L.latitude.between(_given("radius_south"), _given("radius_north")),
        L.longitude.between(_given("radius_west"), _given("radius_east")),
        chord(_PLACE) <= _given("radius"),
    )
    .exists()
)


def within_radius(*, include_national: bool) -> ColumnElement[bool]:
    """Has a location within the radius, or serves the whole state that `near` lies in."""
    serving = _areas("near_serving")
    if include_national:
        serving = func.array_append(serving, NATIONAL, type_=_NUMBERS)
    around = func.array_cat(serving, _areas("near_squares"), type_=_NUMBERS)
    return and_(P.areas.op("&&")(around), or_(P.areas.op("&&")(serving), _WITHIN))


def box_parameters(bbox: str) -> dict[str, Any]:
    """What the parameters of `in_box` stand for; one across the date line has `east_beyond` instead of `east`."""
    west, south, east, north = map(float, bbox.split(","))
    sides = [(west, east)] if west <= east else [(west, 180.0), (-180.0, east)]
    return {
        "west": west, "south": south, "east" if west <= east else "east_beyond": east, "north": north,
        "box_squares": [square for side in sides for square in squares(south, north, *side)],
        "box_within": [square for side in sides for square in squares_within(south, north, *side)],
    }  # fmt: skip


def in_box(*, across_the_date_line: bool) -> ColumnElement[bool]:
    """Has a location in the box."""
    latitude = L.latitude.between(_given("south"), _given("north"))
    between = L.longitude.between(_given("west"), _given("east"))
    outside = or_(L.longitude >= _given("west"), L.longitude <= _given("east_beyond"))
    inside = select(L.position).where(L.resource_id == P.id, latitude, outside if across_the_date_line else between)
    certain = P.areas.op("&&")(_areas("box_within"))  # a dense city would be looked at place by place
    return and_(P.areas.op("&&")(_areas("box_squares")), or_(certain, inside.exists()))
