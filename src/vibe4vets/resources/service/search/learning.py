"""What people search for, learnt without watching them (docs/decisions/0024-learning-without-watching.md).

A search is counted in memory; at intervals the counts go to the database, under keyed hashes of the texts. A text
itself is stored by the process that has it at hand when the fifth different address of a day, or the fifth different
day, has asked for it: until then it is nowhere to be read.
"""

import hmac
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import text

from vibe4vets.core.database import Session
from vibe4vets.core.models import utc_now
from vibe4vets.core.security import derive_key
from vibe4vets.resources.folding import fold
from vibe4vets.resources.models import HeardKind
from vibe4vets.resources.privacy import find_identifier
from vibe4vets.resources.service.search.conversation import KNOWN
from vibe4vets.resources.service.search.knowledge import Knowledge
from vibe4vets.resources.service.search.understanding import MOST_CONCEPTS, Understanding

ENOUGH: Final = 5
"""So many addresses of one day, or so many days, before a text is anybody's."""
MOST_HEARD: Final = 5_000
"""So many texts between two times that they are stored; what comes beyond them is not counted."""
MOST_A_DAY: Final = 20_000
"""So many texts of a day are counted, whatever people, or programs, ask for."""
KEPT_DAYS: Final = 90
UNSHARED_DAYS: Final = 30
"""What too few have asked for is forgotten sooner."""
LONGEST: Final = 200
SHORTEST_WORD: Final = 3
LONGEST_WORD: Final = 40
_LOCK: Final = 7_264_387_011
# an e-mail address, or what may be a telephone number or another number of one person
_PERSONAL: Final = re.compile(r"@|(?:\d[\W_]?){7}")

_ALONE = text("select pg_advisory_xact_lock(:lock)")
_COUNT = text("""
with heard as (
  select * from unnest(cast(:hashes as bytea[]), cast(:searches as int[]), cast(:zero_results as int[]),
    cast(:fallbacks as int[])) as t(hash, searches, zero_results, fallbacks)
), known as (
  select heard.* from heard where exists (select from search_counts c where c.day = :day and c.hash = heard.hash)
), new as (
  select heard.* from heard where not exists (select from search_counts c where c.day = :day and c.hash = heard.hash)
  limit (select greatest(0, :most - count(*)) from search_counts where day = :day)
)
insert into search_counts as c (day, hash, searches, zero_results, fallbacks)
select cast(:day as date), * from (select * from known union all select * from new) heard
on conflict (day, hash) do update set searches = c.searches + excluded.searches,
  zero_results = c.zero_results + excluded.zero_results, fallbacks = c.fallbacks + excluded.fallbacks
""")
_ASK = text("""
insert into search_askers (day, hash, asker)
select cast(:day as date), hash, asker from unnest(cast(:hashes as bytea[]), cast(:askers as bytea[])) as t(hash, asker)
where exists (select from search_counts c where c.day = :day and c.hash = t.hash)
  and not exists (select from search_texts s where s.hash = t.hash)
on conflict do nothing
""")
_SHARED = text("""
select t.hash from unnest(cast(:hashes as bytea[])) as t(hash)
where not exists (select from search_texts s where s.hash = t.hash)
  and ((select count(*) from search_counts c where c.hash = t.hash) >= :enough
    or (select count(*) from search_askers a where a.day = :day and a.hash = t.hash) >= :enough)
""")
_TELL = text("""
insert into search_texts (hash, kind, text)
select * from unnest(cast(:hashes as bytea[]), cast(:kinds as text[]), cast(:texts as text[])) on conflict do nothing
""")
_FORGET_ASKERS = text("""
delete from search_askers a
where day < cast(:today as date) or exists (select from search_texts s where s.hash = a.hash)
""")
_FORGET_COUNTS = text("""
delete from search_counts c where day <= cast(:kept_after as date) or (
  day <= cast(:unshared_after as date) and not exists (select from search_texts s where s.hash = c.hash))
""")
_FORGET_TEXTS = text("""
delete from search_texts s where not exists (select from search_counts c where c.hash = s.hash)
""")


