"""Putting a query's spelling right: slips in words, words that were torn apart, and words that ran into one."""

import re
from collections.abc import Collection, Mapping
from typing import Final

from vibe4vets.resources.folding import fold
from vibe4vets.resources.service.search.conversation import COMMON
from vibe4vets.resources.service.search.knowledge import Knowledge
from vibe4vets.resources.service.search.spelling import MOST_REPAIRED

MOST_WORDS: Final = 32
_WORD: Final = re.compile(r"[^\W_]+(?:['\u2019\u02bc`][^\W_]+)*")
_TORN: Final = re.compile(rf"(?=({_WORD.pattern})([ -])({_WORD.pattern}))")
_SHORTEST_PART, _SHORTEST_WHOLE = 3, 7


def unknown_words(knowledge: Knowledge, query: str) -> list[str]:
    """The words that may be misspelt, each once; none when most of the query is in no language of ours."""
    words = dict.fromkeys(fold(query).split()[:MOST_WORDS])
    unknown = [word for word in words if not knowledge.knows(word)]
    return unknown if len(unknown) <= MOST_REPAIRED else []


def repair(knowledge: Knowledge, query: str, unknown: Collection[str]) -> dict[str, str]:
    """What to write instead of words: of the unknown ones, and of those that only a careless record knows."""
    words = fold(query).split()[:MOST_WORDS]
    found = {}
    for before, word, after in zip(["", *words], words, [*words[1:], ""], strict=False):
        beside = knowledge.lexicon.beside(before, after)
        if word in unknown:
            found[word] = _parted(knowledge, word) or knowledge.speller.repair(word, beside)
        elif word not in COMMON and knowledge.is_doubtful(word):
            found[word] = knowledge.speller.meant(word, beside)
    return {word: known for word, known in found.items() if known is not None}


def rewrite(knowledge: Knowledge, query: str, repairs: Mapping[str, str]) -> str:
    """The query with its repairs, and with the words whole that were torn apart."""
    text = _WORD.sub(lambda found: repairs.get(fold(found[0]), found[0]), query) if repairs else query
    for found in _TORN.finditer(text):
        one, between, other = found.groups()
        if _is_torn(knowledge, fold(one), fold(other)):
            text = text.replace(f"{one}{between}{other}", f"{one}{other}", 1)
    return text


def _is_torn(knowledge: Knowledge, one: str, other: str) -> bool:
    """Whether "home less" is a word of the lexicon, and no two of its words stand so."""
    whole = one + other
    return (
        len(whole) >= _SHORTEST_WHOLE
        and whole in knowledge.lexicon.words
        and COMMON.isdisjoint((one, other))
        and other not in knowledge.lexicon.after(one)
    )


def _parted(knowledge: Knowledge, word: str) -> str | None:
    """Two words that the lexicon has one after the other, written as one: "homelessshelter", "#legalaid"."""
    if len(word) < _SHORTEST_WHOLE:
        return None
    parts = ((word[:at], word[at:]) for at in range(_SHORTEST_PART, len(word) - _SHORTEST_PART + 1))
    return next((f"{one} {other}" for one, other in parts if other in knowledge.lexicon.after(one)), None)
