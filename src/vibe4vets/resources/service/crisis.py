"""Recognising a person in crisis: the Veterans Crisis Line is offered beside whatever was found."""

import re

from vibe4vets.resources.schemas import CrisisRead

# Words that people in crisis, or those beside them, type. A needless offer costs nothing; a missing one might.
_SIGNS = re.compile(
    r"\b(suicid\w*|988|crisis|self[ -]?harm\w*|overdos\w*|(kill|hurt)(ing)? my ?self|end(ing)? (it all|my life)"
    r"|(want|wants|going|ready) to die|don'?t want to live|no reason to live|better off dead|take my (own )?life"
    r"|quier[oe] morir|matarme|suicid[ai]rme|quitarme la vida)\b",
    re.IGNORECASE,
)
CRISIS_PHONES = ["988", "+18002738255"]
"""The numbers of the Veterans Crisis Line, the one of today and the one that older papers give."""
CRISIS_TAGS = ["crisis-line", "crisis-support", "suicide-prevention", "veterans-crisis-line"]
"""Whose telephone somebody may call in the worst hour of his life: such a number is changed with the most care."""
CRISIS_LINE = CrisisRead(
    name="Veterans Crisis Line",
    phone="988",
    instructions="Call 988, then press 1. Free, confidential, day and night.",
    text="838255",
    chat_url="https://www.veteranscrisisline.net/get-help-now/chat/",
)


def crisis_line(*queries: str | None) -> CrisisRead | None:
    """The Veterans Crisis Line when a query, as typed or as corrected, speaks of suicide or crisis, else None."""
    typed = " ".join(query for query in queries if query)
    return CRISIS_LINE if _SIGNS.search(typed.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")) else None
