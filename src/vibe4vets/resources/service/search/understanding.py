"""From the words of a query to what it asks for: spelling, place, and concepts with their evidence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from vibe4vets.resources.folding import fold
from vibe4vets.resources.models import EntryKind
from vibe4vets.resources.service.crisis import speaks_of_crisis
from vibe4vets.resources.service.places import Reading
from vibe4vets.resources.service.search import codes, weights
from vibe4vets.resources.service.search.conversation import (
    COMMON,
    DAYS,
    DEADLINE,
    EVERYDAY,
    JOINING,
    NUMBERED,
    OPENING,
    VETERAN,
)
from vibe4vets.resources.service.search.knowledge import Knowledge
from vibe4vets.resources.service.search.lexicon import SURE_WEIGHT, Match
from vibe4vets.resources.service.search.plain import common_words, everyday_words, plain_words
from vibe4vets.resources.service.search.repairing import MOST_WORDS, rewrite

MOST_CONCEPTS: Final = 8
SENTENCE: Final = 10
"""Who writes so many words tells a story: the common ones that the lexicon does not know are part of it."""
FEW: Final = 4
_GENERAL: Final = frozenset(["information-referral", "case-management"])
STAND_IN: Final = ("hotline", "crisis-support", "211", "information-referral")
"""What a person whose words we do not understand is offered first."""
OFFICES: Final = (
    "county-veterans-office", "state-veterans-office", "vso-office", "va-benefits-office", "case-management",
    "vet-center", "vso-post",
)  # fmt: skip
"""Where else somebody sits who listens and knows whom to ask."""
IN_CRISIS: Final = {"crisis-support": 1.0, "counseling": 0.4}
"""What somebody needs whose words sound as if a life may be in danger, whatever else they say."""


class ConceptKind(StrEnum):
    NEED = "need"
    ACRONYM = "acronym"
    AUDIENCE = "audience"
    WEEKDAY = "weekday"
    WORD = "word"
    PLACE = "place"


@dataclass(frozen=True, slots=True)
class Evidence:
    """A lexeme of the index and what it weighs."""

    lexeme: str
    weight: float


@dataclass(frozen=True, slots=True)
class Concept:
    """One thing that the query asks for, with all that shows it in a record."""

    kind: ConceptKind
    words: tuple[str, ...]
    weight: float
    lexemes: tuple[Evidence, ...] = ()
    codes: tuple[Evidence, ...] = ()
    """By the names of the lexicon; `weight` is how near the code is to what was asked for."""
    synonyms: tuple[Evidence, ...] = ()
    official: tuple[str, ...] = ()
    """The lexemes of what an acronym is short for."""
    is_filler: bool = False
    """Whether it is but conversation, and must not decide what is found."""

    @property
    def primary(self) -> list[str]:
        """The codes that it means, as against those near to it."""
        return [code.lexeme for code in self.codes if code.weight >= SURE_WEIGHT]


@dataclass(frozen=True, slots=True)
class Understanding:
    """What a query asks for."""

    query: str
    corrected: str | None
    words: tuple[str, ...]
    concepts: tuple[Concept, ...]
    reading: Reading | None

    @property
    def named(self) -> tuple[str, ...]:
        """The words without those of a sure place: what may be a name."""
        if self.reading is None or not self.is_sure_of_place:
            return self.words
        return (*self.words[: self.reading.start], *self.words[self.reading.end :])

    @property
    def is_telling(self) -> bool:
        """Whether any of the words is more than conversation; that somebody is a Veteran is."""
        concepts = [concept for concept in self.concepts if concept.kind is not ConceptKind.PLACE]
        return any(not concept.is_filler or not VETERAN.isdisjoint(concept.words) for concept in concepts)

    @property
    def is_sure_of_place(self) -> bool:
        return self.reading is not None and self.reading.confidence >= weights.SURE_PLACE


def understand(knowledge: Knowledge, query: str, repairs: Mapping[str, str], stems: Mapping[str, str]) -> Understanding:
    """Read `query` with its `repairs`; `stems` are the lexemes of words that only the database knew."""
    corrected = rewrite(knowledge, query, repairs)
    words = tuple(fold(corrected).split()[:MOST_WORDS])
    reading = knowledge.gazetteer.recognise(corrected, common=knowledge.lexicon.words)
    if reading is not None and reading.end > len(words):
        reading = None
    reader = _Reader(knowledge, words, stems)
    concepts = reader.concepts(reading)
    if speaks_of_crisis(corrected) and not any("crisis-support" in concept.primary for concept in concepts):
        concepts = [*reader.of_crisis(), *concepts]
    concepts = concepts[:MOST_CONCEPTS]
    return Understanding(query, corrected if corrected != query else None, words, tuple(concepts), reading)


def stand_in(knowledge: Knowledge, understanding: Understanding) -> Understanding:
    """The same query, read as a question where to find help at all."""
    concepts = tuple(
        Concept(ConceptKind.NEED, (), 1.0, codes=(Evidence(code, 1.0),))
        for code in STAND_IN
        if knowledge.resources_with_code(code)
    )
    return replace(understanding, concepts=concepts, reading=None)


class _Reader:
    """Reads the concepts of one query."""

    def __init__(self, knowledge: Knowledge, words: Sequence[str], stems: Mapping[str, str]) -> None:
        self._knowledge, self._words, self._stems = knowledge, words, stems
        self._has_needs = False

    def concepts(self, reading: Reading | None) -> list[Concept]:
        """The concepts in the order of the words; those of an unsure place come last and light."""
        placed = range(reading.start, reading.end) if reading else range(0)
        matches = self._knowledge.lexicon.matches(self._words, placed)
        needs = [match for match in matches if not _is_audience(match)]
        particular = [match for match in needs if not _is_general(match)]
        self._has_needs = bool(particular)
        found = [self._of_match(match, several=bool(needs)) for match in matches]
        if particular:
            found = [
                _lightened(concept) if _is_general(match) else concept
                for match, concept in zip(matches, found, strict=True)
            ]
        covered = {at for match in matches for at in range(match.start, match.end)} | set(placed)
        found += [
            self._of_word(at)
            for at, word in enumerate(self._words)
            if at not in covered and (word not in JOINING or word in DAYS)
        ]
        if reading is not None and reading.confidence < weights.SURE_PLACE:
            found += [self._of_place(self._words[at]) for at in placed]
        return [concept for concept in found if concept.lexemes or concept.codes or concept.synonyms]

    def of_crisis(self) -> list[Concept]:
        """The need that nobody has named; none where the directory has nothing for it."""
        known = {code: near for code, near in IN_CRISIS.items() if self._knowledge.resources_with_code(code)}
        if not known:
            return []
        weight = self._knowledge.rarity(min(map(self._knowledge.resources_with_code, known)))
        return [Concept(ConceptKind.NEED, (), weight, codes=tuple(Evidence(*code) for code in known.items()))]

    def _of_match(self, match: Match, *, several: bool) -> Concept:
        words, meaning = self._words[match.start : match.end], match.meaning
        known = {code: near for code, near in meaning.codes.items() if self._knowledge.resources_with_code(code)}
        lexemes = self._evidence(words)
        if not known and not self._are_known(words):
            # a directory without dogs has no service dogs, however many services it has
            lexemes = self._evidence([word for word in words if not _is_conversation(word)])
        weight = max((evidence.weight for evidence in lexemes), default=0.0) * 0.5
        if known:
            sure = [code for code, near in known.items() if near >= SURE_WEIGHT] or [*known]
            common = max(self._knowledge.resources_with_code(code) for code in sure)
            weight = max(weight, self._knowledge.rarity(common))
        kind = ConceptKind(meaning.kind.value)
        if _is_audience(match):
            weight *= weights.AUDIENCE
            kind = ConceptKind.AUDIENCE if several else kind
        official = tuple(self._lexeme(word) or "" for word in meaning.official_words)
        return Concept(
            kind, tuple(words), weight, lexemes,
            codes=tuple(Evidence(code, near) for code, near in known.items()),
            official=official if meaning.kind is EntryKind.ACRONYM and self._all_known(official) else (),
        )  # fmt: skip

    def _of_word(self, at: int) -> Concept:
        word = self._words[at]
        if word in DAYS:
            day = codes.weekday(DAYS[word])
            known = (Evidence(day, 1.0),) if self._knowledge.resources(day) else ()
            weekday = Concept(ConceptKind.WEEKDAY, (word,), weights.WEEKDAY, codes=known)
            return weekday if self._is_of_hours(at) else _lightened(weekday)
        talk = plain_words() if self._has_needs else common_words()
        is_talk = len(self._words) >= SENTENCE and word in talk
        is_conversation = is_talk or _is_conversation(word) or (word.isdigit() and not self._is_of_name(at))
        lexemes = self._evidence((word,), light=weights.CONVERSATION if is_conversation else self._telling_part(word))
        synonyms = self._evidence(self._knowledge.lexicon.synonym(word))
        weight = max((evidence.weight for evidence in lexemes), default=1.0)
        is_filler = is_conversation or word in everyday_words()
        return Concept(ConceptKind.WORD, (word,), weight, lexemes, synonyms=synonyms, is_filler=is_filler)

    def _is_of_hours(self, at: int) -> bool:
        """Whether a weekday asks who is open then: it may also be when the rent is due."""
        if not OPENING.isdisjoint(self._words):
            return True
        return len(self._words) <= FEW and (not at or self._words[at - 1] not in DEADLINE)

    def _is_of_name(self, at: int) -> bool:
        """Whether a number may be a name's, as in "Post 44": an age, a year or a telephone number is not."""
        before = self._words[at - 1] if at else ""
        is_last = at == len(self._words) - 1
        return before in NUMBERED or (is_last and not before.isdigit() and not _is_conversation(before or "a"))

    def _of_place(self, word: str) -> Concept:
        lexemes = self._evidence((word,))
        weight = max((evidence.weight for evidence in lexemes), default=0.0) * weights.UNSURE_PLACE
        return Concept(ConceptKind.PLACE, (word,), weight, lexemes)

    def _evidence(self, words: Sequence[str], *, light: float = 1) -> tuple[Evidence, ...]:
        """The lexemes of `words` that any resource has, each once; weighed by their rarity and by `light`."""
        found: dict[str, Evidence] = {}
        # "10" of a form 10-10EZ that no record names is a number of anything
        is_whole = self._are_known(words)
        for word in words if is_whole else [word for word in words if not word.isdigit()]:
            lexeme = self._lexeme(word)
            resources = self._knowledge.resources(lexeme) if lexeme else 0
            if lexeme and lexeme not in found and (resources or word in self._stems):
                part = weights.CONVERSATION if _is_conversation(word) else light
                found[lexeme] = Evidence(lexeme, self._knowledge.rarity(max(1, resources)) * part)
        return tuple(found.values())

    def _telling_part(self, word: str) -> float:
        """What is left of the weight of a word that the lexicon does not know, the more often English has it."""
        if word in everyday_words():
            return weights.CONVERSATION
        if word in common_words():
            return weights.PLAIN
        return weights.BESIDE_NEEDS if self._has_needs and word in plain_words() else 1.0

    def _lexeme(self, word: str) -> str | None:
        return self._knowledge.lexeme(word) or self._stems.get(word)

    def _are_known(self, words: Sequence[str]) -> bool:
        return all(self._knowledge.resources(self._lexeme(word) or "") for word in words)

    def _all_known(self, lexemes: Sequence[str]) -> bool:
        return len(lexemes) > 1 and all(self._knowledge.resources(lexeme) for lexeme in lexemes)


def _is_conversation(word: str) -> bool:
    return word in COMMON or word in EVERYDAY


def _lightened(concept: Concept) -> Concept:
    """What is said beside the need, and must not decide what is found."""
    return replace(concept, weight=concept.weight * weights.CONVERSATION, is_filler=True)


def _is_general(match: Match) -> bool:
    """Whether it asks for help as such: beside a need it tells nothing."""
    primary = match.meaning.primary
    return bool(primary) and _GENERAL.issuperset(primary)


def _is_audience(match: Match) -> bool:
    """Whether it tells who asks, and not what for."""
    primary = match.meaning.primary
    return bool(primary) and all(code.startswith("e:") for code in primary)
