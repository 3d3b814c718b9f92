"""How long a busy host asks to be left alone."""

from datetime import UTC, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

import httpx

from vibe4vets.core.models import utc_now

STATUSES: Final = frozenset({429, 503})
_LONGEST: Final = timedelta(days=1)
_HEADERS: Final = ("retry-after", "ratelimit-reset", "x-ratelimit-reset")


def asked_for(headers: httpx.Headers) -> timedelta | None:
    """The wait that Retry-After or, in its absence, RateLimit-Reset names; never more than a day."""
    for name in _HEADERS:
        wait = _read(headers.get(name, "").strip())
        if wait is not None:
            return min(max(wait, timedelta()), _LONGEST)
    return None


def _read(text: str) -> timedelta | None:
    if text.isascii() and text.isdecimal():
        return min(timedelta(seconds=int(text[:9])), _LONGEST)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    return until.replace(tzinfo=until.tzinfo or UTC) - utc_now()
