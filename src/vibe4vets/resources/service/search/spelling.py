"""Repairing words that nobody has written before: not the directory, not the lexicon, not the gazetteer."""

import math
from collections import defaultdict
from collections.abc import Container, Iterator, Mapping
from typing import Final

SHORTEST: Final = 4
MOST_REPAIRED: Final = 8
"""A text of many unknown words is in another language, or nonsense."""
_FIRST_LETTER: Final = 0.5
_FREQUENCY, _IN_LEXICON = 0.25, 0.4
TENFOLD: Final = _FREQUENCY
"""How much likelier a word is that ten times as many resources have."""
_FITS: Final = 1.0
"""For a word that is spoken of together with what stands beside it: "sucie hotline" is no "lucie hotline"."""
_ALPHABET: Final = "abcdefghijklmnopqrstuvwxyz"


def likelihood(resources: int, *, is_in_lexicon: bool) -> float:
    """How likely a word is to be typed: by the resources that have it, and more if needs are spoken of with it."""
    return _FREQUENCY * math.log10(1 + resources) + _IN_LEXICON * is_in_lexicon


def may_be_misspelt(word: str) -> bool:
    """Whether a word is of a kind that is repaired: letters alone, and not too few."""
    return len(word) >= SHORTEST and word.isascii() and word.isalpha()


def _most_edits(word: str) -> int:
    return 1 if len(word) < 6 else 2 if len(word) < 10 else 3  # noqa: PLR2004


class Speller:
    """Finds the known word that was meant. `known` tells how likely each word is to be typed."""

    def __init__(self, known: Mapping[str, float]) -> None:
        self._known = {word: likely for word, likely in known.items() if may_be_misspelt(word)}
        self._by_first: dict[str, list[tuple[int, str]]] = defaultdict(list)
        for word in self._known:
            self._by_first[word[0]].append((_letters(word), word))

    def repair(self, word: str, fits: Container[str] = ()) -> str | None:
        """The likeliest known word that few edits make of `word`; None when there is none.

        One that `fits` what stands beside it is likelier, and may be an edit further away.
        """
        near = dict(self._far(word, fits))
        near |= {candidate: 1 for candidate in _edits(word) if candidate in self._known}
        if len(word) == SHORTEST:  # any four letters are one edit from something: "cert" from "wert"
            near = {other: edits for other, edits in near.items() if other[0] == word[0] or other in fits}
        costs = {
            candidate: self._cost(word, candidate, edits) - _FITS * (candidate in fits)
            for candidate, edits in near.items()
        }
        return min(costs, key=lambda candidate: (costs[candidate], candidate), default=None)

    def meant(self, word: str, among: Container[str], *, more: float = 0.0) -> str | None:
        """The likeliest word `among` others that one edit makes of one that is known; by so much `more` likely."""
        likely = self._known.get(word, 0.0) + more
        found = {other for other in _edits(word) if self._known.get(other, -1.0) >= likely and other in among}
        return max(found - {word}, key=lambda other: (self._known[other], other), default=None)

    def _cost(self, word: str, candidate: str, edits: int) -> float:
        first = _FIRST_LETTER * (word[0] == candidate[0])
        return edits - self._known[candidate] - first - _likeness(word, candidate)

    def _far(self, word: str, fits: Container[str]) -> Iterator[tuple[str, int]]:
        """Words of the same first letter that two or three edits make of `word`."""
        usual, letters = _most_edits(word), _letters(word)
        for mask, candidate in self._by_first.get(word[0], ()):
            # an edit changes at most two letters of the set
            least = max(abs(len(candidate) - len(word)), ((mask ^ letters).bit_count() + 1) // 2)
            if least > max(usual, 2):
                continue
            most = max(usual, 2) if usual == 1 and candidate in fits else usual
            if least <= most:
                edits = distance(word, candidate, most)
                if edits <= most:
                    yield candidate, edits


def _letters(word: str) -> int:
    """The set of letters as bits."""
    mask = 0
    for letter in word:
        mask |= 1 << (ord(letter) & 31)
    return mask


def _likeness(word: str, other: str) -> float:
    """The part of letter pairs that two words share."""
    pairs, others = ({text[at : at + 2] for at in range(len(text) - 1)} for text in (word, other))
    return len(pairs & others) / max(1, len(pairs | others))


def _edits(word: str) -> Iterator[str]:
    """Everything that one missing, added, wrong or swapped letter makes of `word`."""
    for at in range(len(word) + 1):
        head, tail = word[:at], word[at:]
        if tail:
            yield head + tail[1:]
            yield from (head + letter + tail[1:] for letter in _ALPHABET)
        if len(tail) > 1:
            yield head + tail[1] + tail[0] + tail[2:]
        yield from (head + letter + tail for letter in _ALPHABET)


def distance(word: str, other: str, most: int) -> int:
    """How many letters are missing, added, wrong or swapped; more than `most` once it is sure to be more."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(word, start=1):
        further, before, row = before, row, [i]
        for j, wanted in enumerate(other, start=1):
            value = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and word[i - 2] == wanted:
                value = min(value, further[j - 2] + 1)
            row.append(value)
        if min(row) > most:
            return most + 1
    return row[-1]
