"""What people say and what it means: phrases that lead to codes of the taxonomy, held for look-up."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import Final, NamedTuple

from vibe4vets.resources.models import EntryKind
from vibe4vets.resources.service.search.conversation import COMMON, EVERYDAY, JOINING, VETERAN
from vibe4vets.resources.service.search.plain import common_words

MOST_WORDS: Final = 6
SURE_WEIGHT: Final = 0.99
"""A code of at least this weight is what a phrase means; those below it are near to it."""

_OF_ALL: Final = frozenset(["veteran", "va"])
_UNTELLING: Final = COMMON | {"va"}


@dataclass(frozen=True, slots=True)
class Meaning:
    """An entry of the lexicon: what its phrase means."""

    phrase: str
    kind: EntryKind
    codes: Mapping[str, float] = field(default_factory=dict)
    official_words: tuple[str, ...] = ()

    @property
    def primary(self) -> list[str]:
        """The codes that the phrase means, as against those near to it."""
        return [code for code, weight in self.codes.items() if weight >= SURE_WEIGHT]


class Match(NamedTuple):
    """Words `start` to `end` of a text, and what they mean."""

    start: int
    end: int
    meaning: Meaning


def phrase_key(words: Sequence[str]) -> str:
    """One form of a phrase: without joining words, in the singular, every word for a Veteran the same."""
    return " ".join(_singular(word) for word in words if len(words) == 1 or word not in JOINING)


def _in_singular(words: Sequence[str]) -> str:
    """A phrase with all of its words, each in one form."""
    return " ".join(map(_singular, words))


@lru_cache(maxsize=20_000)
def _singular(word: str) -> str:
    if word in VETERAN:
        return "veteran"
    if len(word) > 3 and word.endswith("ies"):  # noqa: PLR2004  "dies" is no plural of "dy"
        return f"{word[:-3]}y"
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us")):  # noqa: PLR2004
        return word[:-1]
    return word


class Lexicon:
    """Every entry by its phrase, by the key of its phrase, and the words of all phrases; of equals the first holds."""

    def __init__(self, meanings: Iterable[Meaning]) -> None:
        self._by_phrase: dict[str, Meaning] = {}
        self._by_key: dict[str, Meaning] = {}
        for meaning in meanings:
            self._by_phrase.setdefault(meaning.phrase, meaning)
            key = phrase_key(meaning.phrase.split())
            if key in EVERYDAY or key in common_words():
                # "have to be out by" is no entry for "out"
                key = _in_singular(meaning.phrase.split())
            if meaning.codes and any(word not in _UNTELLING for word in key.split()):
                self._by_key.setdefault(key, meaning)
        known = [*map(str.split, self._by_phrase), *map(str.split, self._by_key)]
        self._ends = {(words[0], words[-1]) for words in known}
        self._after: dict[str, set[str]] = defaultdict(set)
        self._before: dict[str, set[str]] = defaultdict(set)
        for one, other in (pair for words in known for pair in pairwise(words)):
            self._after[one].add(other)
            self._before[other].add(one)
        self.words = frozenset(word for phrase in self._by_phrase for word in phrase.split())
        self.texts = self.words | {word for m in self._by_phrase.values() for word in m.official_words}

    def synonym(self, word: str) -> tuple[str, ...]:
        """What else a single word is written as, none for most."""
        meaning = self._by_phrase.get(word)
        return meaning.official_words if meaning is not None and not meaning.codes else ()

    def after(self, word: str) -> Collection[str]:
        """The words that follow `word` in any phrase."""
        return self._after.get(word, ())

    def beside(self, before: str, after: str) -> set[str]:
        """The words that follow the one, or come before the other, in any phrase."""
        return self._after.get(before, set()) | self._before.get(after, set())

    def matches(self, words: Sequence[str], taken: Collection[int] = ()) -> list[Match]:
        """What the words mean; no word is read twice, and none of those `taken`.

        The phrase with the most telling words comes first: "free dental care" is "dental care" rather than "free
        dental", and "transitional housing for women" no "housing for women". Of equals the longest does.
        """
        free = [position not in taken for position in range(len(words))]
        singular = [_singular(word) for word in words]
        telling = list(accumulate((word not in COMMON for word in words), initial=0))
        known = [
            Match(start, start + length, meaning)
            for length in range(1, min(MOST_WORDS, len(words)) + 1)
            for start in self._starts(words, singular, length)
            if (meaning := self._meaning(words[start : start + length]))
        ]
        found = []
        for match in sorted(known, key=lambda m: (telling[m.start] - telling[m.end], m.start - m.end, m.start)):
            if all(free[match.start : match.end]):
                free[match.start : match.end] = [False] * (match.end - match.start)
                found.append(match)
        return sorted(found, key=lambda match: match.start)

    def _starts(self, words: Sequence[str], singular: Sequence[str], length: int) -> list[int]:
        """Where a phrase of so many words may be: in a long text hardly any two words begin and end one.

        The word for a Veteran may stand before and behind any phrase.
        """
        forms = zip(
            zip(singular, singular[length - 1 :], strict=False),
            zip(words, words[length - 1 :], strict=False),
            strict=True,
        )
        return [
            at
            for at, (form, written) in enumerate(forms)
            if form in self._ends or written in self._ends or "veteran" in form
        ]

    def _meaning(self, words: Sequence[str]) -> Meaning | None:
        exact = self._by_phrase.get(" ".join(words))
        if exact is not None:
            return exact if exact.codes else None
        ends = (words[0], words[-1])
        if len(words) > 1 and any(word in JOINING for word in ends):
            return self._by_key.get(_in_singular(words))
        key = phrase_key(words)
        if (found := self._by_key.get(key)) is not None:
            return found
        if len(words) < 3 or any(word in COMMON for word in ends):  # noqa: PLR2004
            return None
        # "homeless veteran shelter" is a homeless shelter: in a directory for Veterans the word tells nothing
        return self._by_key.get(" ".join(word for word in key.split() if word not in _OF_ALL))
