"""What is known of the request at hand, for whoever works far below the router."""

from contextvars import ContextVar

from vibe4vets.core.quotas import Spent

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""Set by the shell at the start of each request; None outside of one (a command, a job)."""

spent: ContextVar[list[Spent] | None] = ContextVar("spent", default=None)
"""What the request has spent of which limit, for the headers of its answer; None outside of one."""


def note_spent(one: Spent) -> None:
    """Let the answer tell what is left of a limit."""
    if (noted := spent.get()) is not None:
        noted.append(one)
