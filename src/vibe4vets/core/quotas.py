"""How often something may be done: the rule, as a setting writes it and as `RateLimit` headers tell it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

OFF = "off"
LONGEST_SECONDS = 12 * 60 * 60
"""With the pause between two sweeps, what is kept of an address is gone well within a day."""
_QUOTA = re.compile(r"(?P<requests>[1-9][0-9]{0,6})/(?P<time>[1-9][0-9]{0,4})(?P<unit>[smh])")
_SECONDS = {"s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `quota` in `seconds`, counted from the first; `name` is what clients see."""

    name: str
    quota: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Spent:
    """What is left of a limit: `remaining` until it begins anew in `seconds`, rounded up."""

    limit: Limit
    remaining: int
    seconds: int


def parse_limit(name: str, text: str) -> Limit | None:
    """The limit that a setting asks for, None when it is off; raises ValueError for anything else."""
    if text == OFF:
        return None
    if (match := _QUOTA.fullmatch(text)) and (seconds := int(match["time"]) * _SECONDS[match["unit"]]):
        if seconds <= LONGEST_SECONDS:
            return Limit(name, int(match["requests"]), seconds)
        message = f"may count {LONGEST_SECONDS // 3600} hours at most"
    else:
        message = "must be a number of requests and a time, such as 600/1m, 5/1h or 10/15m, or off"
    raise ValueError(message)


def require_quota(text: str) -> str:
    """Pass a setting on that `parse_limit` understands."""
    parse_limit("", text)
    return text


def rate_limit_headers(spent: Sequence[Spent]) -> tuple[tuple[bytes, bytes], tuple[bytes, bytes]]:
    """`RateLimit-Policy` and `RateLimit`, as draft-ietf-httpapi-ratelimit-headers-10 writes them."""
    policies = ", ".join([f'"{one.limit.name}";q={one.limit.quota};w={one.limit.seconds}' for one in spent])
    left = ", ".join([f'"{one.limit.name}";r={one.remaining};t={one.seconds}' for one in spent])
    return (b"ratelimit-policy", policies.encode()), (b"ratelimit", left.encode())
