"""Telephone numbers of the United States and its territories, from the many ways people write them."""

import re
from dataclasses import dataclass
from typing import Final

import phonenumbers

_ADVICE: Final = "give ten digits with area code, such as 614-555-0123, or a short code such as 988"
_SHORT_CODES: Final = {"988", *(f"{digit}11" for digit in range(2, 10))}
_CRISIS_LINE: Final = re.compile(r"(?:dial |call )?9-?8-?8[ ,;]*\(?(?:then |and )?press 1\)?\.?", re.ASCII)
# phonenumbers skips leading words and drops what follows a slash; here every character has its place.
_WRITTEN: Final = re.compile(
    r"""(?P<number> [+(]? [0-9] [0-9a-z\ ().\-/\u2010-\u2015\u2212]*? )
        (?: ,?\ ?(?:ext(?:ension|n)?\.?|x|\#) [\ .:]* (?P<extension>[0-9]{1,8}) )?""",
    re.VERBOSE | re.ASCII,
)
# The shape of the numbering plan and no more: lists of area codes in use lag behind the telephone companies.
_NUMBERING_PLAN: Final = re.compile(r"[2-9][0-9]{2}[2-9][0-9]{6}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Phone:
    """A number in E.164 ("+16145550123") or a short code as dialled ("988"), which has no extension."""

    number: str
    extension: str | None = None


def normalize_phone(text: str) -> Phone:
    """Read one number, its vanity letters ("1-800-MyVA411") and its extension of up to eight digits.

    "988 then press 1" is 988: the choice belongs to the Veterans Crisis Line and is told with it. Any other
    "press 1", a second number, words and other countries raise ValueError, whose message tells a person what
    to give instead and never repeats the input.
    """
    written = " ".join(text.split()).lower()
    if _CRISIS_LINE.fullmatch(written):
        return Phone("988")
    short_code = written.replace("-", "")
    if short_code in _SHORT_CODES:
        return Phone(short_code)
    match = _WRITTEN.fullmatch(written)
    if match is None:
        raise ValueError(_ADVICE)
    return Phone(f"+1{_national_number(match['number'])}", match["extension"])


def _national_number(written: str) -> str:
    try:
        parsed = phonenumbers.parse(written, "US")
    except phonenumbers.NumberParseException:
        raise ValueError(_ADVICE) from None
    national_number = str(parsed.national_number)
    in_plan = parsed.country_code == 1 and _NUMBERING_PLAN.fullmatch(national_number)
    # An extension found here is one that the pattern above refused, such as nine digits.
    if parsed.extension or not in_plan:
        raise ValueError(_ADVICE)
    return national_number
