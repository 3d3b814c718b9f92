"""Which column holds what, suggested from its header."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from vibe4vets.connectors.base import SourceError
from vibe4vets.connectors.sources.spreadsheet.decoding import Row

IGNORED: Final = "ignore"
# In this order, each field takes the first header that is left: "City, St Zip" is a place before it is a city.
_SUGGESTIONS: Final = {
    "record_id": r"^(?:(?:source )?(?:record )?id|(?:agency|program|resource) id)$",
    "place": r"^(?=.*\bcity\b)(?=.*\b(?:st|state|zip)\b)",
    "zip": r"\b(?:zip|postal)\b",
    "state": r"^(?:st|state)\b",
    "city": r"\b(?:city|town)\b",
    "county": r"\bcounty\b",
    "latitude": r"^lat(?:itude)?$",
    "longitude": r"^(?:lon|lng|long|longitude)$",
    "phone": r"^(?!.*\bfax\b).*\b(?:phone|phones|telephone|tel|hotline)\b",
    "email": r"\be ?mail\b",
    "website": r"\b(?:web|website|url|site|link|homepage)\b",
    "hours": r"\b(?:hours|open|schedule)\b",
    "as_of": r"\b(?:verified|updated|checked|as of)\b",
    "eligibility": r"\b(?:eligib\w*|who|population|populations)\b",
    "categories": r"\b(?:categor\w*|types?|services?)\b(?!.*\bname\b)",
    "street": r"\b(?:addr\w*|street|location)\b",
    "cost": r"\b(?:cost|costs|fee|fees)\b",
    "how_to_apply": r"\b(?:apply|application|intake|referral)\b",
    "languages": r"\blanguages?\b",
    "title": r"^(?!.*\bcontact\b).*\b(?:program|name|title|resource)\b",
    "organization": r"\b(?:agency|organi[sz]ation|provider|sponsor)\b",
    "description": r"\b(?:notes?|description|comments?|details?|about)\b",
}
_PATTERNS: Final = {field: re.compile(pattern) for field, pattern in _SUGGESTIONS.items()}
FIELDS: Final = frozenset(_SUGGESTIONS)
LOOKED_AT: Final = 10
"""Among how many rows the header is looked for."""


@dataclass(frozen=True, slots=True)
class Columns:
    """The header: where it stands, and the field of each column."""

    row: int
    headers: Sequence[str]
    field_at: Mapping[int, str]
    chosen: Mapping[str, str]
    """The headers whose field somebody has named, for this file or an earlier one."""

    @property
    def named(self) -> list[tuple[str, str]]:
        """Every header that is read, with its field."""
        return [(self.headers[at], field) for at, field in sorted(self.field_at.items())]

    @property
    def ignored(self) -> list[str]:
        """Every header that is not."""
        return [header for at, header in enumerate(self.headers) if at not in self.field_at and header]


def find_columns(rows: Sequence[Row], chosen: Mapping[str, str], saved: Mapping[str, str] | None = None) -> Columns:
    """The header among the first rows, since many sheets begin with a title; SourceError when there is none.

    `chosen` names the fields of some headers, which must all be there; `saved` those of earlier files, of which some
    may be; the others are suggested.
    """
    _check_choice(chosen)
    for row in rows[:LOOKED_AT]:
        headers = [" ".join(cell.split()) for cell in row.cells]
        if not set(chosen) <= set(headers):
            continue
        named = _with_saved(headers, chosen, saved or {})
        field_at = _fields_of(headers, named)
        if "title" in field_at.values() and len(field_at) > 1:
            return Columns(row.number, headers, field_at, named)
    shown = ", ".join(filter(None, (" ".join(cell.split())[:40] for cell in rows[0].cells[:12])))
    message = (
        f"No header with a column for the name was found; the first row has: {shown}."
        ' Name the columns with --column "Header=field" (in an upload: columns={"Header": "field"}),'
        " one of them as title"
    )
    raise SourceError(message)


def suggest_fields(headers: Sequence[str]) -> dict[str, str]:
    """The field that each header would be read as; one that would be passed over is not among them."""
    plain = [" ".join(header.split()) for header in headers]
    return {headers[at]: field for at, field in sorted(_fields_of(plain, {}).items())}


def _with_saved(headers: Sequence[str], chosen: Mapping[str, str], saved: Mapping[str, str]) -> dict[str, str]:
    """What is chosen, and of what is saved whatever neither contradicts it nor itself."""
    named = dict(chosen)
    for header in headers:
        field = saved.get(header)
        if field is not None and header not in named and (field == IGNORED or field not in named.values()):
            named[header] = field
    return named


def _fields_of(headers: Sequence[str], chosen: Mapping[str, str]) -> dict[int, str]:
    found = {at: chosen[header] for at, header in enumerate(headers) if header in chosen}
    plain = [re.sub(r"[^a-z0-9]+", " ", header.lower().replace("(s)", "s")).strip() for header in headers]
    for field, pattern in _PATTERNS.items():
        at = next((at for at, header in enumerate(plain) if at not in found and pattern.search(header)), None)
        if at is not None and field not in found.values():
            found[at] = field
    if "title" not in found.values():  # a sheet with agencies alone
        found |= {at: "title" for at, field in found.items() if field == "organization"}
    return {at: field for at, field in found.items() if field != IGNORED}


def _check_choice(chosen: Mapping[str, str]) -> None:
    unknown = sorted(set(chosen.values()) - FIELDS - {IGNORED})
    if unknown:
        message = f"No such field: {', '.join(unknown)}; a column can be {', '.join(sorted(FIELDS))} or {IGNORED}"
        raise SourceError(message)
    twice = sorted(field for field in FIELDS if list(chosen.values()).count(field) > 1)
    if twice:
        message = f"Two columns cannot be the same field: {', '.join(twice)}"
        raise SourceError(message)
