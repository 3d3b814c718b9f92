"""What is stored of the lexicon and of the directory's words, read into memory once per version."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text

from vibe4vets.core.database import Session
from vibe4vets.resources.folding import fold
from vibe4vets.resources.models import EntryKind
from vibe4vets.resources.service.search.lexicon import Lexicon, Meaning

_ENTRIES = text("select phrase, kind, codes, official_words from lexicon_entries where not is_retired order by phrase")
_TERMS = text("select code, name from taxonomy_terms order by code")
_STATE = text("select lexicon, vocabulary, resources from search_state")
_WORDS = text("select word, lexeme, resources from search_words")
_LEXEMES = text("select lexeme, resources from search_lexemes")
_KNOWN = """
select word, lexeme, true as is_written from search_words where word = any($1::text[])
union all
select w.word, w.lexeme, false from (
  select word, (ts_lexize('english_stem', word))[1] as lexeme from unnest($1::text[]) as word
) w where exists (select from search_lexemes l where l.lexeme = w.lexeme)
"""
_STEMS = text("""
select word, coalesce((ts_lexize('english_stem', word))[1], '') as lexeme
from unnest(cast(:words as text[])) as word
""")
_KEPT = 4
_lexicons: OrderedDict[UUID, Lexicon] = OrderedDict()
"""By version, which is random: two databases never share one unless they share the lexicon."""


@dataclass(frozen=True, slots=True)
class Versions:
    """Which lexicon and which words of the directory are current."""

    lexicon: UUID
    vocabulary: UUID
    resources: int


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words that published resources are written in, their lexemes, and how many resources have them."""

    words: dict[str, int]
    lexeme_of: dict[str, str]
    lexemes: dict[str, int]


async def read_versions(session: Session) -> Versions:
    """What is current now."""
    return Versions(*(await session.execute(_STATE)).one())


async def load_lexicon(session: Session, version: UUID | None = None) -> Lexicon:
    """The current lexicon, or the one of a version that was just read."""
    version = version or (await read_versions(session)).lexicon
    if version not in _lexicons:
        rows = (await session.execute(_ENTRIES)).all()
        terms = (await session.execute(_TERMS)).all()
        _lexicons[version] = Lexicon([*(_meaning(*row) for row in rows), *(m for row in terms for m in _named(*row))])
        while len(_lexicons) > _KEPT:
            _lexicons.popitem(last=False)
    return _lexicons[version]


def _meaning(phrase: str, kind: str, codes: Any, official_words: str) -> Meaning:  # noqa: ANN401  JSON
    return Meaning(
        phrase, EntryKind(kind), {code: float(weight) for code, weight in codes.items()}, tuple(official_words.split())
    )


def _named(code: str, name: str) -> list[Meaning]:
    """A term by its own name and code, for whoever types those, and where the lexicon says nothing else."""
    return [Meaning(phrase, EntryKind.NEED, {code: 1.0}) for phrase in dict.fromkeys((fold(name), fold(code)))]


async def load_vocabulary(session: Session) -> Vocabulary:
    """Every word and lexeme of the directory."""
    words, lexeme_of = {}, {}
    for word, lexeme, resources in await session.execute(_WORDS):
        words[word], lexeme_of[word] = resources, lexeme
    lexemes = {row.lexeme: row.resources for row in await session.execute(_LEXEMES)}
    return Vocabulary(words, lexeme_of, lexemes)


async def stem(session: Session, words: set[str]) -> dict[str, str]:
    """The lexeme of each word as the database makes it; empty for words that it leaves out."""
    return {row.word: row.lexeme for row in await session.execute(_STEMS, {"words": sorted(words)})}


async def known_words(session: Session, words: Sequence[str]) -> tuple[dict[str, str], set[str]]:
    """The lexemes of those `words` that the directory has by now, and which of them it has in another form alone."""
    rows = await session.fetch(_KNOWN, [list(words)])
    written = {row.word for row in rows if row.is_written}
    return {row.word: row.lexeme for row in rows}, {row.word for row in rows} - written
