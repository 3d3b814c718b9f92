"""One visit to a link, and what it says about it."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Final

from vibe4vets.connectors.link_models import Finding, Suspicion
from vibe4vets.connectors.service.links.suspecting import suspect
from vibe4vets.core.fetch import (
    LINK,
    AddressRefused,
    Answer,
    AnswerTooSlow,
    CertificateRefused,
    Fetcher,
    FetchError,
    HostResting,
    NameUnknown,
    RedirectRefused,
    UnexpectedStatus,
    Unreachable,
    URLRefused,
    Validators,
)

_GONE: Final = {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}
_BY_ERROR: Final = (
    (NameUnknown, Finding.NAME_UNKNOWN),
    (Unreachable, Finding.UNREACHABLE),
    (CertificateRefused, Finding.BAD_CERTIFICATE),
    (AnswerTooSlow, Finding.TOO_SLOW),
    (RedirectRefused, Finding.ODD_REDIRECT),
    (URLRefused, Finding.NOT_ASKED),
    (AddressRefused, Finding.NOT_ASKED),
)


@dataclass(frozen=True, slots=True)
class Visit:
    """What one visit found: everything that may be stored of it, and nothing else (row F8)."""

    finding: Finding | None
    """None when the host asked to be left alone, or failed too often of late: nobody went."""
    status: int | None = None
    final_url: str | None = None
    page: "Page | None" = None
    """Of a page that came; None with a version that is known, or without one."""
    wait: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class Page:
    """What is kept of a page in place of its body."""

    sha256: str | None
    validators: Validators
    suspicion: Suspicion | None


async def visit(fetcher: Fetcher, url: str, known: Validators) -> Visit:
    """Ask for `url` once, with GET: many servers answer HEAD as if the page were gone, and a title tells more."""
    try:
        answer = await fetcher.get(url, limits=LINK, known=known)
    except HostResting as error:
        return Visit(None, wait=error.wait or timedelta())
    except UnexpectedStatus as error:
        return Visit(_finding_of(error.status), error.status, error.url)
    except FetchError as error:
        kinds = (finding for kind, finding in _BY_ERROR if isinstance(error, kind))
        return Visit(next(kinds, Finding.UNWILLING))  # something answered, if only what we do not read
    page = None if answer.is_unmodified else await asyncio.to_thread(_page, url, answer)
    return Visit(Finding.REACHED, answer.status, answer.url, page)


def _page(asked: str, answer: Answer) -> Page:
    return Page(answer.receipt.sha256, answer.validators, suspect(asked, answer.url, answer.body))


def _finding_of(status: int) -> Finding:
    """401, 403, 405, 429 and their like say that a server is there and that it does not want us."""
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Finding.SERVER_ERROR
    if status in _GONE:
        return Finding.MISSING
    return Finding.REACHED if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES else Finding.UNWILLING
