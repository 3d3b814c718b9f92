"""What administrators read and write of the lexicon, and what people search for."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

from pydantic import MISSING, AfterValidator, Field
from pydantic_core import PydanticCustomError

from vibe4vets.core.pagination import PageQuery
from vibe4vets.core.schemas import Identified, Input, Line, Output, PlainInt, unique
from vibe4vets.resources.folding import fold
from vibe4vets.resources.models import EntryKind, EntryOrigin
from vibe4vets.resources.schemas.types import Language

_Weight = Annotated[float, Field(gt=0, le=1)]
_Code = Annotated[str, Field(pattern=r"^(e:)?[a-z0-9]+(-[a-z0-9]+)*$", max_length=64)]


def _folded(phrase: str) -> str:
    folded = fold(phrase)
    if not folded:
        raise PydanticCustomError("no_word", "Write at least one letter or digit")
    return folded


Phrase = Annotated[Line, Field(min_length=1, max_length=100), AfterValidator(_folded)]


Codes = Annotated[dict[_Code, _Weight], Field(max_length=12)]
OfficialWords = Annotated[Line, Field(max_length=200), AfterValidator(fold)]
_PHRASE = Field(description="What people type; capitals, accents and punctuation do not matter.", examples=["ebt card"])
_KIND = "An acronym, a need in everyday words, or another spelling of its official words."
_CODES = Field(
    description="Terms of the taxonomy with their weights: 1 for what is meant, less for what is near to it.",
    examples=[{"food-assistance": 1}],
)
_OFFICIAL = Field(description="What an acronym is short for, or a synonym stands for.", examples=["food stamps"])


class LexiconEntryIntake(Input):
    """What a phrase means: codes of the taxonomy, 1 for what is meant, less for what is near to it."""

    phrase: Annotated[Phrase, _PHRASE]
    kind: EntryKind = Field(default=EntryKind.NEED, description=_KIND, examples=["need"])
    language: Language = Field(default="en", description="The language of the phrase: ISO 639.", examples=["en"])
    codes: Annotated[Codes, _CODES] = {}
    official_words: Annotated[OfficialWords, _OFFICIAL] = ""


class LexiconEntryUpdate(Input):
    """A key that is left out stays as it is."""

    phrase: Annotated[Phrase, _PHRASE] | MISSING = MISSING
    kind: EntryKind | MISSING = Field(default=MISSING, description=_KIND, examples=["need"])
    language: Language | MISSING = Field(
        default=MISSING, description="The language of the phrase: ISO 639.", examples=["en"]
    )
    codes: Annotated[Codes, _CODES] | MISSING = MISSING
    official_words: Annotated[OfficialWords, _OFFICIAL] | MISSING = MISSING


class LexiconEntryRead(Identified):
    """An entry of the lexicon."""

    version: int = Field(description="Counts the changes from 1.")
    phrase: str
    kind: EntryKind
    language: str
    codes: dict[str, float]
    official_words: str
    origin: EntryOrigin = Field(description="`admin` once a person has changed it: no release changes it then.")
    created_at: datetime
    updated_at: datetime


class LexiconQuery(PageQuery):
    """Which entries; both filters must hold."""

    q: Phrase | None = Field(
        default=None,
        description="Part of the phrase; capitals, accents and punctuation do not matter.",
        examples=["rent"],
    )
    kind: Annotated[
        list[EntryKind], Field(max_length=3, description="Only entries of these kinds.", examples=[["acronym"]]), unique
    ] = []
    code: Annotated[
        list[_Code],
        Field(max_length=20, description="Only entries that point to one of these terms.", examples=[["legal-aid"]]),
        unique,
    ] = []


class SearchesKind(StrEnum):
    FREQUENT = "frequent"
    ZERO_RESULTS = "zero_results"
    FALLBACK = "fallback"
    UNMATCHED_WORDS = "unmatched_words"


class SearchesQuery(PageQuery):
    """Which searches."""

    kind: SearchesKind = Field(
        default=SearchesKind.FREQUENT,
        description="What people search for most; what found nothing; what was not understood, so that "
        "national programs stood in; or the words that meant nothing and are in no entry of the lexicon yet.",
        examples=["unmatched_words"],
    )
    days: PlainInt = Field(default=30, ge=1, le=90, description="Of so many days, today among them.", examples=[30])


class SearchesRead(Output):
    """A text that at least five addresses of a day, or people on five days, searched for."""

    text: str = Field(description="A query or a word, in small letters, without accents and punctuation.")
    searches: int
    zero_results: int = Field(description="How many of them found nothing.")
    fallbacks: int = Field(description="How many of them were answered with national programs.")
    last_day: date = Field(description="The last day (UTC) on which it came.")
