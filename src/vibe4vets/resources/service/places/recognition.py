"""Reading a place out of what a person types: "homless shelter columbus oh" stands near Columbus, Ohio.

Every run of up to five words is looked up; the best reading wins, by the order of `_Rank` and then by length.
Two letters that are a word as well as a state's code ("in", "me", "or") need more than the letters.
"""

from collections.abc import Container, Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from importlib.resources import files
from typing import Final

from vibe4vets.resources.folding import written_words
from vibe4vets.resources.geography import STATES
from vibe4vets.resources.service.places.atlas import MOST_WORDS, Atlas, Candidate, state_named, state_place
from vibe4vets.resources.service.places.place import PlaceKind, Reading

SURE, LIKELY, PERHAPS, HARDLY = 1.0, 0.8, 0.7, 0.5
_MOST_OTHERS: Final = 5
BEFORE_A_PLACE: Final = frozenset(["in", "near", "around", "at", "from", "to", "by", "outside", "en", "cerca"])
_AFTER: Final = frozenset(["area", "metro"])
_COUNTY: Final = frozenset(["county", "parish", "borough"])
# Words of the language, in small letters no code unless they end the text or follow a comma.
_WORDS: Final = frozenset(["as", "in", "me", "or"])
# Words and abbreviations that people write in capitals too: a card, a disease, an answer.
_SAID_IN_CAPITALS: Final = _WORDS | {"hi", "id", "md", "ms", "oh", "ok", "pa", "va"}
# Codes that, in small letters, also end sentences that name no state.
_SAID_AT_THE_END: Final = _SAID_IN_CAPITALS | {"al", "co", "de", "la", "ma", "mo", "mt", "ne"}
# Codes that begin a sentence as a word or a thing: "mi esposo", "CT scan".
_SAID_AT_THE_START: Final = _SAID_AT_THE_END | {"ct", "mi"}
# Before these, in Spanish, "mi" and "la" are no states.
_SPANISH: Final = frozenset(["de", "para", "por", "con", "en", "a", "y", "que", "cerca", "como"])
_LARGE, _KNOWN, _MOSTLY, _OFTEN = 8, 3, 0.6, 0.4


@cache
def ordinary_words() -> frozenset[str]:
    """Folded words of what people type about themselves and what the directory is about, each a town's name too."""
    text = (files("vibe4vets.resources.service.places") / "ordinary_words.txt").read_text(encoding="utf-8")
    return frozenset(word for line in text.splitlines() if not line.startswith("#") for word in line.split())


class _Rank(IntEnum):
    """Which reading of a text wins."""

    CITY = 1
    STATE_CODE = 2
    CITY_AFTER_IN = 3
    STATE_NAME = 4
    CITY_NAMED_AFTER_STATE = 5
    CITY_AND_STATE = 6
    COUNTY = 7
    ZIP = 8


@dataclass(frozen=True, slots=True)
class _State:
    """A state named from one word on."""

    code: str
    end: int


