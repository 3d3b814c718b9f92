"""Areas as numbers: the squares that a place lies in and the states that a program serves.

One index holds them beside categories and tags, so that "legal help near New York" reads what is both, and the
planner knows how common an area is. A square finds candidates; distances decide.
"""

from collections.abc import Iterator
from math import floor
from typing import Final

from vibe4vets.resources.geography import STATES
from vibe4vets.resources.models import Scope
from vibe4vets.resources.schemas import ResourceRead

NATIONAL: Final = 2_000_000
_STATEWIDE: Final = {code: 1_000_000 + number for number, code in enumerate(sorted(STATES))}
_FINE, _COARSE = 2, 0.2
"""Squares a degree: of half a degree (35 miles), and of five degrees for what is far around."""
_MOST_FINE: Final = 500
_COARSE_FROM: Final = 500_000


def areas_of(resource: ResourceRead) -> list[int]:
    """Every number that a search for an area may find the resource by."""
    places = [(place.latitude, place.longitude) for place in resource.locations]
    found = {
        square
        for latitude, longitude in places
        if latitude is not None and longitude is not None
        for square in (*_squares(_FINE, latitude, latitude, longitude, longitude),
                       *_squares(_COARSE, latitude, latitude, longitude, longitude))
    }  # fmt: skip
    if resource.scope is Scope.STATE:
        found.update(statewide(state) for state in resource.states)
    if resource.scope is Scope.NATIONAL:
        found.add(NATIONAL)
    return sorted(found)


def statewide(state: str) -> int:
    """The number of the programs that serve a whole state."""
    return _STATEWIDE[state]


def squares(south: float, north: float, west: float, east: float) -> list[int]:
    """The squares that cover a box which does not cross the date line: fine ones, or coarse where those are many."""
    size = (floor(north * _FINE) - floor(south * _FINE) + 1) * (floor(east * _FINE) - floor(west * _FINE) + 1)
    return list(_squares(_FINE if size <= _MOST_FINE else _COARSE, south, north, west, east))


def _squares(scale: float, south: float, north: float, west: float, east: float) -> Iterator[int]:
    first = 0 if scale == _FINE else _COARSE_FROM
    for row in range(floor((south + 90) * scale), floor((north + 90) * scale) + 1):
        for column in range(floor((west + 180) * scale), floor((east + 180) * scale) + 1):
            yield first + row * 1_000 + column
