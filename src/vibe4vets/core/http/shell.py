"""The ASGI shell around the application.

Pure ASGI: one `BaseHTTPMiddleware` would cost two thirds of the throughput.
"""

import asyncio
import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from http import HTTPStatus
from typing import ClassVar
from uuid import uuid4

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from vibe4vets.core.context import request_id, spent
from vibe4vets.core.errors import (
    MEDIA_TYPE,
    AppError,
    InternalError,
    MethodNotAllowed,
    problem_body,
    refuse_socket,
    to_app_error,
)
from vibe4vets.core.http.cors import CrossOrigin, Headers
from vibe4vets.core.http.operations import Operations
from vibe4vets.core.http.proxies import TrustedProxies
from vibe4vets.core.quotas import Spent, rate_limit_headers

_REQUEST_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
_SECURITY = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)
_POLICY = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
_HSTS = (b"strict-transport-security", b"max-age=63072000; includeSubDomains")
_log = structlog.get_logger()


class Shell:
    """Outermost layer: client address, request id, HEAD, CORS, security and limit headers, `Allow`, last net."""

    patience_seconds: ClassVar[float] = 60
    """A client that has taken nothing of a long answer for so long is gone, or means to fill our memory."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        deadline: timedelta,
        operations: Operations,
        proxies: TrustedProxies,
        origins: Sequence[str] = (),
    ) -> None:
        self.app = app
        self.deadline = deadline.total_seconds()
        self.proxies = proxies
        self.operations = operations
        self.cross_origin = CrossOrigin(origins, operations)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._open_socket(scope, receive, send)
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        self.proxies.apply(scope)
        answer = _Answer(scope, send, self)
        try:
            if allowed := answer.preflight():
                await answer.start(204, (*allowed, (b"content-length", b"0")))
                await answer({"type": "http.response.body"})
            elif self.operations.refuses(scope["path"], answer.scope["method"]):
                await answer.problem(MethodNotAllowed())
            else:
                async with asyncio.timeout(self.deadline) as answer.deadline:
                    scope["state"]["deadline"] = answer.deadline
                    await self.app(answer.scope, receive, answer)
        except Exception as error:
            answer.deadline = None  # it has ended, and a problem is late by nature
            problem = to_app_error(error)
            if isinstance(problem, InternalError) or answer.started:
                _log.exception("unhandled error")
            if not answer.started:
                await answer.problem(problem)
            else:  # the client must not take half an answer for a whole one: let the server cut it off
                raise
        finally:
            scope.setdefault("route", answer.scope.get("route"))  # of the copy that HEAD has

    async def _open_socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A socket has an answer only where it is refused, which is a problem like any other."""
        self.proxies.apply(scope)
        own_id = scope["state"]["request_id"] = _request_id(dict(scope["headers"]).get(b"x-request-id"))
        request_id.set(own_id)
        extra = ((b"x-request-id", own_id.encode()), (b"cache-control", b"no-store"), *_SECURITY, _POLICY)

        async def guarded(message: Message) -> None:
            if message["type"] == "websocket.http.response.start":
                message["headers"] = [*message["headers"], *extra]
            await send(message)

        try:
            await self.app(scope, receive, guarded)
        except AppError as error:
            await refuse_socket(WebSocket(scope, receive, guarded), error)


class _Answer:
    """The sending side of one request."""

    def __init__(self, scope: Scope, send: Send, shell: Shell) -> None:
        headers = dict(scope["headers"])
        self.request_id = _request_id(headers.get(b"x-request-id"))
        self.method: str = scope["method"]
        self.started = False
        self.deadline: asyncio.Timeout | None = None
        self._send = send
        self._shell = shell
        self._origin = headers.get(b"origin")
        self._asks_for = headers.get(b"access-control-request-method")
        self._is_https = scope["scheme"] == "https"
        scope.setdefault("state", {})["request_id"] = self.request_id
        scope["state"]["is_head"] = self.method == "HEAD"
        request_id.set(self.request_id)
        self._spent: list[Spent] = []
        spent.set(self._spent)
        self.scope = {**scope, "method": "GET"} if self.method == "HEAD" else scope

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            if self.deadline is not None:  # a long answer may take its time, a late one may not
                self.deadline.reschedule(None)
            if message["status"] == HTTPStatus.METHOD_NOT_ALLOWED:
                self._tell_methods(message)
            if message["status"] == HTTPStatus.NO_CONTENT:  # FastAPI names the type of a body that is not there
                message["headers"] = [field for field in message["headers"] if field[0] != b"content-type"]
            message["headers"] = [*message["headers"], *self._headers(message)]
        elif self.method == "HEAD":
            if message.get("more_body"):
                return
            message = {"type": "http.response.body"}
        if message.get("more_body"):
            async with asyncio.timeout(self._shell.patience_seconds):
                await self._send(message)
        else:
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
        if self._spent:
            yield from rate_limit_headers(self._spent)
        if not self._is_preflight:
            yield from self._shell.cross_origin.headers(self.scope, self._origin)

    @property
    def _is_preflight(self) -> bool:
        return self.method == "OPTIONS" and self._asks_for is not None

    def preflight(self) -> Headers | None:
        """What a browser may send next; None if this is no such question, or the answer is no."""
        if self.method != "OPTIONS" or self._asks_for is None:
            return None
        return self._shell.cross_origin.preflight(self.scope, self._origin, self._asks_for)

    def _tell_methods(self, message: Message) -> None:
        """Name in `Allow` what every route at this address answers, for the router knows the first one only."""
        methods = set(self._shell.operations.at(self.scope["path"]))
        others = [(name, value) for name, value in message["headers"] if name != b"allow"]
        for name, value in message["headers"]:
            if name == b"allow":
                methods |= {method.strip() for method in value.decode().split(",")}
        if "GET" in methods:  # what answers GET answers HEAD as well: the shell sees to that
            methods.add("HEAD")
        message["headers"] = [*others, (b"allow", ", ".join(sorted(methods)).encode())]

    async def start(self, status: int, headers: Headers) -> None:
        await self({"type": "http.response.start", "status": status, "headers": list(headers)})

    async def problem(self, error: AppError) -> None:
        body = problem_body(error, self.request_id)
        length = str(len(body)).encode()
        extra = tuple((name.lower().encode(), value.encode()) for name, value in error.headers.items())
        await self.start(error.status, ((b"content-type", MEDIA_TYPE.encode()), (b"content-length", length), *extra))
        await self({"type": "http.response.body", "body": body})


def _request_id(given: bytes | None) -> str:
    text = (given or b"").decode("latin-1")
    return text if _REQUEST_ID.fullmatch(text) else uuid4().hex
