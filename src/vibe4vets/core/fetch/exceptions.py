"""Why an answer could not be had. Messages name the host and the rule, never a header, a key or a body."""

from datetime import timedelta
from typing import ClassVar


class FetchError(Exception):
    """A fetch that failed."""

    may_pass: ClassVar[bool] = False
    """Whether the same request may succeed a little later."""
    blames_host: ClassVar[bool] = False
    """Whether it counts against the host (row F11)."""
    wait: timedelta | None = None
    """How long the host asked us to stay away."""


class URLRefused(FetchError):
    """An address that we do not ask, whatever stands behind it."""


class AddressRefused(FetchError):
    """A host that is, or is also, inside a network that is nobody's business (rows F2, F3)."""


class RedirectRefused(FetchError):
    """A redirect that leads too far, to another site, or away from TLS (row F4)."""


class ContentRefused(FetchError):
    """An answer of a kind that was not asked for, such as a login page in place of a feed."""


class AnswerTooLarge(FetchError):
    """More bytes than the limit, on the wire or inflated (row F6)."""


class AnswerTooSlow(FetchError):
    """Slower than the limits allow (row F6)."""

    may_pass, blames_host = True, True


class Unreachable(FetchError):
    """No connection, or one that broke."""

    may_pass, blames_host = True, True


class NameUnknown(Unreachable):
    """A host whose name cannot be resolved."""


class CertificateRefused(FetchError):
    """TLS that cannot be trusted (row F14)."""

    blames_host = True


class UnexpectedStatus(FetchError):
    """An answer that is neither what was asked for nor "not modified"."""

    def __init__(self, message: str, status: int, url: str, wait: timedelta | None) -> None:
        super().__init__(message)
        self.status, self.url, self.wait = status, url, wait


class PassingStatus(UnexpectedStatus):
    """429: too many requests, which is no fault of the host's."""

    may_pass = True


class FailingStatus(PassingStatus):
    """5xx: the host has failed."""

    blames_host = True


class HostResting(FetchError):
    """A host that failed too often of late, or that asked to be left alone until later."""

    def __init__(self, message: str, wait: timedelta, *, asked: bool) -> None:
        super().__init__(message)
        self.wait, self.asked = wait, asked
