"""Numbers that name one person: a directory has no use for them, and what is never stored is never lost."""

import re
import unicodedata
from typing import Final

# Each by its own shape, or by the words beside it where the shape alone is a telephone number's.
_IDENTIFIERS: Final = {
    "a Social Security number": re.compile(
        r"(?<![\d-])\d{3}[- ]\d{2}[- ]\d{4}(?![\d-])|(?<![\w/.+-])\d{9}(?![\w-])"
        r"|\b(?:ssn|social security(?: number| no\.?| #)?)\D{0,12}\d{3}\D?\d{2}\D?\d{4}\b",
        re.IGNORECASE | re.ASCII,
    ),
    "a DoD ID number (EDIPI)": re.compile(
        r"\b(?:edipi|edi-pi|dod[ -]?id(?:[ -]?number)?|cac)\D{0,12}\d{10}\b", re.IGNORECASE | re.ASCII
    ),
    "a VA integration control number (ICN)": re.compile(r"\b\d{10}V\d{6}\b", re.IGNORECASE | re.ASCII),
    "a VA file number": re.compile(
        r"\bC[- ]?\d{8,9}\b"
        r"|\b(?:va )?(?:file|claim)(?: number| no\.?| #|#)?\D{0,8}(?:\d{8,9}|\d{2,3}([- ])\d{3}\1\d{3})\b",
        re.IGNORECASE | re.ASCII,
    ),
}


def find_identifier(text: str) -> str | None:
    """What kind of personal number `text` holds, in words; None when it holds none."""
    plain = "".join(map(_plain, text))
    return next((name for name, pattern in _IDENTIFIERS.items() if pattern.search(plain)), None)


def _plain(character: str) -> str:
    """Digits of any script, dashes and spaces of any width as a keyboard has them: telephones correct what is typed."""
    if character.isascii():
        return character
    digit = unicodedata.decimal(character, None)
    if digit is not None:
        return str(digit)
    match unicodedata.category(character):
        case "Pd":
            return "-"
        case "Zs":
            return " "
        case "Cf":  # nothing that is seen
            return ""
        case _:
            return "-" if character == "\N{MINUS SIGN}" else character
