"""What ends an attempt, in words: whether it may pass, and what a person can do about it."""

import random
from datetime import timedelta
from typing import Final

from vibe4vets.connectors.base import FetchError, SourceError
from vibe4vets.connectors.models import RunState
from vibe4vets.connectors.service.runs import Ending
from vibe4vets.connectors.service.stages import BeginAnew
from vibe4vets.core import jobs
from vibe4vets.core.errors import AppError

_UNKNOWN: Final = "Something is wrong on our side: the log has the details under the id of this run."
_DATABASE: Final = "The database could not answer; the run was left where it was."


def may_pass(error: Exception) -> bool:
    """Whether the same may succeed a little later, without anybody doing anything about it."""
    if isinstance(error, FetchError):
        return error.may_pass or error.wait is not None
    return isinstance(error, BeginAnew) or jobs.may_pass(error)


def advice_on(error: Exception) -> str:
    """What ended it and what to do; only errors of our own are repeated, for they hold no secret."""
    if isinstance(error, FetchError | SourceError | AppError):
        return str(error)
    if isinstance(error, BeginAnew):
        return f"It began anew: {error}."
    return _DATABASE if jobs.may_pass(error) else _UNKNOWN


def failure(error: Exception, *, tries: int = 1) -> Ending:
    """How a run ends with `error`, after so many tries."""
    words = advice_on(error)
    given_up = f"Given up after {tries} tries. " if tries > 1 else ""
    return Ending(RunState.FAILED, type(error).__name__[:100], given_up + words)


def pause_after(error: Exception, failures: int, first: timedelta) -> timedelta:
    """How long until the next try: twice as long each time, never at the same moment as others, and as asked for."""
    longest: timedelta = min(jobs.LONGEST_WAIT, first * 2 ** (failures - 1))
    asked = error.wait if isinstance(error, FetchError) and error.wait is not None else timedelta(0)
    return min(jobs.LONGEST_WAIT, max(asked, longest * random.uniform(0.5, 1)))  # noqa: S311  no secret
