"""Facts of a resource as lexemes without position: one index answers for words, needs and places together.

They are made and read here alone: `#` a tag, `~` a derived one, `%` a category, `@` everything else.
"""

import math
import re
from collections.abc import Iterable

from vibe4vets.resources.folding import fold
from vibe4vets.resources.schemas import ResourceRead

NATIONAL = "@national"
GRIDS = (1, 4)
"""Squares of a degree and of a quarter: near a large city the small ones hold more than is ranked."""
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY = r"(mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?"
_SPAN = re.compile(rf"\b{_DAY}(?:\s*(?:-|\u2013|to|thru|through)\s*{_DAY})?", re.IGNORECASE)


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


def city(state_code: str, folded: str) -> str:
    return f"@t:{state_code}:{folded}"


def county(state_code: str, folded: str) -> str:
    """A county by its bare name: "kern"."""
    return f"@k:{state_code}:{folded}"


def cell(latitude: float, longitude: float, parts: int = 1) -> str:
    """The square that holds a point: of one degree, or of one of so many `parts` of it."""
    return f"@c{parts}:{math.floor(latitude * parts)}:{math.floor(longitude * parts)}"


def cells_around(latitude: float, longitude: float, parts: int = 1) -> list[str]:
    """The square of a point and its eight neighbours: all within 40 miles of it, or within 10 where `parts` is 4."""
    steps = [step / parts for step in (-1, 0, 1)]
    return [cell(latitude + south, longitude + west, parts) for south in steps for west in steps]


def of_lexicon(code: str) -> str:
    """A code of the lexicon: a tag, or `e:` and whom it is for."""
    return f"@{code}" if code.startswith("e:") else tag(code)


def facts(resource: ResourceRead, derived: Iterable[str]) -> list[str]:
    """Every code of a resource."""
    points = [
        (place.latitude, place.longitude)
        for place in resource.locations
        if place.latitude is not None and place.longitude is not None
    ]
    states = {*resource.states, *(place.state for place in resource.locations if place.state)}
    return [
        *map(tag, resource.tags),
        *map(derived_tag, derived),
        *map(category, resource.categories),
        *map(state, sorted(states)),
        scope(resource.scope),
        *map(eligibility, resource.eligibility),
        *map(weekday, open_days(resource)),
        *dict.fromkeys(cell(*point, parts) for point in points for parts in GRIDS),
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
