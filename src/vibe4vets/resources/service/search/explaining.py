"""Why a hit stands where it stands, in plain words."""

from typing import Any

from vibe4vets.resources.service.places import PlaceKind
from vibe4vets.resources.service.search import weights
from vibe4vets.resources.service.search.understanding import Concept, ConceptKind, Understanding
from vibe4vets.resources.terms import tag_name


def explanations(understanding: Understanding, row: Any) -> list[dict[str, Any]]:  # noqa: ANN401  a row of the driver's
    """The parts of the score, each with what it is worth from 0 to 1."""
    total = sum(concept.weight for concept in understanding.concepts)
    parts = [
        {"reason": _reason(concept, share), "value": round(share * concept.weight / total, 3)}
        for concept, share in zip(understanding.concepts, row.shares, strict=True)
        if share > 0 and not concept.is_filler
    ]
    if understanding.reading is not None:
        parts.append({"reason": _nearness(understanding, row), "value": round(row.nearness, 3)})
    return parts


def _reason(concept: Concept, share: float) -> str:
    asked = " ".join(concept.words)
    if concept.kind is ConceptKind.WEEKDAY:
        return f"is open on {asked.capitalize()}"
    if concept.codes:
        nearest = max(concept.codes, key=lambda code: code.weight)
        about = tag_name(nearest.lexeme.removeprefix("e:"))
        said = f', for "{asked}"' if asked else ""
        return f"{'is about' if share > weights.WORDS_FOR_CODES else 'is near to'} {about}{said}"
    return f'has the word "{asked}"'


def _nearness(understanding: Understanding, row: Any) -> str:  # noqa: ANN401
    if understanding.reading is None:
        return ""
    place = understanding.reading.place
    if place.kind is PlaceKind.STATE:
        return f"serves {place.name}" if row.nearness >= weights.STATE_WIDE else f"is not in {place.name}"
    if row.miles is not None and row.nearness >= weights.STATE_WIDE:
        return f"is {row.miles:.0f} miles from {place.name}"
    return f"serves the state of {place.name}" if row.nearness >= weights.IN_STATE else f"is far from {place.name}"
