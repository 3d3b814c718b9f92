"""Which records are worth ranking: queries of the one index, from strict to loose, each capped.

LIMIT keeps what comes first in the table: it is written by region, national programs last and complete records first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, pairwise
from typing import Final

from vibe4vets.resources.folding import fold
from vibe4vets.resources.service.places import Place, PlaceKind
from vibe4vets.resources.service.search import codes, weights
from vibe4vets.resources.service.search.conversation import COMMON
from vibe4vets.resources.service.search.knowledge import Knowledge
from vibe4vets.resources.service.search.tsquery import Query, all_of, any_of, lexeme
from vibe4vets.resources.service.search.understanding import (
    OFFICES,
    STAND_IN,
    Concept,
    ConceptKind,
    Understanding,
)

_DECIDING, _PAIRED = 5, 4
_COMMON_LEXEMES: Final = frozenset(["veteran", "va"])


@dataclass(frozen=True, slots=True)
class Branch:
    """A query of the index, whose first rows are ranked."""

    query: Query
    instead: Query = field(default_factory=Query)
    """The query of a branch closer to the place: in a large directory, where that one is full, this adds nothing."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """What counts as found, and the branches that bring the best of it."""

    found: tuple[Query, ...]
    """What any of these finds; apart, for the index is quick with each and slow with all of them as one query."""
    branches: tuple[Branch, ...]
    limit: int = weights.BRANCH
    """So many rows of each branch are ranked at most."""


def code_query(code: str) -> Query:
    """A code of the lexicon, given by the source or derived from the text."""
    if code.startswith("@"):
        return lexeme(code)
    name = codes.of_lexicon(code)
    return any_of([lexeme(name), lexeme(codes.derived_tag(code))]) if name[0] == "#" else lexeme(name)


def core(concept: Concept) -> Query:
    """What is about the concept: one of its own codes or all of its words, else what is near to it."""
    own = [code_query(code) for code in concept.primary]
    if concept.lexemes:
        own.append(all_of(lexeme(evidence.lexeme) for evidence in concept.lexemes))
    near = [code_query(code.lexeme) for code in concept.codes] + [lexeme(e.lexeme) for e in concept.synonyms]
    return any_of(own or near)


def _telling(concept: Concept) -> list[str]:
    """The lexemes of the concept, without those that nearly every record has if there are others."""
    words = [evidence.lexeme for evidence in concept.lexemes]
    return [word for word in words if word not in _COMMON_LEXEMES] or words


def deciding(understanding: Understanding) -> list[Concept]:
    """The concepts that decide what is found, the weightiest first."""
    found = [c for c in understanding.concepts if c.kind is not ConceptKind.PLACE and not c.is_filler]
    found = found or [c for c in understanding.concepts if c.kind is not ConceptKind.PLACE]
    return sorted(found, key=lambda concept: -concept.weight)


def reach(place: Place) -> Query:
    """What serves the state of a place: there, or everywhere."""
    state = lexeme(codes.state(place.state)) if place.state else Query()
    return any_of([state, lexeme(codes.NATIONAL)])


def near(place: Place) -> list[Query]:
    """The city or county itself, then the squares around a place, the small ones first; none for a state."""
    if place.kind is PlaceKind.STATE:
        return []
    point = place.latitude, place.longitude
    squares = [any_of(map(lexeme, codes.cells_around(*point, parts))) for parts in reversed(codes.GRIDS)]
    return [*_named(place), *squares]


def _named(place: Place) -> list[Query]:
    if place.state and place.kind is PlaceKind.COUNTY and place.county:
        return [lexeme(codes.county(place.state, fold(place.county)))]
    return [lexeme(codes.city(place.state, fold(place.city)))] if place.state and place.city else []


def strict(understanding: Understanding) -> Candidates | None:
    """What is about every concept, where the place is sure in reach of it; None when nothing decides."""
    concepts = deciding(understanding)[:_DECIDING]
    cores = [core(concept) for concept in concepts]
    if not any(cores):
        return None
    place = understanding.reading.place if understanding.reading and understanding.is_sure_of_place else None
    here, around = (reach(place), near(place)) if place else (Query(), [])
    every = all_of(cores)
    branches = [
        all_of([_words(concepts), here]),
        all_of([_own(concepts), here]),
        *(all_of([every, squares]) for squares in around),
        Query() if around else all_of([every, lexeme(codes.NATIONAL)]),
        all_of([every, here]),
    ]
    return Candidates((all_of([every, here]),), _branches(branches, _outward(every, [*around, here])))


def named(understanding: Understanding) -> Candidates | None:
    """What has all of several words in its title or organization: all that conversation alone can mean."""
    concepts = deciding(understanding)
    if len(concepts) < 2 or all(word in COMMON for concept in concepts for word in concept.words):  # noqa: PLR2004
        return None
    words = _words(concepts)
    return Candidates((words,), (Branch(words),))


def there(understanding: Understanding) -> Candidates | None:
    """What serves the place, where a place is all that was asked for."""
    words = [concept for concept in understanding.concepts if concept.kind is not ConceptKind.PLACE]
    if words or understanding.reading is None:
        return None
    place = understanding.reading.place
    here = reach(place)
    outward = [*near(place), *([lexeme(codes.state(place.state))] if place.state else []), here]
    return Candidates((here,), _branches(outward, {wider: closer for closer, wider in pairwise(outward)}))


def loose(knowledge: Knowledge, understanding: Understanding) -> Candidates | None:
    """What is about any of the concepts in reach of a sure place, and what is but near to one close by."""
    concepts = deciding(understanding)
    cores = [core(concept) for concept in concepts[:_DECIDING]]
    if not any(cores):
        return None
    sure = understanding.reading if understanding.is_sure_of_place else None
    here, around = (reach(sure.place), near(sure.place)) if sure else (Query(), [])
    some, every, rare = any_of(cores), all_of(cores), _rare(knowledge, understanding)
    branches = [all_of([_words(concepts), here]), all_of([_own(concepts[:_DECIDING]), here])]
    found = [all_of([some, here]), all_of([rare, here]) if rare else Query()]
    if around:
        branches += [all_of([some, squares]) for squares in around]
        found.append(all_of([related(understanding), around[-len(codes.GRIDS)]]))
    else:
        branches += [all_of([every, lexeme(codes.NATIONAL)]), _pairs(concepts), _perhaps(understanding, some)]
    outward = _outward(every, [*around, here]) | _outward(some, [*around, here])
    return Candidates(tuple(filter(None, found)), _branches([*branches, all_of([every, here]), *found], outward))


def wide(understanding: Understanding, *, anywhere: bool) -> Candidates | None:
    """What is about any of the concepts or near to one: in reach of a sure place or, `anywhere`, wherever it is."""
    broad = related(understanding)
    if not broad:
        return None
    sure = understanding.reading if understanding.is_sure_of_place and not anywhere else None
    here = reach(sure.place) if sure else Query()
    cores = [core(concept) for concept in deciding(understanding)[:_DECIDING]]
    around = near(sure.place) if sure else []
    branches = [all_of([any_of(cores), here]), *(all_of([broad, squares]) for squares in around), all_of([broad, here])]
    return Candidates((all_of([broad, here]),), _branches(branches, _outward(broad, [*around, here])))


def _branches(queries: Sequence[Query], outward: Mapping[Query, Query]) -> tuple[Branch, ...]:
    asked = [query for query in dict.fromkeys(queries) if query]
    known = {query: outward.get(query, Query()) for query in asked}
    return tuple(Branch(query, instead=closer if closer in known else Query()) for query, closer in known.items())


def _outward(query: Query, scopes: Sequence[Query]) -> dict[Query, Query]:
    """The query in each of the scopes, the closest first, with the one in the scope before it."""
    return {all_of([query, wider]): all_of([query, closer]) for closer, wider in pairwise(scopes)}


def _words(concepts: Sequence[Concept]) -> Query:
    """Every telling word in title or organization: how names are found."""
    return all_of(lexeme(word, "AB") for concept in concepts for word in _telling(concept) if concept.lexemes)


def _own(concepts: Sequence[Concept]) -> Query:
    """Every code and every word of every concept."""
    return all_of(
        part for concept in concepts for part in [*map(code_query, concept.primary), *map(lexeme, _telling(concept))]
    )


def _pairs(concepts: Sequence[Concept]) -> Query:
    """Any two of three or more concepts."""
    if len(concepts) <= 2:  # noqa: PLR2004  two are `every` already
        return Query()
    return any_of(all_of([core(one), core(other)]) for one, other in combinations(concepts[:_PAIRED], 2))


def _perhaps(understanding: Understanding, some: Query) -> Query:
    """What is about any of the concepts in the state of a place that is not sure."""
    reading = understanding.reading
    if reading is None or understanding.is_sure_of_place or reading.place.state is None:
        return Query()
    return all_of([some, lexeme(codes.state(reading.place.state))])


def related(understanding: Understanding) -> Query:
    """What has any code or word of the concepts, however near or weak."""
    concepts = [c for c in understanding.concepts if c.kind is not ConceptKind.PLACE and not c.is_filler]
    found = [code_query(code.lexeme) for concept in concepts for code in concept.codes]
    found += [lexeme(evidence.lexeme) for concept in concepts for evidence in concept.lexemes]
    return any_of([*map(core, deciding(understanding)), *found])


def _rare(knowledge: Knowledge, understanding: Understanding) -> Query:
    """The rarest codes and words, as many as fill one branch."""
    counted: dict[Query, int] = {}
    for concept in understanding.concepts:
        if concept.kind is not ConceptKind.PLACE and not concept.is_filler:
            counted |= {code_query(e.lexeme): _resources(knowledge, e.lexeme) for e in concept.codes}
            counted |= {lexeme(e.lexeme): knowledge.resources(e.lexeme) for e in concept.lexemes}
    found, total = [], 0
    for query, resources in sorted(counted.items(), key=lambda item: item[1]):
        total += resources
        if total > weights.BRANCH:
            break
        found.append(query)
    return any_of(found)


def _resources(knowledge: Knowledge, code: str) -> int:
    return knowledge.resources(code) if code.startswith("@") else knowledge.resources_with_code(code)


def fallback(knowledge: Knowledge) -> Candidates:
    """What stands in when nothing sensible matches: national programs; where there are none, who helps anybody."""
    national = lexeme(codes.NATIONAL)
    first = any_of(map(code_query, STAND_IN))
    if knowledge.resources(codes.NATIONAL):
        return Candidates((national,), (Branch(all_of([first, national])), Branch(national)))
    offices = any_of(map(code_query, OFFICES))
    return Candidates((first, offices), (Branch(first), Branch(offices)))
