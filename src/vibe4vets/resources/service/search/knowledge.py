"""Everything that understanding a query needs, in memory; read anew when an answer tells that it changed."""

import asyncio
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from vibe4vets.core.database import Session
from vibe4vets.resources.service.places import Gazetteer, LivePlaces
from vibe4vets.resources.service.search import codes
from vibe4vets.resources.service.search.conversation import COMMON, KNOWN
from vibe4vets.resources.service.search.lexicon import Lexicon
from vibe4vets.resources.service.search.plain import plain_words, spelt_words
from vibe4vets.resources.service.search.spelling import Speller, likelihood, may_be_misspelt
from vibe4vets.resources.service.search.stored import (
    Versions,
    Vocabulary,
    load_lexicon,
    load_vocabulary,
    read_versions,
    stem,
)

_OFTEN: Final = 100
"""A word of conversation is typed as often as one that so many resources have: "thir" is "their" and not "third"."""
_MANY: Final = 10
"""So many resources have no word by mistake."""


@dataclass(frozen=True)
class Knowledge:
    """The lexicon, the words of the directory and the places, as of `versions`."""

    versions: Versions
    lexicon: Lexicon
    vocabulary: Vocabulary
    gazetteer: Gazetteer
    lexemes: Mapping[str, str]
    """Of the words that the lexicon and conversation have beyond the directory."""

    @cached_property
    def speller(self) -> Speller:
        counts = dict.fromkeys(KNOWN | self.lexicon.words | self.gazetteer.words, 0) | self.vocabulary.words
        counts |= {word: max(_OFTEN, counts.get(word, 0)) for word in COMMON}
        return Speller(
            {word: likelihood(count, is_in_lexicon=word in self.lexicon.words) for word, count in counts.items()}
        )

    @property
    def _spelt(self) -> frozenset[str]:
        """What is spelt right by itself: with names, where no file has told what cities are called."""
        return plain_words() if self.gazetteer.is_complete else spelt_words()

    def knows(self, word: str) -> bool:
        """Whether the word is written somewhere, or of a kind that is never repaired."""
        return (
            not may_be_misspelt(word)
            or word in KNOWN
            or word in self.vocabulary.words
            or word in self.lexicon.words
            or word in self.gazetteer.words
            or word in self._spelt
        )

    def is_doubtful(self, word: str) -> bool:
        """Whether a few records are all that says that there is such a word: they may have a slip of their own."""
        return (
            may_be_misspelt(word)
            and self.vocabulary.words.get(word, _MANY) < _MANY
            and not (word in KNOWN or word in self.lexicon.words or word in self.gazetteer.words)
            and word not in self._spelt
        )

    def lexeme(self, word: str) -> str | None:
        """What the index calls the word: empty when it leaves it out, None when the word is unknown."""
        found = self.vocabulary.lexeme_of.get(word)
        return self.lexemes.get(word) if found is None else found

    def resources(self, lexeme: str) -> int:
        """How many resources have the lexeme, as last counted."""
        return self.vocabulary.lexemes.get(lexeme, 0)

    def resources_with_code(self, code: str) -> int:
        """How many resources have a code of the lexicon, given or derived."""
        name = codes.of_lexicon(code)
        return self.resources(name) + (self.resources(codes.derived_tag(code)) if name[0] == "#" else 0)

    def rarity(self, resources: int) -> float:
        """The weight of what so many resources have (BM25's idf)."""
        total = max(self.versions.resources, resources)
        return math.log(1 + (total - resources + 0.5) / (resources + 0.5))


class SearchKnowledge:
    """The knowledge of one process. A search reads it as it is; the first one, and one that finds it old, renew it."""

    def __init__(self, places: LivePlaces) -> None:
        self.places = places
        self._current: Knowledge | None = None
        self._renewing = asyncio.Lock()

    async def current(self, session: Session) -> Knowledge:
        """What is known, loaded at the first call; the places are as new as they keep themselves."""
        known = self._current or await self.renewed(session, instead_of=None)
        gazetteer = await self.places.current(session)
        if known.gazetteer is not gazetteer:
            known = self._current = replace(known, gazetteer=gazetteer)
        return known

    async def renewed(self, session: Session, *, instead_of: Knowledge | None) -> Knowledge:
        """What is known now; whoever comes while another loads takes that."""
        async with self._renewing:
            if self._current is None or self._current is instead_of:
                self._current = await _load(session, self._current, await self.places.current(session))
            return self._current


async def _load(session: Session, known: Knowledge | None, gazetteer: Gazetteer) -> Knowledge:
    versions = await read_versions(session)
    lexicon = await load_lexicon(session, versions.lexicon)
    if known is not None and known.versions.vocabulary == versions.vocabulary:
        vocabulary = known.vocabulary
    else:
        vocabulary = await load_vocabulary(session)
    beyond = (KNOWN | lexicon.texts) - vocabulary.lexeme_of.keys()
    return Knowledge(versions, lexicon, vocabulary, gazetteer, await stem(session, set(beyond)))
