"""The table of places: filled from files and from the directory's own locations."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from statistics import median
from typing import Any, Final, NamedTuple, TypeAlias

from sqlalchemy import text

from vibe4vets.core.database import Session, copy_rows
from vibe4vets.resources.exceptions import PlacesFileRefused
from vibe4vets.resources.folding import fold
from vibe4vets.resources.service.places.atlas import place_key, zip_areas
from vibe4vets.resources.service.places.files import Spot, read_spots
from vibe4vets.resources.service.places.place import PlaceKind

_MOSTLY: Final = 0.5
_COUNTY_SUFFIX: Final = re.compile(
    r"\s*(\([a-z ]+\)|\b(county|parish|borough|municipality|municipio|census area|planning region))$", re.IGNORECASE
)
_QUIET = text("lock table places in share row exclusive mode")
_FORGET = text("delete from places where kind = any(cast(:kinds as text[])) or origin = 'directory'")
_NOTE = text("insert into place_loads (origin, subject, loaded_at) values (:origin, :subject, now())")
_FORGET_NOTES = text("delete from place_loads where origin = 'directory'")
_OWN = text("""
select l.city, l.county, l.state, left(l.postal_code, 5) as zip_code, avg(l.latitude) as latitude,
  avg(l.longitude) as longitude
from locations l join published_resources p on p.id = l.resource_id
where l.state is not null and (l.latitude is not null or l.city is not null and l.postal_code is not null)
group by 1, 2, 3, 4
""")
_OF_FILES = text("select kind, key, state from places where origin = 'file'")
_OWN_KNOWN = text(
    "select kind, key, state, name, county, latitude, longitude, weight from places where origin = 'directory'"
)

Progress: TypeAlias = Callable[[int], None]


class Row(NamedTuple):
    """A row of `places`, but its origin."""

    kind: str
    key: str
    state: str
    name: str
    county: str | None
    latitude: float
    longitude: float
    weight: int

    @property
    def identity(self) -> tuple[str, str, str]:
        return self.kind, self.key, self.state


async def load_places(session: Session, path: Path, progress: Progress) -> Mapping[str, int]:
    """Replace the places of the kinds that the file holds; return the count of each, and of the lines `skipped`.

    `progress` hears how many lines are read. Raises PlacesFileRefused and changes nothing when most hold no place.
    """
    spots: list[Spot] = []
    lines = 0
    for lines, spot in enumerate(read_spots(path), start=1):
        if spot is not None:
            spots.append(spot)
        progress(lines)
    if len(spots) <= lines * _MOSTLY:
        raise PlacesFileRefused(
            f"Of {lines:,} lines only {len(spots):,} hold a place: a code, a state and coordinates in range. "
            "Check the columns and the country of the file."
        )
    rows = places_of(spots)
    await session.execute(_QUIET)
    await session.execute(_FORGET, {"kinds": sorted({row.kind for row in rows})})
    await _store(session, rows, origin="file")
    await session.execute(_NOTE, {"origin": "file", "subject": path.name[:300]})
    await learn_places(session)
    return Counter(row.kind for row in rows) | {"skipped": lines - len(spots)}


async def learn_places(session: Session) -> None:
    """Know the cities, counties and ZIP codes of published locations too, where no file has brought them."""
    await session.execute(_QUIET)
    spots = [*_spots([dict(row) for row in (await session.execute(_OWN)).mappings()])]
    of_files = {tuple(row) for row in (await session.execute(_OF_FILES)).all()}
    rows = [row for row in places_of(spots) if row.identity not in of_files]
    known = {Row(*row) for row in (await session.execute(_OWN_KNOWN)).all()}
    if known == set(rows):
        return
    await session.execute(_FORGET, {"kinds": []})
    await _store(session, rows, origin="directory")
    await session.execute(_FORGET_NOTES)
    await session.execute(_NOTE, {"origin": "directory", "subject": "published locations"})


def _spots(rows: Collection[Mapping[str, Any]]) -> Iterator[Spot]:
    """The spots of `rows`; a city that no row locates lies somewhere in the area of its ZIP code."""
    located = [row for row in rows if row["latitude"] is not None]
    yield from (Spot(PlaceKind.ZIP, **row) for row in located)
    known = {(row["city"], row["state"]) for row in located}
    for row in rows:
        area = zip_areas().get((row["zip_code"] or "")[:3])
        if area is not None and (row["city"], row["state"]) not in known:
            around = {"latitude": area.latitude, "longitude": area.longitude, "zip_code": None}
            yield Spot(PlaceKind.ZIP, **{**row, **around})


async def _store(session: Session, rows: Iterable[Row], *, origin: str) -> None:
    await copy_rows(session, "places", [*Row._fields, "origin"], [(*row, origin) for row in rows])


def places_of(spots: Collection[Spot]) -> list[Row]:
    """The ZIP codes of `spots`, and the cities and counties that they make up, each once."""
    zips: dict[tuple[str, str], Spot] = {}
    cities, counties = defaultdict(list), defaultdict(list)
    for spot in spots:
        if spot.zip_code:
            zips.setdefault((spot.zip_code, spot.state), spot)
        if key := place_key(fold(spot.city or "").split()):
            cities[key, spot.state].append(spot)
        if key := place_key(fold(county_name(spot.county or "")).split()):
            counties[key, spot.state].append(spot)
    return [
        *(_zip_row(spot) for spot in zips.values()),
        *(_row(PlaceKind.CITY, key, [spot.city or "" for spot in group], group) for key, group in cities.items()),
        *(
            _row(PlaceKind.COUNTY, key, [county_name(spot.county or "") for spot in group], group)
            for key, group in counties.items()
        ),
    ]


def county_name(name: str) -> str:
    """A county without what kind of county it is: "Caddo Parish" and "Bristol (city)" are "Caddo" and "Bristol"."""
    return _COUNTY_SUFFIX.sub("", name).strip()


def _zip_row(spot: Spot) -> Row:
    county = county_name(spot.county) if spot.county else None
    position = round(spot.latitude, 4), round(spot.longitude, 4)
    return Row(PlaceKind.ZIP, spot.zip_code or "", spot.state, spot.city or "", county, *position, 1)


def _row(kind: PlaceKind, key: tuple[str, str], names: list[str], group: list[Spot]) -> Row:
    county = Counter(county_name(spot.county) for spot in group if spot.county).most_common(1)
    return Row(
        kind, *key, Counter(names).most_common(1)[0][0], county[0][0] if county else None,
        # the median stands where most of the place is, whatever a far post office says
        round(median(spot.latitude for spot in group), 4),
        round(median(spot.longitude for spot in group), 4),
        len({spot.zip_code for spot in group if spot.zip_code}) or 1,
    )  # fmt: skip
