"""The search itself: understand, try strictly, relax step by step, fall back."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from vibe4vets.core.database import Session
from vibe4vets.core.pagination import Cursors, Found, Slice, Turn
from vibe4vets.resources.schemas import SEARCH_DEPTH, SearchQuery
from vibe4vets.resources.service.filters import find_near
from vibe4vets.resources.service.places import Place, Reading
from vibe4vets.resources.service.search.answering import answer
from vibe4vets.resources.service.search.candidates import (
    Candidates,
    deciding,
    fallback,
    loose,
    named,
    strict,
    there,
    wide,
)
from vibe4vets.resources.service.search.knowledge import Knowledge, SearchKnowledge
from vibe4vets.resources.service.search.learning import Listener, Outcome, unmatched_words
from vibe4vets.resources.service.search.narrowing import Narrowing, narrowing
from vibe4vets.resources.service.search.repairing import repair, unknown_words
from vibe4vets.resources.service.search.statement import Page, SearchStatement
from vibe4vets.resources.service.search.stored import known_words
from vibe4vets.resources.service.search.understanding import (
    Understanding,
    stand_in,
    understand,
)

ENOUGH: Final = 10
"""So many records that are about everything asked for need no looser search."""
A_FEW: Final = 3
"""So many about any one of the needs need nothing that is only near to them."""
_KEYS: Final = ("key_0", "key_1")
_READ: Final = (float, UUID)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One way to search, and what was loosened for it."""

    understanding: Understanding
    candidates: Candidates
    enough: int
    relaxed: tuple[str, ...] = ()
    is_fallback: bool = False


async def search(
    session: Session, query: SearchQuery, cursors: Cursors, known: SearchKnowledge, listener: Listener
) -> Slice:
    """Return one page of what `query` asks for, best first, with the facets it wants and how it was understood."""
    turn = Turn.of(query, cursors, _READ, deepest=SEARCH_DEPTH)
    near = await find_near(session, query, known.places)
    knowledge = await known.current(session)
    understanding, attempt, found = await _search(session, knowledge, query, turn, near)
    if _is_old(knowledge, found):
        knowledge = await known.renewed(session, instead_of=knowledge)
        understanding, attempt, found = await _search(session, knowledge, query, turn, near)
    if turn.position == 0:  # a further page is no further search
        listener.hear(query.q, Outcome(found.matches, attempt.is_fallback, unmatched_words(knowledge, understanding)))
    return answer(
        knowledge,
        query,
        understanding,
        attempt.understanding,
        found,
        relaxed=attempt.relaxed,
        is_fallback=attempt.is_fallback,
    )


def _is_old(knowledge: Knowledge, found: Found) -> bool:
    versions, now = knowledge.versions, found.beside
    return bool((versions.lexicon, versions.vocabulary) != (now.lexicon, now.vocabulary))


async def _search(
    session: Session, knowledge: Knowledge, query: SearchQuery, turn: Turn, near: Place | None
) -> tuple[Understanding, Attempt, Found]:
    understanding = await _understand(session, knowledge, query.q)
    if near is not None:  # whoever says where counts more than what the words may mean
        understanding = replace(understanding, reading=Reading(near, 0, 0, confidence=1))
    narrowed = narrowing(query, near)
    for attempt in _attempts(knowledge, understanding):
        found = await _try(session, knowledge, query, turn, attempt, narrowed)
        if found.matches >= attempt.enough:
            break
    return understanding, attempt, found


async def _understand(session: Session, knowledge: Knowledge, query: str) -> Understanding:
    unknown = unknown_words(knowledge, query)
    # only for words that this process has never seen: another may have published them a moment ago
    stems, formed = await known_words(session, unknown) if unknown else ({}, set())
    slips = [word for word in unknown if word in formed or word not in stems]
    return understand(knowledge, query, repair(knowledge, query, slips, formed), stems)


def _attempts(knowledge: Knowledge, understanding: Understanding) -> Iterator[Attempt]:
    """From strict to loose; the last one is taken whatever it finds."""
    if not understanding.is_telling:
        if found := named(understanding) or there(understanding):
            yield Attempt(understanding, found, 1)
        yield Attempt(stand_in(knowledge, understanding), fallback(knowledge), 0, is_fallback=True)
        return
    relaxed: tuple[str, ...] = ()
    if len(deciding(understanding)) > 1 and (all_needs := strict(understanding)):
        yield Attempt(understanding, all_needs, ENOUGH)
        relaxed = (*relaxed, "any_need")
    if any_need := loose(knowledge, understanding):
        yield Attempt(understanding, any_need, A_FEW, relaxed)
        relaxed = (*relaxed, "related_needs")
    if near_needs := wide(understanding, anywhere=False):
        yield Attempt(understanding, near_needs, 1, relaxed)
        relaxed = (*relaxed, "place")
    if understanding.is_sure_of_place and (elsewhere := wide(understanding, anywhere=True)):
        yield Attempt(understanding, elsewhere, 1, relaxed)
    yield Attempt(stand_in(knowledge, understanding), fallback(knowledge), 0, is_fallback=True)


async def _try(  # noqa: PLR0913, PLR0917  what one attempt is made of
    session: Session, knowledge: Knowledge, query: SearchQuery, turn: Turn, attempt: Attempt, narrowed: Narrowing
) -> Found:
    statement = SearchStatement(knowledge, attempt.understanding, narrowed)
    page = Page(turn.size, turn.position if turn.after is None else 0, _key(turn.after))
    sql, arguments = statement.build(attempt.candidates, page, query.facets, explain=query.explain)
    return turn.found(await session.fetch(sql, arguments), _KEYS)


def _key(after: Sequence[Any] | None) -> tuple[Any, Any] | None:
    return (after[0], after[1]) if after is not None else None
