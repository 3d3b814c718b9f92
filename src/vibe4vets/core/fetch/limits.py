"""How much of an answer is read, for how long one waits for it, how far one goes for it (rows F4, F6)."""

from dataclasses import dataclass
from datetime import timedelta

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one fetch may cost, redirects and repetitions included."""

    bytes: int
    """Most bytes, on the wire and inflated alike."""
    total: timedelta
    tries: int
    keeps_beginning: bool = False
    """Whether more bytes than allowed are cut off instead of refused."""
    same_site: bool = True
    """Whether redirects have to stay within the registrable domain."""
    ratio: int = 100
    """Most inflated bytes per byte on the wire."""
    connect: timedelta = timedelta(seconds=3)
    pace_window: timedelta = timedelta(seconds=20)
    """Within this time at least `pace_bytes` a second have to come, and the answer has to begin."""
    pace_bytes: int = 1024
    backoff: timedelta = timedelta(seconds=1)
    """The longest first pause between tries; each further one is twice as long, up to `patience`."""
    patience: timedelta = timedelta(seconds=60)
    """The longest pause between tries; a host that asks for more is left to a later run."""


LINK = Limits(bytes=256 * 1024, total=timedelta(seconds=10), tries=1, keeps_beginning=True, same_site=False)
FEED = Limits(bytes=100 * MIB, total=timedelta(minutes=10), tries=5)
