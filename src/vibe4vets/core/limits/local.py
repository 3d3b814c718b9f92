"""A limit that one process counts by itself: no statement, a few microseconds, bounded memory."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from vibe4vets.core import context
from vibe4vets.core.limits.exceptions import TooManyRequests
from vibe4vets.core.quotas import Limit, Spent

MOST_KEYS = 20_000


@dataclass(slots=True)
class _Window:
    ends: float
    remaining: int


class LocalLimit:
    """Counts by key, for at most `most_keys` of them: whoever began first is forgotten first.

    An attacker with more addresses than that gets a fresh count for each, which it had anyway; nobody else loses.
    """

    def __init__(
        self, limit: Limit | None, *, most_keys: int = MOST_KEYS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limit, self._most_keys, self._clock = limit, most_keys, clock
        self._windows: OrderedDict[str, _Window] = OrderedDict()

    def __len__(self) -> int:
        return len(self._windows)

    def spend(self, key: str) -> None:
        """Count one for `key`; raises TooManyRequests."""
        if self._limit is None:
            return
        now = self._clock()
        window = self._windows.get(key)
        if window is None or window.ends <= now:
            window = self._begin(key, now, self._limit)
        window.remaining -= 1
        spent = Spent(self._limit, max(window.remaining, 0), math.ceil(window.ends - now))
        context.note_spent(spent)
        if window.remaining < 0:
            raise TooManyRequests(spent)

    def _begin(self, key: str, now: float, limit: Limit) -> _Window:
        """A new window at the end of the line, which is in the order of their ends: what is over leaves in front."""
        self._windows.pop(key, None)
        while self._windows:
            first = next(iter(self._windows.values()))
            if first.ends > now and len(self._windows) < self._most_keys:
                break
            self._windows.popitem(last=False)
        window = self._windows[key] = _Window(now + limit.seconds, limit.quota)
        return window
