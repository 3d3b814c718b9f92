"""Facts of a resource as lexemes without position: one index answers for words, needs and places together.

They are made and read here alone: `#` a tag, `~` a derived one, `%` a category, `@` everything else.
"""

import math
import re
from collections.abc import Iterable

from vibe4vets.resources.folding import fold
from vibe4vets.resources.schemas import ResourceRead

NATIONAL = "@national"
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY = r"(mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?"
_SPAN = re.compile(rf"\b{_DAY}(?:\s*(?:-|–|to|thru|through)\s*{_DAY})?", re.IGNORECASE)


def tag(code: str) -> str:
    return f"#{code}"


def derived_tag(code: str) -> str:
    return f"~{code}"


def category(value: str) -> str:
    return f"%{value}"


def state(value: str) -> str:
    return f"@s:{value}"


def scope(value: str) -> str:
    return f"@{value}"


def eligibility(label: str) -> str:
    return f"@e:{fold(label).replace(' ', '-')}"


def weekday(code: str) -> str:
    return f"@d:{code}"


def cell(latitude: float, longitude: float) -> str:
    """The square of one degree that holds a point."""
    return f"@c:{math.floor(latitude)}:{math.floor(longitude)}"


def cells_around(latitude: float, longitude: float) -> list[str]:
    """The square of a point and its eight neighbours: all within 40 miles of it at least, north of Florida."""
    return [cell(latitude + south, longitude + west) for south in (-1, 0, 1) for west in (-1, 0, 1)]


def of_lexicon(code: str) -> str:
    """A code of the lexicon: a tag, or `e:` and whom it is for."""
    return f"@{code}" if code.startswith("e:") else tag(code)


def facts(resource: ResourceRead, derived: Iterable[str]) -> list[str]:
    """Every code of a resource."""
    points = [(p.latitude, p.longitude) for p in resource.locations if p.latitude is not None]
    states = {*resource.states, *(place.state for place in resource.locations if place.state)}
    return [
        *map(tag, resource.tags),
        *map(derived_tag, derived),
        *map(category, resource.categories),
        *map(state, sorted(states)),
        scope(resource.scope),
        *map(eligibility, resource.eligibility),
        *map(weekday, open_days(resource)),
        *dict.fromkeys(cell(latitude, longitude) for latitude, longitude in points if longitude is not None),
    ]


def open_days(resource: ResourceRead) -> list[str]:
    """The weekdays it is open: from the certain hours, else those that their text names and does not close."""
    if resource.hours.weekly is not None:
        return [day for day, spans in zip(_DAYS, resource.hours.weekly, strict=True) if spans]
    text = (resource.hours.text or "").lower()
    if "24/7" in text:
        return [*_DAYS]
    named = set()
    for part in re.split(rf"[;,](?=\s*{_DAY})", text):
        if part and ("closed" not in part or re.search(r"\d", part)):
            named |= {day for first, last in _SPAN.findall(part) for day in _days(first, last or first)}
    return [day for day in _DAYS if day in named]


def _days(first: str, last: str) -> list[str]:
    start, end = _DAYS.index(first.lower()), _DAYS.index(last.lower())
    return [_DAYS[(start + step) % 7] for step in range((end - start) % 7 + 1)]
