"""Every place that the service knows, in columns: 75,000 places in few objects, so that no collection walks them.

Within one kind the places stand sorted by key, and within one key the largest first.
"""

from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from heapq import nlargest
from importlib.resources import files
from itertools import groupby
from math import cos, floor, radians
from typing import Final

from vibe4vets.resources.folding import fold
from vibe4vets.resources.geography import STATES
from vibe4vets.resources.service.places.place import Place, PlaceKind

MOST_WORDS: Final = 5
_FAR_DEGREES: Final = 3
_ONE_SPELLING: Final = {"saint": "st", "sainte": "ste", "fort": "ft", "mount": "mt"}
# What people call places, by the key of the name.
_SAID_FOR: Final = {
    "abq": "albuquerque", "atl": "atlanta", "cincy": "cincinnati", "cinci": "cincinnati", "indy": "indianapolis",
    "jax": "jacksonville", "nola": "new orleans", "nyc": "new york", "new york city": "new york",
    "okc": "oklahoma city", "philly": "philadelphia", "san fran": "san francisco", "sf": "san francisco",
    "slc": "salt lake city", "st pete": "st petersburg", "va beach": "virginia beach", "vegas": "las vegas",
    "la": "los angeles", "pg": "prince georges", "dfw": "dallas", "oc": "orange", "kcmo": "kansas city",
}  # fmt: skip
_CALLED_COUNTY_ONLY: Final = frozenset(["la", "pg", "oc"])
_NAMED_IN_FULL: Final = ("county", "parish", "borough", "municipality", "census area", "district", "island")
_FAR: Final = {"AS": (-14.3, -170.7), "MP": (15.2, 145.7)}  # they share the areas of Hawaii and Guam
_OTHER_NAMES: Final = {"d c": "DC", "virgin islands": "VI", "us virgin islands": "VI"}
_STATES: Final = {fold(name): code for code, name in STATES.items()} | _OTHER_NAMES


def place_key(words: Sequence[str]) -> str:
    """The key of folded words: "fort worth" and "ft worth" have the same."""
    return " ".join(_ONE_SPELLING.get(word, word) for word in words)


def state_named(words: Sequence[str]) -> str | None:
    """The code of the state whose whole name these folded words are."""
    return _STATES.get(" ".join(words))


@dataclass(frozen=True, slots=True)
class Columns:
    """Places of one kind, a column each, all of one length. A weight counts the ZIP codes of a place."""

    keys: Sequence[str] = ()
    names: Sequence[str] = ()
    """Of the city or county; of a ZIP code that of its city, empty where the file did not tell."""
    states: Sequence[str] = ()
    counties: Sequence[str | None] = ()
    latitudes: Sequence[float] = ()
    longitudes: Sequence[float] = ()
    weights: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Candidate:
    """One of the places that share a name; `share` is its part of all their ZIP codes."""

    place: Place
    weight: int
    share: float


