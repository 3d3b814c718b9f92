"""Writing tsquery text from lexemes: quoted, never parsed from what a person typed."""

from collections.abc import Iterable, Sequence


def lexeme(text: str, fields: str = "") -> str:
    """One lexeme, of certain fields (weights A to D) where some are named."""
    quoted = text.replace("\\", "\\\\").replace("'", "''")
    return f"'{quoted}':{fields}" if fields else f"'{quoted}'"


def any_of(parts: Iterable[str]) -> str:
    """What has at least one of the parts; empty for none."""
    return _joined(parts, " | ")


def all_of(parts: Iterable[str]) -> str:
    """What has every part that is not empty; empty for none."""
    return _joined(parts, " & ")


def _joined(parts: Iterable[str], operator: str) -> str:
    given = [part for part in dict.fromkeys(parts) if part]
    return given[0] if len(given) == 1 else f"({operator.join(given)})" if given else ""


def phrase(lexemes: Sequence[str], fields: str) -> str:
    """The lexemes one after another; an empty one is a word that the index leaves out, and counts as a step."""
    text, steps = "", 0
    for name in lexemes:
        steps += 1
        if name:
            text = f"{text} <{steps}> {lexeme(name, fields)}" if text else lexeme(name, fields)
            steps = 0
    return text
