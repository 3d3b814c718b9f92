"""A place, and how a text was read as one."""

from dataclasses import dataclass
from enum import StrEnum


class PlaceKind(StrEnum):
    ZIP = "zip"
    CITY = "city"
    COUNTY = "county"
    STATE = "state"
    POINT = "point"


@dataclass(frozen=True, slots=True)
class Place:
    """A place with its middle. A ZIP code has its city and county, a city its county, a point only coordinates."""

    kind: PlaceKind
    name: str
    """For people: "Columbus, OH", "Columbus, OH 43215", "Franklin County, OH", "Ohio"."""
    latitude: float
    longitude: float
    state: str | None = None
    """The two-letter code."""
    city: str | None = None
    county: str | None = None
    """Without the word County: "Franklin"."""
    postal_code: str | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """Some words of a text, read as a place: `fold(text).split()[start:end]`."""

    place: Place
    start: int
    end: int
    confidence: float
    """1 sure, 0.8 likely (its words are no longer a subject), 0.7 and 0.5 perhaps (they may be)."""
    others: tuple[Place, ...] = ()
    """What else the same words could mean, the largest first."""