class Recognition:
    """The readings of one text. `common` holds folded words that mean something else than a place."""

    def __init__(self, atlas: Atlas, text: str, common: Container[str] = ()) -> None:
        self._atlas, self._common = atlas, common
        self._written = written_words(text)
        self.words = [word.lower() for word in self._written]
        self._is_shouted = text.upper() == text
        self._commas = _commas(text, len(self.words))

    def best(self) -> Reading | None:
        """The reading that wins, None where nothing is a place; of equals the longer, then the first."""
        readings = [(rank, r.end - r.start, -r.start, r) for rank, r in self._all()]
        return max(readings, key=lambda found: found[:3])[3] if readings else None

    def whole(self) -> Reading | None:
        """The reading of all words as one place smaller than a state, if there is but one."""
        whole = (0, len(self.words))
        readings = [(rank, r) for rank, r in self._all() if (r.start, r.end) == whole and not r.others]
        places = [(rank, r) for rank, r in readings if r.place.kind is not PlaceKind.STATE]
        return max(places, key=lambda found: found[0])[1] if places else None

    def _all(self) -> Iterator[tuple[_Rank, Reading]]:
        for start in range(len(self.words)):
            yield from self._zip(start)
            yield from self._state_code(start)
            for end in range(start + 1, min(start + MOST_WORDS, len(self.words)) + 1):
                yield from self._county(start, end)
                yield from self._city(start, end)
                yield from self._state_name(start, end)

    def _zip(self, start: int) -> Iterator[tuple[_Rank, Reading]]:
        digits = self.words[start]
        if len(digits) != 5 or not digits.isdigit() or not self._atlas.knows_zip(digits):  # noqa: PLR2004
            return
        place = self._atlas.zip_code(digits)
        if place is not None:
            yield _Rank.ZIP, Reading(place, start, start + 1, SURE)

    def _county(self, start: int, end: int) -> Iterator[tuple[_Rank, Reading]]:
        if end == len(self.words) or self.words[end] not in _COUNTY:
            return
        named = self._state_at(end + 1)
        found = self._atlas.counties(self.words[start:end], named.code if named else None)
        if not found and named is not None:
            named, found = None, self._atlas.counties(self.words[start:end])
        if found:
            sure = SURE if len(found) == 1 else LIKELY
            yield _Rank.COUNTY, _reading(found, start, named.end if named else end + 1, sure)

    def _city(self, start: int, end: int) -> Iterator[tuple[_Rank, Reading]]:
        found = self._atlas.cities(self.words[start:end])
        named = self._state_at(end) if found else None
        there = [city for city in found if named and city.place.state == named.code]
        if named and there and self._may_be_name(start, end, there[0]):
            yield _Rank.CITY_AND_STATE, _reading(there, start, named.end, SURE)
        elif found and (not self._is_ordinary(start, end) or self._is_written_as_name(found, start, end)):
            yield from self._city_alone(found, start, end)

    def _may_be_name(self, start: int, end: int, city: Candidate) -> bool:
        """Ordinary words before a state are a city's name if it is a large one, or written as a name."""
        is_ordinary = self._is_ordinary(start, end)
        return not is_ordinary or city.weight >= _KNOWN or end - 1 in self._commas or self._is_capital(start)

    def _is_written_as_name(self, found: list[Candidate], start: int, end: int) -> bool:
        """Whether ordinary words are a city's all the same: "in Reading", "legal aid Independence", "Fort Worth"."""
        if end - start > 1:
            return found[0].weight >= _LARGE and found[0].share > _MOSTLY
        is_last_alone = end == len(self.words) and start > 0 and not any(map(self._is_capital, range(1, start)))
        after_in = start > 0 and self.words[start - 1] in BEFORE_A_PLACE
        return self._is_capital(start) and (after_in or is_last_alone)

    def _city_alone(self, found: list[Candidate], start: int, end: int) -> Iterator[tuple[_Rank, Reading]]:
        first, is_last = found[0], end == len(self.words)
        stop = end + (not is_last and self.words[end] in _AFTER)
        if (start and self.words[start - 1] in BEFORE_A_PLACE) or stop > end:
            sure = SURE if first.share > _MOSTLY else LIKELY
            yield _Rank.CITY_AFTER_IN, _reading(found, start, stop, sure)
        known = first.weight >= (_KNOWN if self._atlas.complete else 1) and first.share >= _OFTEN
        if known and self._has_state_inside(start, end):
            sure = SURE if first.share > _MOSTLY else LIKELY
            yield _Rank.CITY_NAMED_AFTER_STATE, _reading(found, start, stop, sure)
        elif known and (start == 0 or is_last or self._is_department(end)):
            yield _Rank.CITY, _reading(found, start, end, PERHAPS if first.weight >= _LARGE else HARDLY)

    def _has_state_inside(self, start: int, end: int) -> bool:
        """Whether a city's name holds that of a state: "Kansas City" is no city of Kansas alone."""
        words = self.words[start:end]
        inner = [words[a:b] for a in range(len(words)) for b in range(a + 1, len(words) + 1) if b - a < len(words)]
        return any(state_named(part) for part in inner)

    def _is_department(self, at: int) -> bool:
        """Whether "VA" stands at a word, as in "Dayton VA clinic": the Department, not Virginia."""
        return at < len(self.words) and self.words[at] == "va"

    def _state_name(self, start: int, end: int) -> Iterator[tuple[_Rank, Reading]]:
        code = state_named(self.words[start:end])
        if code is None:
            return
        begin = start - 2 if start > 1 and self.words[start - 2 : start] == ["state", "of"] else start
        after = end + (end < len(self.words) and self.words[end] == "state")
        at_edge = begin == 0 or after == len(self.words) or self.words[begin - 1] in BEFORE_A_PLACE or after > end
        sure = SURE if at_edge and (begin or after == len(self.words) or after > end) else LIKELY
        others = tuple(city.place for city in self._atlas.cities(self.words[start:end])[:_MOST_OTHERS])
        yield _Rank.STATE_NAME, Reading(state_place(code), begin, after, sure, others)

    def _state_code(self, start: int) -> Iterator[tuple[_Rank, Reading]]:
        """A code alone, last or after "in"; "VA" alone is the Department, never Virginia."""
        word, is_last = self.words[start], start == len(self.words) - 1
        if word.upper() not in STATES or word == "va" or len(self.words) == 1:
            return
        is_capital = self._written[start].isupper() and not self._is_shouted
        after_in = start > 0 and self.words[start - 1] in {"in", "near"}
        after_comma = start - 1 in self._commas
        if is_capital and (after_in or after_comma or (is_last and word not in _SAID_IN_CAPITALS - {"oh", "pa"})):
            sure = SURE
        elif start and self.words[start - 1] in _SPANISH and word in {"mi", "la"}:
            return
        elif (
            (after_in and word not in _WORDS)
            or (is_last and (after_comma or word not in _SAID_AT_THE_END))
            or (start == 0 and word not in _SAID_AT_THE_START)
        ):
            sure = LIKELY
        elif word == "dc":
            sure = SURE
        else:
            return
        yield _Rank.STATE_CODE, Reading(state_place(word.upper()), start, start + 1, sure)

    def _state_at(self, at: int) -> _State | None:
        """The state that follows a city or county, by name or code."""
        if at >= len(self.words):
            return None
        for end in range(min(at + 4, len(self.words)), at, -1):
            if code := state_named(self.words[at:end]):
                return _State(code, end)
        word, is_last = self.words[at], at == len(self.words) - 1
        if word.upper() not in STATES:
            return None
        is_marked = is_last or at - 1 in self._commas
        if word == "va" and not (is_marked or self.words[at + 1].isdigit()):
            return None
        is_capital = self._written[at].isupper() and not self._is_shouted
        if word in _WORDS and not (is_marked or is_capital):
            return None
        return _State(word.upper(), at + 1)

    def _is_ordinary(self, start: int, end: int) -> bool:
        return all(word in ordinary_words() or word in self._common for word in self.words[start:end])

    def _is_capital(self, at: int) -> bool:
        return self._written[at][:1].isupper() and not self._is_shouted


def _reading(found: list[Candidate], start: int, end: int, sure: float) -> Reading:
    first, *others = found[: _MOST_OTHERS + 1]
    return Reading(first.place, start, end, sure, tuple(other.place for other in others))


def _commas(text: str, count: int) -> frozenset[int]:
    """The numbers of the words that a comma follows."""
    parts = [len(written_words(part)) for part in text.split(",")]
    ends = [sum(parts[: number + 1]) - 1 for number in range(len(parts) - 1)]
    return frozenset(end for end in ends if 0 <= end < count)
