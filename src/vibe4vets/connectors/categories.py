"""What publishers call our twelve categories."""

import re
from collections.abc import Iterable
from typing import Final

FALLBACK: Final = "support_services"
"""For a kind of help that has no known name: a reviewer sees it, and a search by words still finds it."""

_NAMES: Final = {
    "employment": "employment employer employers job jobs career careers hiring work workforce",
    "training": "training apprenticeship apprenticeships skillbridge vocational rehabilitation",
    "housing": "housing house shelter shelters homeless homelessness rent rental eviction lodging ssvf vash",
    "legal": "legal law lawyer lawyers attorney attorneys court courts",
    "food": "food pantry pantries meal meals grocery groceries nutrition snap kitchen",
    "benefits": "benefits benefit claim claims va pension pensions disability compensation burial",
    "mental_health": "mental behavioral psychiatric counseling counselling ptsd suicide crisis addiction therapy",
    "support_services": "support outreach transportation transport peer social",
    "healthcare": "health healthcare medical clinic clinics hospital dental vision pharmacy doctor",
    "education": "education educational school schools college university scholarship scholarships tutoring",
    "financial": "financial finance money cash emergency utility utilities debt tax taxes loan loans grant grants",
    "family": "family families child children childcare spouse spouses caregiver caregivers survivor survivors",
}
CATEGORIES: Final = frozenset(_NAMES)
_CATEGORY_OF: Final = {word: category for category, words in _NAMES.items() for word in words.split()}
_WORD: Final = re.compile(r"[a-z]+")


def categories_in(texts: Iterable[str]) -> tuple[str, ...]:
    """The categories that the texts speak of, in their order, each once: "VA Benefits; Mental Hlth" has two.

    Our own names are themselves. "Mental health" is not health care as well.
    """
    found: dict[str, None] = {}
    for text in texts:
        if text in _NAMES:
            found[text] = None
            continue
        words = _WORD.findall(text.lower().replace("mental health", "mental").replace("behavioral health", "mental"))
        found |= dict.fromkeys(_CATEGORY_OF[word] for word in words if word in _CATEGORY_OF)
    return tuple(found)
