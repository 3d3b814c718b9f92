"""What people search for, as administrators see it: texts that enough people share, and how often they came."""

from datetime import timedelta
from functools import lru_cache

from sqlalchemy import Date, Integer, bindparam, func, select

from vibe4vets.core.database import Session
from vibe4vets.core.models import utc_now
from vibe4vets.core.pagination import Cursors, Listing, Order, Slice
from vibe4vets.resources.models import HeardKind, lexicon_entries, search_counts, search_texts
from vibe4vets.resources.schemas import SearchesKind, SearchesQuery, SearchesRead

C, T, ENTRY = search_counts.c, search_texts.c, lexicon_entries.c
_COUNTED = {
    SearchesKind.FREQUENT: "searches",
    SearchesKind.ZERO_RESULTS: "zero_results",
    SearchesKind.FALLBACK: "fallbacks",
    SearchesKind.UNMATCHED_WORDS: "searches",
}


async def list_searches(session: Session, query: SearchesQuery, cursors: Cursors) -> Slice:
    """Return one page of the texts of a kind, the most frequent first."""
    since = utc_now().date() - timedelta(days=query.days - 1)
    found = await _listing(query.kind).read(session, query, cursors, {"since": since})
    return found.slice(lambda row: SearchesRead.model_validate(row).model_dump_json())


@lru_cache(maxsize=8)
def _listing(kind: SearchesKind) -> Listing:
    is_word = kind is SearchesKind.UNMATCHED_WORDS
    texts = select(
        T.text,
        *(func.sum(C[name], type_=Integer).label(name) for name in ("searches", "zero_results", "fallbacks")),
        func.max(C.day).label("last_day"),
    ).join_from(search_texts, search_counts, C.hash == T.hash)
    texts = texts.where(
        T.kind == (HeardKind.WORD if is_word else HeardKind.QUERY), C.day >= bindparam("since", type_=Date)
    )
    if is_word:
        entry = select(ENTRY.id).where(ENTRY.phrase == T.text, ENTRY.is_retired.is_(False))
        texts = texts.where(~entry.exists())
    counted = texts.group_by(T.hash, T.text).subquery("counted").c
    times = counted[_COUNTED[kind]]
    return Listing(select(*counted).where(times > 0), Order((-times, counted.text), (int, str)))
