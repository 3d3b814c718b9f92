"""The one way out: every request that leaves the service passes here (reliability rows F1 to F8, F11, F13, F14)."""

from vibe4vets.core.fetch.answers import Answer, Receipt, Validators
from vibe4vets.core.fetch.exceptions import (
    AddressRefused,
    AnswerTooLarge,
    AnswerTooSlow,
    CertificateRefused,
    ContentRefused,
    FetchError,
    HostResting,
    NameUnknown,
    RedirectRefused,
    UnexpectedStatus,
    Unreachable,
    URLRefused,
)
from vibe4vets.core.fetch.fetcher import Fetcher, HostRegister
from vibe4vets.core.fetch.limits import FEED, LINK, Limits

__all__ = [
    "FEED",
    "LINK",
    "AddressRefused",
    "Answer",
    "AnswerTooLarge",
    "AnswerTooSlow",
    "CertificateRefused",
    "ContentRefused",
    "FetchError",
    "Fetcher",
    "HostRegister",
    "HostResting",
    "Limits",
    "NameUnknown",
    "Receipt",
    "RedirectRefused",
    "URLRefused",
    "UnexpectedStatus",
    "Unreachable",
    "Validators",
]