@dataclass(slots=True)
class _Heard:
    """How often a text came since it was last stored."""

    kind: HeardKind
    text: str
    searches: int = 0
    zero_results: int = 0
    fallbacks: int = 0
    askers: set[bytes] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a search."""

    matches: int
    is_fallback: bool
    unmatched: Sequence[str]
    """The words that meant nothing."""


class SearchLearning:
    """What one process has heard since it last stored it; bounded, and lost with the process."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._texts_key = derive_key(key, "search texts")
        self._day: date | None = None
        self._day_key = b""
        self._heard: dict[tuple[date, bytes], _Heard] = {}

    def hear(self, address: str, query: str, outcome: Outcome) -> None:
        """Count a search from `address`, in memory alone; queries with personal numbers are not heard at all."""
        if find_identifier(query) is not None or _PERSONAL.search(query) is not None:
            return
        zero_results, fallbacks = int(outcome.matches == 0), int(outcome.is_fallback)
        self._count(HeardKind.QUERY, fold(query)[:LONGEST].rstrip(), address, zero_results, fallbacks)
        for word in dict.fromkeys(outcome.unmatched):
            if len(word) <= LONGEST_WORD and not word.isdigit():
                self._count(HeardKind.WORD, word, address, zero_results, fallbacks)

    def _count(self, kind: HeardKind, words: str, address: str, zero_results: int, fallbacks: int) -> None:
        day = utc_now().date()
        hash_ = hmac.digest(self._texts_key, f"{kind.value}\0{words}".encode(), "sha256")
        heard = self._heard.get((day, hash_))
        if heard is None:
            if not words or len(self._heard) >= MOST_HEARD:
                return
            heard = self._heard[day, hash_] = _Heard(kind, words)
        heard.searches += 1
        heard.zero_results += zero_results
        heard.fallbacks += fallbacks
        if len(heard.askers) < ENOUGH:
            heard.askers.add(hmac.digest(self._key_of(day), hash_ + address.encode(), "sha256"))

    def _key_of(self, day: date) -> bytes:
        """The key of that day's addresses: of no use on another day."""
        if day != self._day:
            self._day, self._day_key = day, derive_key(self._key, f"search addresses {day.isoformat()}")
        return self._day_key

    async def store(self, session: Session) -> None:
        """Store what was heard, tell the texts that have become anybody's, and forget what is old.

        Of several processes one at a time: the fifth address counts, whichever of them it came to. What cannot be
        stored waits for the next time.
        """
        taken, self._heard = self._heard, {}
        try:
            await session.execute(_ALONE, {"lock": _LOCK})
            for day in sorted({day for day, _ in taken}):
                await _store(session, day, {hash_: heard for (of, hash_), heard in taken.items() if of == day})
            await _forget(session, utc_now().date())
        except BaseException:
            for key, heard in taken.items():
                if len(self._heard) < MOST_HEARD:
                    self._heard.setdefault(key, heard)
            raise


@dataclass(frozen=True, slots=True)
class Listener:
    """Hears the searches of one address."""

    learning: SearchLearning
    address: str

    def hear(self, query: str, outcome: Outcome) -> None:
        """Count a search."""
        self.learning.hear(self.address, query, outcome)


def unmatched_words(knowledge: Knowledge, understanding: Understanding) -> list[str]:
    """The words that meant nothing: no evidence of a need, no conversation, no place."""
    if len(understanding.concepts) >= MOST_CONCEPTS:  # those cut off may mean something
        return []
    used = {word for concept in understanding.concepts for word in concept.words}
    if (reading := understanding.reading) is not None:
        used.update(understanding.words[reading.start : reading.end])
    return [
        word
        for word in understanding.words
        if len(word) >= SHORTEST_WORD
        and word not in used
        and word not in KNOWN
        and word not in knowledge.gazetteer.words
        and knowledge.lexeme(word) != ""  # which the database leaves out of every text
    ]


async def _store(session: Session, day: date, taken: Mapping[bytes, _Heard]) -> None:
    await session.execute(_COUNT, {"day": day, "most": MOST_A_DAY, **_columns(taken)})
    asked = [(hash_, asker) for hash_, heard in taken.items() for asker in heard.askers]
    hashes, askers = [hash_ for hash_, _ in asked], [asker for _, asker in asked]
    await session.execute(_ASK, {"day": day, "hashes": hashes, "askers": askers})
    given = {"day": day, "hashes": [*taken], "enough": ENOUGH}
    shared = [row.hash for row in await session.execute(_SHARED, given)]
    if shared:  # no other text leaves this process, not even as a value that a statement does not keep
        await session.execute(_TELL, _texts(shared, taken))


async def _forget(session: Session, today: date) -> None:
    await session.execute(_FORGET_ASKERS, {"today": today})
    kept_after, unshared_after = (today - timedelta(days=days) for days in (KEPT_DAYS, UNSHARED_DAYS))
    await session.execute(_FORGET_COUNTS, {"kept_after": kept_after, "unshared_after": unshared_after})
    await session.execute(_FORGET_TEXTS)


def _columns(taken: Mapping[bytes, _Heard]) -> dict[str, Any]:
    heard = taken.values()
    return {
        "hashes": [*taken],
        "searches": [one.searches for one in heard],
        "zero_results": [one.zero_results for one in heard],
        "fallbacks": [one.fallbacks for one in heard],
    }


def _texts(shared: Iterable[bytes], taken: Mapping[bytes, _Heard]) -> dict[str, Any]:
    told = [(hash_, taken[hash_]) for hash_ in shared]
    return {
        "hashes": [hash_ for hash_, _ in told],
        "kinds": [heard.kind.value for _, heard in told],
        "texts": [heard.text for _, heard in told],
    }
