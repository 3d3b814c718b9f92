"""Writing tsquery text from lexemes: quoted, never parsed from what a person typed."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

_ANY, _ALL = _PLAIN = " | ", " & "


@dataclass(frozen=True, slots=True)
class Query:
    """A query of the index by its text: two of one text are one, and an empty one is false."""

    text: str = ""
    name: str = field(default="", compare=False)
    """The lexeme, where it is one alone."""
    operator: str = field(default="", compare=False)
    parts: tuple["Query", ...] = field(default=(), compare=False)

    def __bool__(self) -> bool:
        return bool(self.text)

    def at_most(self, count: Callable[[str], int]) -> int:
        """How many can match at most, where `count` tells how many have a lexeme."""
        if self.name:
            return count(self.name)
        counts = [part.at_most(count) for part in self.parts]
        return sum(counts) if self.operator == _ANY else min(counts, default=0)

    def anywhere(self) -> "Query":
        """The same words in any field."""
        return lexeme(self.name) if self.name else _joined([part.anywhere() for part in self.parts], self.operator)


def lexeme(text: str, fields: str = "") -> Query:
    """One lexeme, of certain fields (weights A to D) where some are named."""
    quoted = text.replace("\\", "\\\\").replace("'", "''")
    return Query(f"'{quoted}':{fields}" if fields else f"'{quoted}'", text)


def any_of(parts: Iterable[Query]) -> Query:
    """What has at least one of the parts; empty for none."""
    return _joined(parts, _ANY)


def all_of(parts: Iterable[Query]) -> Query:
    """What has every part that is not empty; empty for none."""
    return _joined(parts, _ALL)


def _joined(parts: Iterable[Query], operator: str) -> Query:
    """The parts of one level, without those that others make needless: `a | a & b` is `a`, and so is `a & (a | b)`.

    Every lexeme costs the index a look for each row that may match.
    """
    level = (inner for part in parts if part for inner in (part.parts if part.operator == operator else (part,)))
    given = dict.fromkeys(level)
    kept = tuple(part for part in given if part.operator not in _PLAIN or given.keys().isdisjoint(part.parts))
    if len(kept) < 2:  # noqa: PLR2004
        return kept[0] if kept else Query()
    return Query(f"({operator.join(part.text for part in kept)})", operator=operator, parts=kept)


def phrase(lexemes: Sequence[str], fields: str) -> Query:
    """The lexemes one after another; an empty one is a word that the index leaves out, and counts as a step."""
    parts, text, steps = [], "", 0
    for name in lexemes:
        steps += 1
        if name:
            parts.append(lexeme(name, fields))
            text = f"{text} <{steps}> {parts[-1].text}" if text else parts[-1].text
            steps = 0
    return Query(text, operator="phrase", parts=tuple(parts))
