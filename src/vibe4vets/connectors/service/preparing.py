"""From a publisher's record to one that the directory can take: normalised, checked, or refused with the reason."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from vibe4vets.connectors.base import Place, Record, Rejection
from vibe4vets.resources.geography import state_code, time_zone
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


class _Faults:
    """Collects what is wrong with one record, so that its owner learns all of it at once."""

    def __init__(self) -> None:
        self.found: list[str] = []

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
    return Prepared(record.line, intake.source, intake.source_record_id, content, digest, provenance, record.content)


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
        "website": _blank_to_none(record.website),
        "hours_text": hours,
        "hours_weekly": hours and parse_weekly(hours),
        "languages": [code.strip().lower() for code in record.languages],
        "as_of": faults.read("as_of", parse_as_of, record.as_of),
        "locations": [_location(place, faults) for place in record.places],
    }


def _location(place: Place, faults: _Faults) -> dict[str, Any]:
    state = faults.read("state", _state, place.state)
    return {
        "name": _blank_to_none(place.name),
        "street": _blank_to_none(place.street),
        "city": _blank_to_none(place.city),
        "county": _blank_to_none(place.county),
        "state": state,
        "postal_code": _blank_to_none(place.postal_code),
        "latitude": place.latitude,
        "longitude": place.longitude,
        "time_zone": place.time_zone or (state and time_zone(state)),
    }


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
