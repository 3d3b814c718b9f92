"""What a log line holds: fields that are allowed, on one line, and nothing of what was sent or stored."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from vibe4vets.core.config import Environment, Settings
from vibe4vets.core.context import request_id
from vibe4vets.core.database import Session
from vibe4vets.core.logging import configure_logging, request_log

CANARY = "canary-7f3a"


@pytest.fixture(autouse=True)
def configured(settings: Settings) -> Iterator[None]:
    """Logging as in production; the rest of the session gets back what it had."""
    root = logging.getLogger()
    before = structlog.get_config(), root.handlers[:], root.level
    configure_logging(settings)
    yield
    kept, root.handlers[:], root.level = before
    structlog.configure(**kept)


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Any:
    """Every line that was logged since the last call, read as JSON."""
    return lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_an_event_is_one_line_of_allowed_fields(lines: Any) -> None:
    token = request_id.set("0123456789abcdef")
    structlog.get_logger().info("request", status=200, route="/api/v1/search", q=CANARY, password=CANARY)
    request_id.reset(token)
    (line,) = lines()
    assert list(line) == ["at", "level", "event", "request_id", "status", "route"]
    assert line["at"].endswith("+00:00")
    assert (line["level"], line["request_id"], line["status"]) == ("info", "0123456789abcdef", 200)


NASTY = ["a\r\nlevel: forged", "\x1b[31mred\x1b[0m", "\x9b31m", "nul\0", "\u2028", "\u202e", "\ud800", "x" * 10_000]


@pytest.mark.parametrize("nasty", NASTY, ids=ascii)
def test_control_characters_are_escaped(capsys: pytest.CaptureFixture[str], nasty: str) -> None:
    structlog.get_logger().warning(nasty, route=nasty, trace=[nasty])
    written = capsys.readouterr().err
    assert written.count("\n") == 1
    assert written.rstrip("\n").isascii()
    assert written.rstrip("\n").isprintable()
    line = json.loads(written)
    assert all(value.isprintable() and len(value) <= 5_000 for value in (line["event"], line["route"], *line["trace"]))


def test_libraries_go_through_the_same_filter(lines: Any) -> None:
    log = logging.getLogger("some.library")
    log.warning("%s asked for %r in %d ms", CANARY, {"q": CANARY}, 12)
    log.error("failed\nDETAIL: Key (email)=(%s)" % CANARY)  # noqa: UP031, G002  as libraries do
    log.warning("%(name)s", {"name": CANARY})
    log.debug("chatter")
    assert [(line["logger"], line["level"], line["event"]) for line in lines()] == [
        ("some.library", "warning", "* asked for '*' in 12 ms"),
        ("some.library", "error", "failed"),
        ("some.library", "warning", "%(name)s"),
    ]


@pytest.mark.parametrize("name", ["alembic", "asyncpg", "httpx", "sqlalchemy.engine.Engine"])
def test_statements_and_addresses_stay_out_even_when_debugging(settings: Settings, lines: Any, name: str) -> None:
    configure_logging(settings.model_copy(update={"log": settings.log.model_validate({"level": "debug"})}))
    logging.getLogger(name).info("select * from users where email = 'x'")
    logging.getLogger("other").debug("shown")
    assert [line["event"] for line in lines()] == ["shown"]


def fail(password: str) -> None:
    """Raise an error that quotes what it was given, while handling another."""
    try:
        int(password)
    except ValueError as error:
        raise RuntimeError(f"cannot use {password}") from error


def test_an_error_is_told_by_kind_and_place(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        fail(CANARY)
    except RuntimeError:
        logging.getLogger("some.library").exception("failed")
    written = capsys.readouterr().err
    assert CANARY not in written
    line = json.loads(written)
    assert line["error"] == "RuntimeError < ValueError"
    assert [place.partition(" ")[2] for place in line["trace"]] == ["test_an_error_is_told_by_kind_and_place", "fail"]
    assert "test_logging.py:" in line["trace"][1]


async def test_an_error_of_the_database_keeps_its_state_and_loses_its_values(
    session: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(DBAPIError) as refused:
        await session.execute(
            text("insert into sources (slug, name, tier) values (:slug, 'n', 1)"), {"slug": f"{CANARY} bad"}
        )
    assert CANARY in str(refused.value), "else this test shows nothing"
    structlog.get_logger().error("failed", exc_info=refused.value)
    written = capsys.readouterr().err
    assert CANARY not in written
    line = json.loads(written)
    assert (line["sqlstate"], line["constraint"]) == ("23514", "ck_sources_slug")
    assert line["error"].startswith("IntegrityError <")


def tell_a_request(settings: Settings, **log: str) -> None:
    """Tell of one request."""
    configure_logging(settings.model_copy(update={"log": settings.log.model_validate(log)}))
    request_log()("GET", "/api/v1/search", 200, 1.5)


def test_a_request_is_a_line_like_any_other(settings: Settings, lines: Any) -> None:
    token = request_id.set("0123456789abcdef")
    tell_a_request(settings)
    fields = {"method": "GET", "route": "/api/v1/search", "status": 200, "milliseconds": 1.5}
    structlog.get_logger().info("request", **fields)
    request_id.reset(token)
    short, long = lines()
    assert list(short) == list(long)
    assert {**short, "at": ""} == {**long, "at": ""}


@pytest.mark.parametrize(("level", "told"), [("debug", 1), ("info", 1), ("warning", 0)])
def test_requests_are_told_from_level_info_on(settings: Settings, lines: Any, level: str, told: int) -> None:
    tell_a_request(settings, level=level)
    assert len(lines()) == told


def test_a_log_that_cannot_be_written_stops_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def isatty(self) -> bool:
            return False

        def write(self, _text: str) -> int:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("sys.stderr", Full())
    structlog.get_logger().error("unheard")
    request_log()("GET", "/", 200, 1.0)


@pytest.mark.parametrize(
    ("env", "is_terminal"),
    [(Environment.DEVELOPMENT, True), (Environment.DEVELOPMENT, False), (Environment.PRODUCTION, True)],
)
def test_only_a_developers_terminal_gets_plain_text(
    settings: Settings, capsys: pytest.CaptureFixture[str], env: Environment, *, is_terminal: bool
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stderr.isatty", lambda: is_terminal, raising=False)
        configure_logging(settings.model_copy(update={"env": env}))
    structlog.get_logger().info("hello", q=CANARY, route="\x1b[2Jgone")
    written = capsys.readouterr().err
    assert written.startswith("{") is not (is_terminal and env is Environment.DEVELOPMENT)
    assert "hello" in written
    assert CANARY not in written
    assert "\x1b[2J" not in written
