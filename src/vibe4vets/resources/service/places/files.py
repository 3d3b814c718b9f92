"""Files of places: the Census gazetteer, GeoNames postal codes, or a CSV; told apart by their first line."""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO, TypeAlias

from vibe4vets.resources.exceptions import PlacesFileRefused
from vibe4vets.resources.geography import STATES, state_code
from vibe4vets.resources.service.places.atlas import zip_areas
from vibe4vets.resources.service.places.place import PlaceKind

CSV_HEADER: Final = frozenset(["zip", "city", "state", "county", "latitude", "longitude"])
_CENSUS: Final = frozenset(["GEOID", "INTPTLAT", "INTPTLONG"])
_GEONAMES_COLUMNS: Final = 12
_MOST_LINES: Final = 1_000_000
_ADVICE: Final = (
    "It should be a Census gazetteer file (2024_Gaz_zcta_national.txt, also its places and counties), GeoNames postal "
    "codes (US.txt out of US.zip), or a CSV whose header has zip,city,state,county,latitude,longitude; in UTF-8."
)
_CENSUS_SUFFIXES: Final = (
    " city and borough", " consolidated government (balance)", " metropolitan government (balance)",
    " metro government (balance)", " unified government (balance)", " city (balance)", " zona urbana", " comunidad",
    " municipality", " borough", " village", " town", " city", " CDP",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Spot:
    """One line of a file: a ZIP code with its city and county, or a city or a county by itself."""

    kind: PlaceKind
    state: str
    latitude: float
    longitude: float
    zip_code: str | None = None
    city: str | None = None
    county: str | None = None


_Reader: TypeAlias = Callable[[Mapping[str, str]], Spot | None]


def read_spots(path: Path) -> Iterator[Spot | None]:
    """Every line of the file, None for one that holds no place of the United States.

    Raises PlacesFileRefused, with advice, when the file is of another kind.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        try:
            first = file.readline(100_000)
            file.seek(0)
            yield from _read(first, file)
        except UnicodeDecodeError as error:
            raise PlacesFileRefused(f"{path.name} is not a text in UTF-8. {_ADVICE}") from error
        except csv.Error as error:
            raise PlacesFileRefused(f"{path.name} cannot be read: {error}. {_ADVICE}") from error


def _read(first: str, file: TextIO) -> Iterator[Spot | None]:
    delimiter = next((mark for mark in "\t|,;" if mark in first), ",")
    names = [name.strip() for name in first.rstrip("\r\n").split(delimiter)]
    # only a CSV quotes; elsewhere a quotation mark is a part of a name
    lines = csv.reader(file, delimiter=delimiter, quoting=csv.QUOTE_MINIMAL if delimiter in ",;" else csv.QUOTE_NONE)
    header, read = _format(names)
    if header is None:
        next(lines)
        header = names
    for number, line in enumerate(lines):
        if number > _MOST_LINES:
            raise PlacesFileRefused(f"The file has more than {_MOST_LINES:,} lines. {_ADVICE}")
        values = dict(zip(header, (value.strip() for value in line), strict=False))
        yield read(values) if len(values) == len(header) else None


_GEONAMES: Final = ("country", "zip", "city", "state name", "state", "county", "", " ", "  ", "latitude", "longitude")


def _format(names: Sequence[str]) -> tuple[list[str] | None, _Reader]:
    """The columns that the first line does not name, and what makes a spot of a line."""
    if {name.lower() for name in names} >= CSV_HEADER:
        return None, _of_csv
    if set(names) >= _CENSUS:
        if "NAME" not in names:
            return None, _of_census_zip
        return None, _of_census_place if "LSAD" in names or "FUNCSTAT" in names else _of_census_county
    if len(names) == _GEONAMES_COLUMNS and names[0] == "US":
        return [*_GEONAMES, "accuracy"], _of_csv
    raise PlacesFileRefused(f"The first line is of no known kind. {_ADVICE}")


def _of_csv(values: Mapping[str, str]) -> Spot | None:
    zip_code, city, state = values["zip"].zfill(5), values["city"], state_code(values["state"])
    if state is None or not _is_zip(zip_code) or not city:
        return None
    return _spot(
        PlaceKind.ZIP, state, values["latitude"], values["longitude"],
        zip_code=zip_code, city=city[:100], county=values["county"][:90] or None,
    )  # fmt: skip


def _of_census_zip(values: Mapping[str, str]) -> Spot | None:
    zip_code = values["GEOID"]
    area = zip_areas().get(zip_code[:3])
    if area is None or not _is_zip(zip_code):
        return None
    return _spot(PlaceKind.ZIP, area.state, values["INTPTLAT"], values["INTPTLONG"], zip_code=zip_code)


def _of_census_place(values: Mapping[str, str]) -> Spot | None:
    name = values["NAME"]
    for suffix in _CENSUS_SUFFIXES:
        name = name.removesuffix(suffix)
    return _of_census(values, PlaceKind.CITY, city=name[:100])


def _of_census_county(values: Mapping[str, str]) -> Spot | None:
    return _of_census(values, PlaceKind.COUNTY, county=values["NAME"][:100])


def _of_census(values: Mapping[str, str], kind: PlaceKind, **names: str) -> Spot | None:
    if values.get("USPS") not in STATES or not all(names.values()):
        return None
    return _spot(kind, values["USPS"], values["INTPTLAT"], values["INTPTLONG"], **names)


def _spot(  # noqa: PLR0913  a line has as many columns
    kind: PlaceKind,
    state: str,
    latitude: str,
    longitude: str,
    *,
    zip_code: str | None = None,
    city: str | None = None,
    county: str | None = None,
) -> Spot | None:
    try:
        position = float(latitude), float(longitude)
    except ValueError:
        return None
    # NaN compares false; 0, 0 is how some lists say that they do not know
    if not (-90 <= position[0] <= 90 and -180 <= position[1] <= 180) or position == (0, 0):  # noqa: PLR2004
        return None
    return Spot(kind, state, *position, zip_code, city, county)


def _is_zip(text: str) -> bool:
    return len(text) == 5 and text.isascii() and text.isdigit()  # noqa: PLR2004
