"""What administrators write into the lexicon."""

from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from vibe4vets.core.schemas import Input, Line
from vibe4vets.resources.folding import fold
from vibe4vets.resources.models import EntryKind
from vibe4vets.resources.schemas.types import Language

_Weight = Annotated[float, Field(gt=0, le=1)]
_Code = Annotated[str, Field(pattern=r"^(e:)?[a-z0-9]+(-[a-z0-9]+)*$", max_length=64)]


def _folded(phrase: str) -> str:
    folded = fold(phrase)
    if not folded:
        raise PydanticCustomError("no_word", "Write at least one letter or digit")
    return folded


Phrase = Annotated[Line, Field(min_length=1, max_length=100), AfterValidator(_folded)]


class LexiconEntryIntake(Input):
    """What a phrase means: codes of the taxonomy, 1 for what is meant, less for what is near to it."""

    phrase: Phrase
    kind: EntryKind = EntryKind.NEED
    language: Language = "en"
    codes: Annotated[dict[_Code, _Weight], Field(max_length=12)] = {}
    official_words: Annotated[Line, Field(max_length=200), AfterValidator(fold)] = ""
