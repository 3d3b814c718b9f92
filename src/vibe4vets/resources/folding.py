"""One spelling for comparing names and words, the same as the database's `fold(text)`."""

import re
import unicodedata

_APOSTROPHES = re.compile("['\N{RIGHT SINGLE QUOTATION MARK}\N{MODIFIER LETTER APOSTROPHE}`]")
_WORD = re.compile("[A-Za-z0-9]+")


def written_words(text: str) -> list[str]:
    """The words of `text` without accents, apostrophes and punctuation, their capitals kept."""
    plain = unicodedata.normalize("NFKD", _APOSTROPHES.sub("", text))
    return _WORD.findall("".join(letter for letter in plain if not unicodedata.combining(letter)))


def fold(text: str) -> str:
    """`text` without accents, apostrophes, punctuation and capitals: "O'Fallon, IL" is "ofallon il"."""
    return " ".join(written_words(text)).lower()
