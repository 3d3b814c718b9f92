"""Putting a query's spelling right: slips in words, words that were torn apart, and words that ran into one."""

import re
from collections.abc import Collection, Container, Mapping
from typing import Final

from vibe4vets.resources.folding import fold
from vibe4vets.resources.geography import STATES
from vibe4vets.resources.service.search.conversation import COMMON, SPANISH
from vibe4vets.resources.service.search.knowledge import Knowledge
from vibe4vets.resources.service.search.spelling import MOST_REPAIRED, SHORTEST, TENFOLD

MOST_WORDS: Final = 32
_WORD: Final = re.compile(r"[^\W_]+(?:['\u2019\u02bc`][^\W_]+)*")
_TORN: Final = re.compile(rf"(?=({_WORD.pattern})([ -])({_WORD.pattern}))")
# By code or by name; codes that are words of a sentence tell of no place before them.
_SAID: Final = {"AS", "HI", "IN", "ME", "OK", "OR"}
_STATES: Final = {code.lower(): code for code in STATES if code not in _SAID} | {
    fold(name): code for code, name in STATES.items()
}
_SHORTEST_PART, _SHORTEST_WHOLE, _LONG = 3, 7, 6


def unknown_words(knowledge: Knowledge, query: str) -> list[str]:
    """The words that may be misspelt, each once; none when most of the query is in no language of ours."""
    words = dict.fromkeys(fold(query).split()[:MOST_WORDS])
    unknown = [word for word in words if not knowledge.knows(word)]
    return unknown if len(unknown) <= MOST_REPAIRED else []


def repair(knowledge: Knowledge, query: str, unknown: Collection[str], formed: Container[str]) -> dict[str, str]:
    """What to write instead of words: of the unknown ones, and of those that only a careless record knows.

    A word that is `formed` of a known stem is a slip only of a word of the lexicon: "centr", "groceris".
    """
    words = fold(query).split()[:MOST_WORDS]
    found: dict[str, str] = {}
    for _ in range(2):  # what is right by now tells more of what stands beside it
        said = ["", *(found.get(word, word) for word in words), ""]
        for word, before, after in zip(words, said, said[2:], strict=False):
            if word in found and len(said) <= 3:  # noqa: PLR2004  nothing stands beside the only word
                continue
            known = _meant(knowledge, word, unknown, formed, _Beside(knowledge, before, after))
            # the words of a directory in English are not what a slip in Spanish meant
            if known is not None and (SPANISH.isdisjoint(words) or known in knowledge.lexicon.words):
                found[word] = known
    return found


def _meant(
    knowledge: Knowledge, word: str, unknown: Collection[str], formed: Container[str], beside: Container[str]
) -> str | None:
    """What was meant by one word, None when it stays as it is."""
    speller, lexicon = knowledge.speller, knowledge.lexicon
    if word in formed:
        return speller.meant(word, beside) or speller.meant(word, lexicon.words)
    if word in unknown:
        return _parted(knowledge, word) or speller.repair(word, beside)
    if word in COMMON:
        return None
    if knowledge.is_doubtful(word):
        often = lexicon.words if len(word) >= _LONG else ()
        return speller.meant(word, beside, more=TENFOLD) or speller.meant(word, often, more=2.5 * TENFOLD)
    if len(word) == SHORTEST - 1 and word.isalpha() and not knowledge.lexeme(word):
        return speller.meant(word, beside)
    return None


class _Beside:
    """The words that go with what stands before and behind: in a phrase of the lexicon, or in the name of a place."""

    def __init__(self, knowledge: Knowledge, before: str, after: str) -> None:
        self._gazetteer, self._before, self._after = knowledge.gazetteer, before, after
        self._phrases = knowledge.lexicon.beside(before, after)

    def __contains__(self, word: object) -> bool:
        return isinstance(word, str) and (word in self._phrases or self._is_of_place(word))

    def _is_of_place(self, word: str) -> bool:
        has_city, state = self._gazetteer.has_city, _STATES.get(self._after)
        return (
            has_city([self._before, word])
            or has_city([word, self._after])
            or (state is not None and has_city([word], state))
        )


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
