"""Areas as numbers: the squares that a place lies in and the states that a program serves.

One index holds them beside categories and tags, so that "legal help near New York" reads what is both, and the
planner knows how common an area is. A square finds candidates; distances decide.
"""

from collections.abc import Iterator
from math import ceil, floor
from typing import Final

from vibe4vets.resources.geography import STATES
from vibe4vets.resources.models import Scope
from vibe4vets.resources.schemas import ResourceRead

NATIONAL: Final = 2_000_000
_STATEWIDE: Final = {code: 1_000_000 + number for number, code in enumerate(sorted(STATES))}
_SCALES: Final = {10.0: 3_000_000, 2.0: 0, 0.2: 500_000}
"""Squares a degree, and where their numbers begin: of 7, 35 and 350 miles."""
_MOST: Final = 500


def areas_of(resource: ResourceRead) -> list[int]:
    """Every number that a search for an area may find the resource by."""
    found = {
        square
        for place in resource.locations
        if place.latitude is not None and place.longitude is not None
        for square in squares_at(place.latitude, place.longitude)
    }
    if resource.scope is Scope.STATE:
        found.update(statewide(state) for state in resource.states)
    if resource.scope is Scope.NATIONAL:
        found.add(NATIONAL)
    return sorted(found)


def statewide(state: str) -> int:
    """The number of the programs that serve a whole state."""
    return _STATEWIDE[state]


def squares_at(latitude: float, longitude: float) -> list[int]:
    """The squares that hold a point: one of each size."""
    return [square for scale in _SCALES for square in _squares(scale, latitude, latitude, longitude, longitude)]


def squares(south: float, north: float, west: float, east: float) -> list[int]:
    """The squares that cover a box which does not cross the date line: the finest of which that takes few."""
    return list(_squares(_scale(south, north, west, east), south, north, west, east))


def squares_within(south: float, north: float, west: float, east: float) -> list[int]:
    """Those of the same squares that lie in the box with all that they hold."""
    scale = _scale(south, north, west, east)
    first_row, last_row = ceil((south + 90) * scale), floor((north + 90) * scale) - 1
    first_column, last_column = ceil((west + 180) * scale), floor((east + 180) * scale) - 1
    return [
        _number(scale, row, column)
        for row in range(first_row, last_row + 1)
        for column in range(first_column, last_column + 1)
    ]


def _scale(south: float, north: float, west: float, east: float) -> float:
    for scale in _SCALES:
        rows = floor((north + 90) * scale) - floor((south + 90) * scale) + 1
        if rows * (floor((east + 180) * scale) - floor((west + 180) * scale) + 1) <= _MOST:
            break
    return scale


def _squares(scale: float, south: float, north: float, west: float, east: float) -> Iterator[int]:
    for row in range(floor((south + 90) * scale), floor((north + 90) * scale) + 1):
        for column in range(floor((west + 180) * scale), floor((east + 180) * scale) + 1):
            yield _number(scale, row, column)


def _number(scale: float, row: int, column: int) -> int:
    return _SCALES[scale] + row * (4_000 if scale == max(_SCALES) else 1_000) + column
