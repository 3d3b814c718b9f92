"""From a publisher's record to one that the directory can take: normalised, checked, or refused with the reason."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any, TypeVar
from zoneinfo import available_timezones

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from vibe4vets.connectors.base import Place, Record, Rejection
from vibe4vets.resources.geography import lies_in, state_code, time_zone
from vibe4vets.resources.hours import parse_weekly
from vibe4vets.resources.phones import normalize_phone
from vibe4vets.resources.schemas import ResourceIntake

T = TypeVar("T")
_AS_OF = re.compile(r"(?:FY(?P<fiscal>[12]\d{3})|(?P<year>\d{4})(?:-(?P<month>\d{2})(?:-(?P<day>\d{2}))?)?)", re.ASCII)
_AS_OF_ADVICE = "give a date such as 2026-01-31, 2026-01, 2026 or FY2026"
_ADVICE = {
    "email": "give one address, such as help@example.org",
    "postal_code": "give five digits, or nine with a hyphen after the fifth",
    "website": "give an address that begins with https:// or http://, such as https://example.org",
}
_NINE_DIGITS = re.compile(r"([0-9]{5})[ -]?([0-9]{4})")
_FOUR_DIGITS = re.compile(r"[0-9]{4}")
_ZERO_STATES = frozenset({"CT", "MA", "ME", "NH", "NJ", "RI", "VT"})
"""Every ZIP code of theirs begins with 0."""
_BARE_HOST = re.compile(r"www\.[^\s/@:]+(/\S*)?", re.IGNORECASE)
_ZONE_NAME = re.compile(r"[A-Za-z0-9_+/-]+")
_NOT_IN_A_TAG = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Prepared:
    """A record ready to be staged; `content` is a `ResourceIntake` as JSON, `content_hash` tells it unchanged."""

    line: int
    source: str
    record_id: str
    content: str
    content_hash: str
    provenance: str | None
    original: str
    oddities: tuple[str, ...] = ()
    """What was left out of it, in words for the run's warnings."""