class Atlas:
    """The places in memory. Look-ups take folded words, and return the largest place first."""

    def __init__(self, zips: Columns, cities: Columns, counties: Columns, *, complete: bool) -> None:
        self._zips = zips
        self._named = {PlaceKind.CITY: cities, PlaceKind.COUNTY: counties}
        self._ranges = {kind: _ranges(columns.keys) for kind, columns in self._named.items()}
        self._cells = _cells(zips)
        self.complete = complete
        """Whether the ZIP codes of the whole country were loaded: five other digits are then no ZIP code."""

    @cached_property
    def words(self) -> frozenset[str]:
        """The words of all names of cities, counties and states."""
        keys = (key for ranges in self._ranges.values() for key in ranges)
        return frozenset(word for key in (*keys, *_STATES, *_ONE_SPELLING) for word in key.split())

    def zip_code(self, digits: str) -> Place | None:
        """The ZIP code of five digits; where it is not known, the middle of its area of three digits."""
        at = self._listed(digits)
        if at is None:
            area = zip_areas().get(digits[:3])
            if area is None:
                return None
            return Place(PlaceKind.ZIP, digits, area.latitude, area.longitude, area.state, postal_code=digits)
        zips = self._zips
        city, state, county = zips.names[at], zips.states[at], zips.counties[at]
        middle = zips.latitudes[at], zips.longitudes[at]
        name = f"{city}, {state} {digits}" if city else digits
        return Place(PlaceKind.ZIP, name, *middle, state, city or None, county, digits)

    def knows_zip(self, digits: str) -> bool:
        """Whether five digits amid other words are a ZIP code, and not some other number."""
        return self._listed(digits) is not None or (not self.complete and digits[:3] in zip_areas())

    def _listed(self, digits: str) -> int | None:
        keys = self._zips.keys
        at = bisect_left(keys, digits)
        return at if at < len(keys) and keys[at] == digits else None

    def cities(self, words: Sequence[str], state: str | None = None) -> list[Candidate]:
        """The cities of this name, in one state or in all."""
        key = place_key(words)
        return self._candidates(PlaceKind.CITY, key if key in _CALLED_COUNTY_ONLY else _SAID_FOR.get(key, key), state)

    def counties(self, words: Sequence[str], state: str | None = None) -> list[Candidate]:
        """The counties of this name, which lacks the word County, in one state or in all."""
        key = place_key(words)
        return self._candidates(PlaceKind.COUNTY, _SAID_FOR.get(key, key), state)

    def beginning(self, words: Sequence[str], most: int) -> list[Place]:
        """The states whose name begins with these words, then the largest such cities."""
        start, cities = " ".join(words), self._named[PlaceKind.CITY]
        states = [state_place(code) for name, code in _STATES.items() if name.startswith(start)]
        key = place_key(words)
        at = range(bisect_left(cities.keys, key), bisect_left(cities.keys, f"{key}~"))
        largest = nlargest(most, at, key=lambda number: (cities.weights[number], -number))
        return [*states, *(_place(PlaceKind.CITY, cities, number) for number in largest)][:most]

    def _candidates(self, kind: PlaceKind, key: str, state: str | None) -> list[Candidate]:
        at = self._ranges[kind].get(key, range(0))
        columns = self._named[kind]
        total = sum(columns.weights[number] for number in at)
        return [
            Candidate(_place(kind, columns, number), columns.weights[number], columns.weights[number] / total)
            for number in at
            if state is None or columns.states[number] == state
        ]

    def state_around(self, latitude: float, longitude: float) -> str | None:
        """The state of the nearest ZIP code, None far from any."""
        cell = floor(latitude), floor(longitude)
        near = [at for row in (-1, 0, 1) for column in (-1, 0, 1) for at in self._at(cell[0] + row, cell[1] + column)]
        narrow = cos(radians(latitude)) ** 2
        known = [
            ((self._zips.latitudes[at] - latitude) ** 2 + narrow * (self._zips.longitudes[at] - longitude) ** 2, at)
            for at in near
        ]
        if known:
            return self._zips.states[min(known)[1]]
        areas = [
            ((area.latitude - latitude) ** 2 + narrow * (area.longitude - longitude) ** 2, area.state)
            for area in zip_areas().values()
        ]
        distance, state = min(areas)
        return state if distance <= _FAR_DEGREES**2 else None

    def _at(self, row: int, column: int) -> Sequence[int]:
        return self._cells.get(row * 1000 + column, ())


def _cells(columns: Columns) -> dict[int, Sequence[int]]:
    """The numbers of the places in each square degree."""
    cells: defaultdict[int, array[int]] = defaultdict(lambda: array("i"))
    for at, (latitude, longitude) in enumerate(zip(columns.latitudes, columns.longitudes, strict=True)):
        cells[floor(latitude) * 1000 + floor(longitude)].append(at)
    return dict(cells)


def _ranges(keys: Sequence[str]) -> dict[str, range]:
    """Where each key stands in the sorted `keys`."""
    found = {}
    for key, group in groupby(range(len(keys)), key=keys.__getitem__):
        first, *rest = group
        found[key] = range(first, first + 1 + len(rest))
    return found


def _place(kind: PlaceKind, columns: Columns, at: int) -> Place:
    name, state, county = columns.names[at], columns.states[at], columns.counties[at]
    middle = columns.latitudes[at], columns.longitudes[at]
    if kind is PlaceKind.COUNTY:
        return Place(kind, f"{_county_name(name, state)}, {state}", *middle, state, county=name)
    return Place(kind, f"{name}, {state}", *middle, state, name, county)


def _county_name(name: str, state: str) -> str:
    if name.casefold().endswith(_NAMED_IN_FULL):
        return name
    return f"{name} {'Parish' if state == 'LA' else 'County'}"


@dataclass(frozen=True, slots=True)
class Area:
    """The ZIP codes that share their first three digits."""

    state: str
    latitude: float
    longitude: float


@cache
def zip_areas() -> dict[str, Area]:
    """The areas of three digits, which ship with the project: enough to sort by distance before `places load`."""
    text = (files("vibe4vets.resources.service.places") / "zip_areas.tsv").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in text.splitlines() if not line.startswith("#"))
    return {digits: Area(state, float(latitude), float(longitude)) for digits, state, latitude, longitude in rows}


@cache
def state_place(code: str) -> Place:
    """A state, with the mean of its areas for its middle."""
    middles = [(area.latitude, area.longitude) for area in zip_areas().values() if area.state == code] or [_FAR[code]]
    latitude, longitude = (round(sum(column) / len(middles), 1) for column in zip(*middles, strict=True))
    return Place(PlaceKind.STATE, STATES[code], latitude, longitude, code)
