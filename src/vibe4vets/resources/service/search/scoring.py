"""The score of a record as SQL: an expression per mechanism, over the row `s` of `search_rows`."""

from collections.abc import Sequence
from typing import Any, Final

from vibe4vets.resources.folding import fold
from vibe4vets.resources.service.places import PlaceKind, Reading
from vibe4vets.resources.service.search import codes, weights
from vibe4vets.resources.service.search.knowledge import Knowledge
from vibe4vets.resources.service.search.plain import common_words
from vibe4vets.resources.service.search.tsquery import Query, all_of, lexeme, phrase
from vibe4vets.resources.service.search.understanding import Concept, ConceptKind, Understanding

_MILES_A_DEGREE: Final = 69.05
_EARTH_RADIUS_MILES: Final = 3958.8
_FAR: Final = 30
"""exp(-30) is nothing, and exp(-800) an error."""


class Arguments:
    """The values of a statement, each named by its position."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self._known: dict[tuple[str, Any], str] = {}

    def add(self, value: Any, cast: str) -> str:  # noqa: ANN401  whatever the cast takes
        """The placeholder of `value`; one that is there already is used again."""
        key = (cast, value if not isinstance(value, list) else tuple(value))
        if key not in self._known:
            self.values.append(value)
            self._known[key] = f"${len(self.values)}::{cast}"
        return self._known[key]

    def bare(self, value: Any) -> str:  # noqa: ANN401
        """A placeholder whose type the text around it tells."""
        self.values.append(value)
        return f"${len(self.values)}"

    def number(self, value: float) -> str:
        return self.add(float(value), "float8")

    def query(self, query: Query) -> str:
        return self.add(query.text, "text::tsquery")


class Scoring:
    """The parts of the score for one understanding of a query."""

    def __init__(self, knowledge: Knowledge, understanding: Understanding, arguments: Arguments) -> None:
        self._knowledge, self._understanding, self._arguments = knowledge, understanding, arguments
        self._words_asked = self._known_words(understanding.words)
        self._words_named = self._known_words(understanding.named)
        self._facts: dict[str, str] = {}
        self.matches = [(concept, self._match(concept)) for concept in understanding.concepts]

    def _known_words(self, words: Sequence[str]) -> list[str]:
        """The lexemes of the words, empty for those that the index leaves out; none where it lacks one."""
        lexemes = [self._knowledge.lexeme(word) for word in words]
        known = [name for name in lexemes if name is not None and (not name or self._knowledge.resources(name))]
        return known if len(known) == len(lexemes) and sum(map(bool, known)) > 1 else []

    def _fact(self, expression: str) -> str:
        """A column for what is asked of a row in several places, and costs the most: it is found out once."""
        return f"s.{self._facts.setdefault(expression, f'fact_{len(self._facts)}')}"

    def facts(self) -> list[str]:
        """The columns that the other expressions stand on; complete once those are made."""
        return [f"{expression} as {name}" for expression, name in self._facts.items()]

    def _has(self, query: Query) -> str:
        return self._fact(f"s.words @@ {self._arguments.query(query)}")

    def relevance(self) -> str:
        """Everything but the place and the likeness of the title."""
        total = sum(concept.weight for concept, _ in self.matches)
        number = self._arguments.number
        parts = [f"{number(concept.weight)} * {match}" for concept, match in self.matches]
        topic = f"({' + '.join(parts)}) / {number(total)}" if total else "1"
        topic = f"({topic}) * {self._gate()}"
        if self._is_name:
            name = f"case when {self._as_phrase(self._words_named)} then {number(weights.NAME)} else 0 end"
            topic = f"greatest({topic}, {name})"
        found = f"{topic} + {self._title()}"
        if self._understanding.reading is None:
            found += f" + case when s.scope = 'national' then {number(weights.NATIONAL)} else 0 end"
        return f"({found})"

    def completeness(self) -> str:
        return f"{self._arguments.number(weights.COMPLETENESS)} * s.completeness"

    def likeness(self) -> str:
        """How like the title is to the whole query."""
        words = self._arguments.add(" ".join(self._understanding.words), "text")
        return f"{self._arguments.number(weights.SIMILAR_TITLE)} * power(similarity(s.title, {words}), 2)"

    # -- a concept

    def _match(self, concept: Concept) -> str:
        """How far a record is about the concept, from 0 to 1."""
        text = self._text(concept)
        if not concept.codes:
            return text
        tag = self._tag(concept)
        if concept.kind is ConceptKind.WEEKDAY or not concept.lexemes:
            part = 1.0 if concept.kind is ConceptKind.WEEKDAY else 1 - weights.WORDS_OF_CONCEPT
            return f"{self._arguments.number(part)} * {tag}"
        part, instead = weights.WORDS_OF_CONCEPT, weights.WORDS_FOR_CODES
        return (
            f"({self._arguments.number(1 - part)} * greatest({tag}, {self._arguments.number(instead)} * {text})"
            f" + {self._arguments.number(part)} * {text})"
        )

    def _text(self, concept: Concept) -> str:
        """Its words, by the best field of each and their rarity; or its synonyms, which count a little less."""
        own = self._words([(evidence.lexeme, evidence.weight) for evidence in concept.lexemes])
        if not concept.synonyms:
            return own
        other = self._words([(evidence.lexeme, evidence.weight) for evidence in concept.synonyms])
        return f"greatest({own}, {self._arguments.number(weights.SYNONYM)} * {other})"

    def _words(self, lexemes: list[tuple[str, float]]) -> str:
        total = sum(weight for _, weight in lexemes)
        if not total:
            return "0"
        fields = self._arguments.add(weights.FIELDS, "real[]")
        parts = [
            f"{self._arguments.number(weight / total)} * "
            + self._fact(
                f"least(1, ts_rank({fields}, s.words, {self._arguments.query(lexeme(name))}) / {weights.RANK_OF_ONE})"
            )
            for name, weight in lexemes
        ]
        return f"({' + '.join(parts)})"

    def _tag(self, concept: Concept) -> str:
        """Its codes: the best one mostly, and a little for having them all."""
        cases = [self._code(code.lexeme, code.weight) for code in concept.codes]
        best = f"greatest({', '.join(cases)})"
        if len(cases) > 1:
            every = self._arguments.number(weights.ALL_CODES / sum(code.weight for code in concept.codes))
            best = f"({self._arguments.number(1 - weights.ALL_CODES)} * {best} + {every} * ({' + '.join(cases)}))"
        return f"greatest({best}, {self._official(concept)})" if concept.official else best

    def _official(self, concept: Concept) -> str:
        """Whether the title or organization has all that an acronym is short for."""
        named = all_of(lexeme(name, "AB") for name in concept.official)
        return f"case when {self._has(named)} then 1 else 0 end"

    def _code(self, code: str, weight: float) -> str:
        name = code if code.startswith("@") else codes.of_lexicon(code)
        given = f"when {self._has(lexeme(name))} then {self._arguments.number(weight)}"
        derived = codes.derived_tag(code)
        if name[0] != "#" or not self._knowledge.resources(derived):
            return f"case {given} else 0 end"
        less = self._arguments.number(weight * weights.DERIVED)
        return f"case {given} when {self._has(lexeme(derived))} then {less} else 0 end"

    # -- the gate and the title

    def _gate(self) -> str:
        """Half for records that are about none of the needs and bear none of the names."""
        opens = self._needs() + self._names()
        if not opens:
            return "1"
        closed = self._arguments.number(weights.CLOSED_GATE)
        return f"({closed} + {self._arguments.number(1 - weights.CLOSED_GATE)} * greatest({', '.join(opens)}))"

    def _needs(self) -> list[str]:
        needs = [c for c in self._understanding.concepts if c.kind in {ConceptKind.NEED, ConceptKind.ACRONYM}]
        if not needs:
            needs = [c for c in self._understanding.concepts if c.kind is ConceptKind.AUDIENCE]
        given = [self._code(code.lexeme, code.weight) for concept in needs for code in concept.codes]
        return given + [self._official(concept) for concept in needs if concept.official]

    def _names(self) -> list[str]:
        """Words that name a record: all of them in its title, or as one phrase, or a rare one."""
        found = []
        if self._words_asked:
            found.append(f"case when {self._all_in_title()} or {self._as_phrase(self._words_asked)} then 1 else 0 end")
        if self._is_name:
            found.append(f"case when {self._as_phrase(self._words_named)} then 1 else 0 end")
        most = max(3, weights.RARE * self._knowledge.versions.resources)
        for concept in self._understanding.concepts:
            if concept.kind is ConceptKind.WORD and common_words().isdisjoint(concept.words):
                found += [
                    f"case when {self._has(lexeme(evidence.lexeme, 'AB'))} then 1 else 0 end"
                    for evidence in concept.lexemes
                    if self._knowledge.resources(evidence.lexeme) <= most
                ]
        return found

    def _title(self) -> str:
        number = self._arguments.number
        words = self._arguments.add(" ".join(self._understanding.words), "text")
        found = (
            f"case when s.title = {words} then {number(weights.EQUAL + weights.BEGINS)}"
            f" when starts_with(s.title, {words}) then {number(weights.BEGINS)} else 0 end"
        )
        if self._words_asked:
            found += f" + case when {self._all_in_title()} then {number(weights.ALL_WORDS)} else 0 end"
            found += f" + case when {self._as_phrase(self._words_asked)} then {number(weights.PHRASE)} else 0 end"
        return f"({found})"

    def _all_in_title(self) -> str:
        return self._has(all_of(lexeme(name, "A") for name in self._words_asked if name))

    def _as_phrase(self, lexemes: Sequence[str]) -> str:
        return self._has(phrase(lexemes, "AB"))

    @property
    def _is_name(self) -> bool:
        """Whether the words could be a name: several, of which the lexicon does not explain all."""
        concepts = self._understanding.concepts
        return bool(self._words_named) and any(c.kind is ConceptKind.WORD and not c.is_filler for c in concepts)

    # -- the place

    def place(self) -> str:
        """From near nothing to 1: how well a record serves the place; 1 for all where none was named."""
        reading = self._understanding.reading
        if reading is None:
            return "1::float8"
        found = self._of_state(reading) if reading.place.kind is PlaceKind.STATE else self._of_point(reading)
        doubt = (1 - reading.confidence) * weights.DOUBT
        if doubt:
            found = f"({self._arguments.number(doubt)} + {self._arguments.number(1 - doubt)} * {found})"
        return found

    def _in_state(self, reading: Reading) -> str:
        return f"{self._arguments.add(reading.place.state, 'text')} = any(s.states)"

    def _of_state(self, reading: Reading) -> str:
        number = self._arguments.number
        return (
            f"case when s.scope = 'national' then {number(weights.NATIONAL_SOMEWHERE)}"
            f" when {self._in_state(reading)} then case s.scope when 'state' then {number(weights.ALL_OF_STATE)}"
            f" else {number(weights.SOMEWHERE_IN_STATE)} end else {number(weights.ELSEWHERE)} end"
        )

    def _of_point(self, reading: Reading) -> str:
        number, place = self._arguments.number, reading.place
        miles = f"coalesce({self._fact(self.miles(reading))}, 10000)"
        decay = weights.COUNTY_MILES if place.kind is PlaceKind.COUNTY else weights.MILES
        near = f"exp(-least({_FAR}, greatest({miles} - {number(weights.FREE_MILES)}, 0) / {number(decay)}))"
        closeness = f"{number(weights.ELSEWHERE)} + {number(weights.NEAR)} * {near}"
        somewhere = (
            f"{number(weights.IN_STATE)} + {number(weights.IN_STATE_NEAR)}"
            f" * exp(-least({_FAR}, {miles} / {number(weights.IN_STATE_MILES)}))"
        )
        within = f"case s.scope when 'state' then {number(weights.STATE_WIDE)} else {somewhere} end"
        there = [
            f"{self._arguments.add(fold(name), 'text')} = any(s.{column})"
            for name, column in ((place.city, "cities"), (place.county, "counties"))
            if name and (column == "cities" or place.kind is PlaceKind.COUNTY)
        ]
        named = f"when ({' or '.join(there)}) and {self._in_state(reading)} then 1" if there else ""
        return (
            f"case when s.scope = 'national' then {number(weights.NATIONAL_SOMEWHERE)} {named}"
            f" else greatest({closeness}, case when {self._in_state(reading)} then {within} else 0 end) end"
        )

    def miles(self, reading: Reading) -> str:
        """The distance of the nearest location, null without coordinates; a flat earth is exact enough here."""
        number = self._arguments.number
        latitude, longitude = number(reading.place.latitude), number(reading.place.longitude)

        def away(north: str, east: str) -> str:
            return f"sqrt(power({north} - {latitude}, 2) + power(({east} - {longitude}) * cos(radians({latitude})), 2))"

        nearest = f"(select min({away('p.north', 'p.east')}) from unnest(s.latitudes, s.longitudes) p(north, east))"
        one = away("s.latitudes[1]", "s.longitudes[1]")
        return (
            f"({_MILES_A_DEGREE} * case cardinality(s.latitudes) when 1 then {one} when 0 then null else {nearest} end)"
        )

    def exact_miles(self, reading: Reading) -> str:
        """The distance of the nearest location along the globe, for people to read."""
        latitude = self._arguments.number(reading.place.latitude)
        longitude = self._arguments.number(reading.place.longitude)
        half_chord = (
            f"power(sin(radians(p.north - {latitude}) / 2), 2) + cos(radians({latitude})) * cos(radians(p.north))"
            f" * power(sin(radians(p.east - {longitude}) / 2), 2)"
        )
        miles = f"min({2 * _EARTH_RADIUS_MILES} * asin(least(1, sqrt({half_chord}))))"
        return f"(select {miles} from unnest(s.latitudes, s.longitudes) p(north, east))"