class _Faults:
    """Collects what is wrong with one record, so that its owner learns all of it at once."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self.oddities: list[str] = []

    def read(self, field: str, parse: Callable[[str], T], value: str | None) -> T | None:
        """Parse an optional text; a ValueError becomes a reason."""
        if value is None or not value.strip():
            return None
        try:
            return parse(value)
        except ValueError as error:
            self.found.append(f"{field}: {error}")
            return None


def prepare(record: Record) -> Prepared | Rejection:
    """Normalise and check `record`; a Rejection names every broken rule by its field."""
    faults = _Faults()
    fields = _fields(record, faults)
    try:
        intake = ResourceIntake.model_validate(fields)
    except ValidationError as error:
        faults.found += [_reason(problem) for problem in error.errors(include_url=False, include_input=False)]
    if faults.found:
        reason = "; ".join(faults.found[:20])[:2000]
        return Rejection(record.line, reason, record.content, record.source, record.record_id)
    content = intake.model_dump_json()
    digest = hashlib.sha256(content.encode()).hexdigest()
    provenance = record.provenance[:1000] if record.provenance else None
    return Prepared(
        record.line,
        intake.source,
        intake.source_record_id,
        content,
        digest,
        provenance,
        record.content,
        tuple(f"{intake.source_record_id}: {oddity}" for oddity in faults.oddities),
    )


def _reason(problem: ErrorDetails) -> str:
    field = ".".join(str(part) for part in problem["loc"]) or "record"
    advice = _ADVICE.get(field.rpartition(".")[2]) if problem["type"] == "string_pattern_mismatch" else None
    return f"{field}: {advice or problem['msg'].removeprefix('Value error, ')}"


def _fields(record: Record, faults: _Faults) -> dict[str, Any]:
    phone = faults.read("phone", normalize_phone, record.phone)
    hours = _blank_to_none(record.hours)
    return {
        "source": record.source,
        "source_record_id": record.record_id,
        "title": record.title,
        "organization": record.organization,
        "summary": _blank_to_none(record.summary),
        "description": record.description,
        "how_to_apply": _blank_to_none(record.how_to_apply),
        "cost": _blank_to_none(record.cost),
        "source_url": _blank_to_none(record.source_url),
        "eligibility": [text for text in record.eligibility if text.strip()],
        "categories": list(record.categories),
        "tags": [tag for tag in map(_tag, record.tags) if tag],
        "scope": record.scope,
        "states": [
            *(code for text in record.states if (code := faults.read("states", _state, text))),
            *filter(None, map(state_code, record.areas)),
        ],
        "phone": phone and phone.number,
        "phone_extension": phone and phone.extension,
        "email": _blank_to_none(record.email),
        "website": _website(record.website),
        "hours_text": hours,
        "hours_weekly": hours and parse_weekly(hours),
        "languages": [code.strip().lower() for code in record.languages],
        "as_of": faults.read("as_of", parse_as_of, record.as_of),
        "locations": [_location(place, faults) for place in record.places],
    }


def _location(place: Place, faults: _Faults) -> dict[str, Any]:
    state = faults.read("state", _state, place.state)
    latitude, longitude = _coordinates(place, state, faults)
    return {
        "name": _blank_to_none(place.name),
        "street": _blank_to_none(place.street),
        "city": _blank_to_none(place.city),
        "county": _blank_to_none(place.county),
        "state": state,
        "postal_code": _postal_code(place.postal_code, state),
        "latitude": latitude,
        "longitude": longitude,
        "time_zone": _time_zone(place, state, faults),
    }


def _coordinates(place: Place, state: str | None, faults: _Faults) -> tuple[float | None, float | None]:
    """The point of a place, unless its address says another state: VA puts offices in Arizona on the map of California.

    Nobody is sent to the wrong state; by its address the place is still found.
    """
    latitude, longitude = place.latitude, place.longitude
    if latitude is None or longitude is None or not (abs(latitude) <= 90 and abs(longitude) <= 180):  # noqa: PLR2004
        return latitude, longitude  # what is no point at all is refused
    if latitude == longitude == 0:
        faults.oddities.append("its coordinates are 0, 0, which is in the ocean, and were left out")
        return None, None
    if state is not None and not lies_in(state, latitude, longitude):
        faults.oddities.append(f"its coordinates are not in {state}, where its address is, and were left out")
        return None, None
    return latitude, longitude


def _postal_code(text: str | None, state: str | None) -> str | None:
    """A ZIP code with its hyphen, and with the zero that spreadsheets take from the Northeast's."""
    code = _blank_to_none(text)
    if code is None:
        return None
    if match := _NINE_DIGITS.fullmatch(code):
        return f"{match[1]}-{match[2]}"
    if state in _ZERO_STATES and _FOUR_DIGITS.fullmatch(code):
        return f"0{code}"
    return code


def _time_zone(place: Place, state: str | None, faults: _Faults) -> str | None:
    """The zone that the publisher names, if there is such a one, else the state's where the whole state has one."""
    named = _blank_to_none(place.time_zone)
    if named is not None and _ZONE_NAME.fullmatch(named) and named not in _zones():
        faults.oddities.append("there is no such time zone, and it was left out")
        named = None
    return named or (state and time_zone(state))


@cache
def _zones() -> frozenset[str]:
    """Every zone that this computer knows; asking for them reads a folder of six hundred files."""
    return frozenset(available_timezones())


def _website(text: str | None) -> str | None:
    """An address with its scheme, which people leave out: www.example.org."""
    address = _blank_to_none(text)
    return f"https://{address}" if address is not None and _BARE_HOST.match(address) else address


def _blank_to_none(text: str | None) -> str | None:
    return text.strip() or None if text is not None else None


def _state(text: str) -> str:
    code = state_code(text)
    if code is None:
        message = "give a two-letter code such as OH, or the full name of a state or territory"
        raise ValueError(message)
    return code


def _tag(text: str) -> str:
    return _NOT_IN_A_TAG.sub("-", text.lower().replace("'", "")).strip("-")


def parse_as_of(text: str) -> date:
    """The first day of the period that the facts are of: a day, a month, a year, or a federal fiscal year (FY2026).

    The first, since nobody knows how late in the period they were true.
    """
    match = _AS_OF.fullmatch(text.strip())
    if match is None:
        raise ValueError(_AS_OF_ADVICE)
    if match["fiscal"]:
        return date(int(match["fiscal"]) - 1, 10, 1)
    try:
        return date(int(match["year"]), int(match["month"] or 1), int(match["day"] or 1))
    except ValueError:
        raise ValueError(_AS_OF_ADVICE) from None
