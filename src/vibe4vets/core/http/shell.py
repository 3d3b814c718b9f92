"""The ASGI shell around the application.

Pure ASGI: one `BaseHTTPMiddleware` would cost two thirds of the throughput.
"""

import asyncio
import logging
import re
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import unquote_to_bytes
from uuid import uuid4

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vibe4vets.core.context import request_id
from vibe4vets.core.errors import MEDIA_TYPE, AppError, InternalError, MalformedRequest, problem_body, to_app_error

_REQUEST_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
_BROKEN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_SECURITY = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)
_POLICY = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
_HSTS = (b"strict-transport-security", b"max-age=63072000; includeSubDomains")
_OPEN_TO_ANY_ORIGIN = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"ETag, Link, RateLimit, RateLimit-Policy, Retry-After, X-Request-ID"),
)
_PREFLIGHT = (
    *_OPEN_TO_ANY_ORIGIN,
    (b"access-control-allow-methods", b"GET, HEAD"),
    (b"access-control-allow-headers", b"Accept, If-None-Match, X-Request-ID"),
    (b"access-control-max-age", b"86400"),
    (b"content-length", b"0"),
)
_log = logging.getLogger(__name__)


class Shell:
    """Outermost layer: request id, strict UTF-8, HEAD, CORS of public reads, security headers, last net."""

    def __init__(self, app: ASGIApp, *, deadline: timedelta) -> None:
        self.app = app
        self.deadline = deadline.total_seconds()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        answer = _Answer(scope, send)
        try:
            if not _is_strict_utf8(scope["raw_path"]) or not _is_strict_utf8(scope["query_string"]):
                detail = "Percent-encode the address as valid UTF-8."
                await answer.problem(MalformedRequest(detail))
            elif answer.is_preflight:
                await answer.start(204, _PREFLIGHT)
                await answer({"type": "http.response.body"})
            else:
                async with asyncio.timeout(self.deadline) as answer.deadline:
                    await self.app(answer.scope, receive, answer)
        except Exception as error:
            answer.deadline = None  # it has ended, and a problem is late by nature
            problem = to_app_error(error)
            if isinstance(problem, InternalError) or answer.started:
                _log.exception("unhandled error in request %s", answer.request_id)
            if not answer.started:
                await answer.problem(problem)
            else:  # the client must not take half an answer for a whole one: let the server cut it off
                raise


class _Answer:
    """The sending side of one request."""

    def __init__(self, scope: Scope, send: Send) -> None:
        headers = dict(scope["headers"])
        self.request_id = _request_id(headers.get(b"x-request-id"))
        self.method: str = scope["method"]
        self.started = False
        self.deadline: asyncio.Timeout | None = None
        self._send = send
        self._is_api = scope["path"].startswith("/api/")
        self._is_https = scope["scheme"] == "https"
        self.is_preflight = (
            self.method == "OPTIONS"
            and self._is_api
            and headers.get(b"access-control-request-method") in {b"GET", b"HEAD"}
        )
        scope.setdefault("state", {})["request_id"] = self.request_id
        request_id.set(self.request_id)
        self.scope = {**scope, "method": "GET"} if self.method == "HEAD" else scope

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            if self.deadline is not None:  # a long answer may take its time, a late one may not
                self.deadline.reschedule(None)
            message["headers"] = [*map(_with_head, message["headers"]), *self._headers(message)]
        elif self.method == "HEAD":
            if message.get("more_body"):
                return
            message = {"type": "http.response.body"}
        await self._send(message)

    def _headers(self, message: Message) -> Iterator[tuple[bytes, bytes]]:
        present = {name for name, _ in message["headers"]}
        yield b"x-request-id", self.request_id.encode()
        yield from _SECURITY
        if _POLICY[0] not in present:
            yield _POLICY
        if b"cache-control" not in present:
            yield b"cache-control", b"no-store"
        if self._is_https:
            yield _HSTS
        if self._is_api and self.scope["method"] == "GET":
            yield from _OPEN_TO_ANY_ORIGIN

    async def start(self, status: int, headers: tuple[tuple[bytes, bytes], ...]) -> None:
        await self({"type": "http.response.start", "status": status, "headers": list(headers)})

    async def problem(self, error: AppError) -> None:
        body = problem_body(error, self.request_id)
        length = str(len(body)).encode()
        extra = tuple((name.lower().encode(), value.encode()) for name, value in error.headers.items())
        await self.start(error.status, ((b"content-type", MEDIA_TYPE.encode()), (b"content-length", length), *extra))
        await self({"type": "http.response.body", "body": body})


def _with_head(header: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
    """What answers GET answers HEAD as well: the shell sees to that, and `Allow` says so."""
    name, value = header
    if name != b"allow":
        return header
    methods = {method.strip() for method in value.split(b",")}
    return name, b", ".join(sorted(methods | {b"HEAD"} if b"GET" in methods else methods))


def _request_id(given: bytes | None) -> str:
    text = (given or b"").decode("latin-1")
    return text if _REQUEST_ID.fullmatch(text) else uuid4().hex


def _is_strict_utf8(raw: bytes) -> bool:
    """Whether `raw` is ASCII whose percent escapes are whole and spell valid UTF-8."""
    if not raw.isascii() or _BROKEN_ESCAPE.search(raw):
        return False
    if b"%" not in raw:
        return True
    try:
        unquote_to_bytes(raw).decode()
    except UnicodeDecodeError:
        return False
    return True
