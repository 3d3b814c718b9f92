"""Plain English and Spanish: a word that people say all day is spelt right, whatever the directory has or lacks.

Without it "my landlord is kicking me out" would be taken for Licking County, Ohio.
"""

import gzip
import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final

from vibe4vets.resources.folding import fold

# Occurrences in the film subtitles that pyspellchecker's dictionaries count. That keeps 41,500 words of English and
# 15,500 of Spanish; of rarer ones too many are slips that somebody has typed often, or names.
_LEAST: Final = {"en": 150, "es": 300}
_RAREST: Final = 50
"""Where English has its names, such as Toledo and Akron, and none of the slips yet."""
_OFTEN: Final = 5_000
_EVERYDAY: Final = 150_000
"""So often said, in English, that it tells nothing of what is needed: "left", "back", "keep"."""


@cache
def plain_words() -> frozenset[str]:
    """The words of the two languages, as the search compares words."""
    return frozenset(
        fold(word)
        for language, least in _LEAST.items()
        for word, count in _counted(language).items()
        if count >= least and word.isalpha()
    )


@cache
def spelt_words() -> frozenset[str]:
    """The words that are spelt right: the plain ones, and names of people and cities that the directory may lack."""
    return plain_words() | {fold(word) for word in _counted("en") if word.isalpha()}


@cache
def everyday_words() -> frozenset[str]:
    """The words of English that are said the most."""
    return frozenset(fold(word) for word, count in _counted("en").items() if count >= _EVERYDAY)


@cache
def common_words() -> frozenset[str]:
    """Words of English that are said often."""
    return frozenset(fold(word) for word, count in _counted("en").items() if count >= _OFTEN)


@cache
def _counted(language: str) -> Mapping[str, int]:
    packed = (files("spellchecker") / "resources" / f"{language}.json.gz").read_bytes()
    counted: dict[str, int] = json.loads(gzip.decompress(packed))
    return {word: count for word, count in counted.items() if count >= _RAREST}
