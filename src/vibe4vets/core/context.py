"""What the request at hand is called, for whoever writes a log line or an audit event far below the router."""

from contextvars import ContextVar

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""Set by the shell at the start of each request; None outside of one (a command, a job)."""
