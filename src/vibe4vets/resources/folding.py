"""One spelling for comparing names and words, the same as the database's `fold(text)`."""

import re
import unicodedata

_APOSTROPHES = re.compile("['\N{RIGHT SINGLE QUOTATION MARK}\N{MODIFIER LETTER APOSTROPHE}`]")
_WORD = re.compile("[A-Za-z0-9]+")


def written_words(text: str) -> list[str]:
    """The words of `text` without accents, apostrophes and punctuation, their capitals kept."""
    plain = _APOSTROPHES.sub("", text)
    if not plain.isascii():  # most texts are, and walking through their letters is half of what an import costs here
        letters = unicodedata.normalize("NFKD", plain)
        plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return _WORD.findall(plain)


def fold(text: str) -> str:
    """`text` without accents, apostrophes, punctuation and capitals: "O'Fallon, IL" is "ofallon il"."""
    return " ".join(written_words(text)).lower()
