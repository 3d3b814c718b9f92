"""The answer to a search: hits, facets, how the query was understood, and the crisis line."""

import json
from collections.abc import Callable, Sequence
from typing import Any, Final

from vibe4vets.core.pagination import Found, Slice
from vibe4vets.resources.schemas import FacetName, Interpretation, PlaceRead, SearchQuery, TermRead
from vibe4vets.resources.service.crisis import CRISIS_LINE, crisis_line
from vibe4vets.resources.service.places import Place
from vibe4vets.resources.service.places.recognition import BEFORE_A_PLACE
from vibe4vets.resources.service.search.explaining import explanations
from vibe4vets.resources.service.search.highlighting import Highlighter
from vibe4vets.resources.service.search.knowledge import Knowledge
from vibe4vets.resources.service.search.understanding import Understanding
from vibe4vets.resources.terms import category_name, scope_name, state_name, tag_name

_NAMES: Final[dict[FacetName, Callable[[str], str]]] = {
    FacetName.CATEGORY: category_name,
    FacetName.STATE: state_name,
    FacetName.TAG: tag_name,
    FacetName.SCOPE: scope_name,
}
_MATCHED: Final = ("title", "organization", "tags", "description", "location")


def answer(  # noqa: PLR0913  what the search found out, part by part
    knowledge: Knowledge,
    query: SearchQuery,
    understanding: Understanding,
    ranked_for: Understanding,
    found: Found,
    *,
    relaxed: Sequence[str],
    is_fallback: bool,
) -> Slice:
    """The page with all that stands beside it. What it is `ranked_for` is something else only in a fallback."""
    hit = _Hits(knowledge, query, ranked_for)
    understood = _interpretation(query, understanding, relaxed=relaxed, is_fallback=is_fallback)
    crisis = CRISIS_LINE if is_fallback else crisis_line(query.q, understanding.corrected)
    return found.slice(
        hit.document,
        members=f',"facets":{json.dumps(_facets(query, found))},"interpretation":{understood.model_dump_json()},'
        f'"crisis":{crisis.model_dump_json() if crisis else "null"}',
    )


class _Hits:
    """Writes one hit as JSON text; the resource in it is the published document as it is."""

    def __init__(self, knowledge: Knowledge, query: SearchQuery, understanding: Understanding) -> None:
        self._query, self._understanding = query, understanding
        self._highlighter = Highlighter(knowledge, understanding) if query.highlight else None

    def document(self, row: Any) -> str:  # noqa: ANN401  a row of the driver's
        matched = [name for name, is_matched in zip(_MATCHED, row.matched, strict=True) if is_matched]
        members = {
            "score": round(row.score, 6),
            "distance_miles": None if row.miles is None else round(row.miles, 1),
            "matched": matched,
            "highlights": self._highlighter.highlights(json.loads(row.document)) if self._highlighter else None,
            "explanation": explanations(self._understanding, row) if self._query.explain else None,
        }
        return f'{{"resource":{row.document},{json.dumps(members)[1:]}'


def _facets(query: SearchQuery, found: Found) -> dict[FacetName, list[dict[str, Any]]]:
    return {
        name: [
            TermRead(value=value, name=_NAMES[name](value), count=count).model_dump()
            for value, count in json.loads(getattr(found.beside, f"facet_{name}") or "[]")
        ]
        for name in query.facets
    }


def _interpretation(
    query: SearchQuery, understanding: Understanding, *, relaxed: Sequence[str], is_fallback: bool
) -> Interpretation:
    reading = understanding.reading
    return Interpretation(
        query=query.q,
        corrected=_corrected(understanding),
        place=_place(reading.place) if reading else None,
        other_places=[_place(other) for other in reading.others] if reading else [],
        relaxed=list(relaxed),
        fallback=is_fallback,
    )


def _corrected(understanding: Understanding) -> str | None:
    """The repaired words; a place that is sure stands beside them, and not among them."""
    if understanding.corrected is None or not understanding.is_sure_of_place:
        return understanding.corrected
    words = list(understanding.named)
    reading = understanding.reading
    if reading and 0 < reading.start <= len(words) and words[reading.start - 1] in BEFORE_A_PLACE:
        del words[reading.start - 1]
    return " ".join(words) or understanding.corrected


def _place(place: Place) -> PlaceRead:
    return PlaceRead(name=place.name, latitude=place.latitude, longitude=place.longitude)
