"""How published documents are written into files: a table for people, lines for programs, points for maps."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

Json = Mapping[str, Any]

_FORMULA: Final = tuple("=+-@\t\r\n\0＝＋－＠")  # noqa: RUF001  full-width forms, which some spreadsheets take for these
"""What a spreadsheet may run begins with one of these."""
_OWN: Final = (
    "title", "summary", "description", "eligibility", "how_to_apply", "categories", "tags", "scope", "states", "phone",
    "phone_extension", "email", "website", "languages", "cost",
)  # fmt: skip
_PLACE: Final = ("name", "street", "city", "county", "state", "postal_code", "latitude", "longitude", "time_zone")
_SOURCE: Final = ("name", "tier", "record_id", "url", "licence", "attribution")


@dataclass(frozen=True, slots=True)
class ExportFormat:
    """A kind of file: how documents are written, and what stands before, between and after them."""

    extension: str
    media_type: str
    write: Callable[[Sequence[str]], str]
    opening: str = ""
    separator: str = ""
    closing: str = ""


def _facts(resource: Json, place: Json) -> dict[str, Any]:
    """A resource and one of its places as a flat row: the columns of the table, the properties on the map."""
    organization, source, trust = resource["organization"], resource["source"], resource["trust"]
    return {
        "id": resource["id"],
        "version": resource["version"],
        "organization_id": organization["id"],
        "organization": organization["name"],
        "organization_website": organization["website"],
        **{name: resource[name] for name in _OWN},
        "hours": resource["hours"]["text"],
        "location_count": len(resource["locations"]),
        **{f"location_{name}": place.get(name) for name in _PLACE},
        "source": source["slug"],
        **{f"source_{name}": source[name] for name in _SOURCE},
        "trust_score": trust["score"],
        "verified_at": trust["verified_at"],
        "status": resource["status"],
        "created_at": resource["created_at"],
        "updated_at": resource["updated_at"],
    }


_NOTHING: Final[dict[str, Any]] = dict.fromkeys((*_OWN, "id", "version", "status", "created_at", "updated_at"))
_COLUMNS: Final = tuple(
    _facts(
        {
            **_NOTHING,
            "organization": dict.fromkeys(("id", "name", "website")),
            "hours": {"text": None},
            "locations": [],
            "source": dict.fromkeys(("slug", *_SOURCE)),
            "trust": dict.fromkeys(("score", "verified_at")),
        },
        {},
    )
)


def _write_table(documents: Sequence[str]) -> str:
    """One row a resource, with its first location and how many there are; so the rows of a sheet can be counted."""
    return _rows(_cells(json.loads(document)) for document in documents)


def _cells(resource: Json) -> list[str]:
    first = resource["locations"][0] if resource["locations"] else {}
    return [_cell(value) for value in _facts(resource, first).values()]


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case list():
            text = "; ".join(value)
        case int() | float():  # a space, which reading a number skips, keeps a negative one a number
            return f" {value}" if value < 0 else str(value)
        case _:
            text = str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _rows(rows: Iterable[Sequence[str]]) -> str:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue()


def _write_lines(documents: Sequence[str]) -> str:
    """Each document as the list has it: JSON text holds no line feed."""
    return "".join(f"{document}\n" for document in documents)


def _write_features(documents: Sequence[str]) -> str:
    return ",\n".join(feature for document in documents for feature in _features(json.loads(document)))


def _features(resource: Json) -> Iterator[str]:
    """One feature a location; what has none is one all the same, without geometry (RFC 7946 3.2)."""
    for place in resource["locations"] or [{}]:
        feature = {
            "type": "Feature",
            "id": place.get("id", resource["id"]),
            "geometry": _point(place),
            "properties": _facts(resource, place),
        }
        yield json.dumps(feature, ensure_ascii=False, separators=(",", ":"))


def _point(place: Json) -> Json | None:
    if place.get("latitude") is None:
        return None
    return {"type": "Point", "coordinates": [place["longitude"], place["latitude"]]}


CSV: Final = ExportFormat("csv", "text/csv", _write_table, opening=_rows([_COLUMNS]))
NDJSON: Final = ExportFormat("ndjson", "application/x-ndjson", _write_lines)
GEOJSON: Final = ExportFormat(
    "geojson",
    "application/geo+json",
    _write_features,
    opening='{"type":"FeatureCollection","features":[\n',
    separator=",\n",
    closing="\n]}\n",
)
