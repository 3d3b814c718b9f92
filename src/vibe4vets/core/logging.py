"""Logs: one JSON line an event, of fields that are allowed by name. What people ask for never gets there.

Everything goes through the same filter: our own events, those of libraries (uvicorn, sqlalchemy, asyncpg), errors
with their tracebacks. Messages of errors are left out, for they quote what was sent or stored.
"""

import contextlib
import json
import logging
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from vibe4vets.core.config import Environment, Settings
from vibe4vets.core.context import request_id

FIELDS = frozenset(
    {
        "logger",
        "method", "route", "status", "milliseconds",  # a request
        "error", "sqlstate", "constraint", "trace",  # a failure
        "count", "seal", "head",  # the audit
        "run", "connector", "attempt", "state", "job", "chore", "reason", "exit_code",  # a worker
    }
)  # fmt: skip
"""What an event may have beside its name, time, level and request."""
LONGEST_TEXT, LONGEST_TRACE, LONGEST_CHAIN = 500, 30, 5
# At their lower levels they tell of statements, rows, parameters and addresses.
_DISCREET = ("alembic", "asyncpg", "httpcore", "httpx", "pgqueuer", "sqlalchemy")
_NUMBERS = (int, float)  # and bool, which is an int
_encode = json.JSONEncoder(separators=(",", ":")).encode


def configure_logging(settings: Settings) -> None:
    """Send the events of this process to standard error; coloured text for a developer's terminal, else JSON."""
    on_terminal = settings.env is Environment.DEVELOPMENT and sys.stderr.isatty()
    level = logging.getLevelNamesMapping()[settings.log.level.upper()]
    render: Processor = structlog.dev.ConsoleRenderer(event_key="event") if on_terminal else _render_json
    structlog.configure(
        processors=[_only_allowed, render],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: _Lines(),
        cache_logger_on_first_use=True,
    )
    root = logging.getLogger()
    root.handlers[:] = [_Funnel()]
    root.setLevel(level)
    for name in _DISCREET:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))


class _Lines:
    """Standard error, a line an event. A log that cannot be written must not fail a request."""

    def msg(self, line: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(f"{line}\n")

    debug = info = warning = error = critical = msg


class _Funnel(logging.Handler):
    """What libraries log, as an event: the first line of the message, whose arguments are shown if they are numbers."""

    def emit(self, record: logging.LogRecord) -> None:
        level = max(logging.DEBUG, min(record.levelno // 10 * 10, logging.CRITICAL))
        structlog.get_logger().log(level, _message(record), logger=record.name, exc_info=record.exc_info)


def _message(record: logging.LogRecord) -> str:
    text = str(record.msg)
    if isinstance(record.args, tuple) and record.args:
        shown = tuple(value if isinstance(value, int | float) else "*" for value in record.args)
        with contextlib.suppress(TypeError, ValueError):  # the template alone tells enough
            text %= shown
    return text.partition("\n")[0]


def _only_allowed(_logger: WrappedLogger, level: str, event: EventDict) -> EventDict:
    """When, how bad, in which request, and the fields that are allowed; in one pass, for every request logs."""
    error = _exception(event.pop("exc_info", None))
    if error is not None:
        event.update(describe_error(error))
    line: EventDict = {"at": datetime.now(UTC).isoformat(timespec="milliseconds"), "level": level}
    line["event"] = _plain(event["event"])
    if (current := request_id.get()) is not None:
        line["request_id"] = current
    for name, value in event.items():
        if name in FIELDS:
            line[name] = _plain(value)
    return line


def _exception(given: object) -> BaseException | None:
    if given is True:
        given = sys.exc_info()
    error = given[1] if isinstance(given, tuple) else given
    return error if isinstance(error, BaseException) else None


def describe_error(error: BaseException) -> dict[str, Any]:
    """The kinds of errors in a chain, the latest first, with SQLSTATE, constraint and places in the code."""
    chain = [*_chain(error)]
    told: dict[str, Any] = {"error": " < ".join(type(link).__qualname__ for link in chain)}
    for link in chain:
        for field, attribute in (("sqlstate", "sqlstate"), ("constraint", "constraint_name")):
            if isinstance(value := getattr(link, attribute, None), str):
                told.setdefault(field, value)
    told["trace"] = [*_places(error)][-LONGEST_TRACE:]
    return told


def _chain(error: BaseException) -> Iterator[BaseException]:
    link: BaseException | None = error
    for _ in range(LONGEST_CHAIN):
        if link is None:
            return
        yield link
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)


def _places(error: BaseException) -> Iterator[str]:
    for frame, line in traceback.walk_tb(error.__traceback__):
        path = frame.f_code.co_filename.replace("\\", "/")
        for root in ("/site-packages/", "/src/"):
            path = path.rpartition(root)[2]
        yield f"{path}:{line} {frame.f_code.co_name}"


def _plain(value: object) -> object:
    """Numbers as they are; text short, in ASCII, with every control character escaped (CR, LF, ANSI sequences)."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, _NUMBERS):
        return value
    text = str(value)[:LONGEST_TEXT]
    return text if text.isascii() and text.isprintable() else text.encode("unicode_escape").decode("ascii")


def request_log() -> Callable[[str, str, int, float], None]:
    """What tells a request's method, route template, status and milliseconds, as logging is configured now.

    As JSON it goes past structlog, which would take half as long again as everything else that observes a request:
    all the values are of our own making, and need no escaping.
    """
    if structlog.get_config()["processors"][-1] is not _render_json:
        log = structlog.get_logger().bind()
        return lambda method, route, status, milliseconds: log.info(
            "request", method=method, route=route, status=status, milliseconds=milliseconds
        )
    return _write_request if logging.getLogger().isEnabledFor(logging.INFO) else lambda *_: None


def _write_request(method: str, route: str, status: int, milliseconds: float) -> None:
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(
            f'{{"at":"{at}","level":"info","event":"request","request_id":"{request_id.get()}",'
            f'"method":"{method}","route":"{route}","status":{status},"milliseconds":{milliseconds}}}\n'
        )


def _render_json(_logger: WrappedLogger, _method: str, event: Mapping[str, Any]) -> str:
    return _encode(event)
