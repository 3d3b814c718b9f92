"""The ASGI shell around the application, and what every public answer has in common.

Pure ASGI: one `BaseHTTPMiddleware` would cost two thirds of the throughput.
"""

import asyncio
import json
import logging
import re
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import unquote_to_bytes
from uuid import uuid4

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vibe4vets.core.documents import etag_of
from vibe4vets.core.errors import (
    MEDIA_TYPE,
    AppError,
    InternalError,
    MalformedRequest,
    problem_body,
    to_app_error,
)
from vibe4vets.core.pagination import Slice

JSON = "application/json"
PUBLIC_CACHE = "public, max-age=60, stale-while-revalidate=300"
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


class StrictRoute(APIRoute):
    """A route that refuses query parameters it does not know, and a single one that is repeated."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        repeatable = dict(_query_parameters(self.dependant))

        async def strict(request: Request) -> Response:
            seen: set[str] = set()
            errors = []
            for name, _ in request.query_params.multi_items():
                if name not in repeatable:
                    errors.append(_refusal(name, "extra_forbidden", "There is no such query parameter"))
                elif name in seen and not repeatable[name]:
                    errors.append(_refusal(name, "repeated", "Give this query parameter once"))
                seen.add(name)
            if errors:
                raise RequestValidationError(errors)
            return await handle(request)

        return strict


class PublicRoute(StrictRoute):
    """A public read of what is published: open to any origin, and a replica may answer it."""

    is_public = True


NOT_MODIFIED: dict[int | str, dict[str, Any]] = {
    304: {"description": "The copy that the client named in If-None-Match is current."}
}


def success(description: str, example: Mapping[str, Any]) -> dict[int | str, dict[str, Any]]:
    """Document the answer 200 of an operation, with an example.

    FastAPI drops every null from its document; as text, which `describe` reads again, the example keeps them.
    """
    return {200: {"description": description, "content": {JSON: {"example": json.dumps(example)}}}}


def _query_parameters(dependant: Dependant) -> Iterator[tuple[str, bool]]:
    """Each query parameter by name, and whether it may be repeated; a query model counts as its fields."""
    for field in dependant.query_params:
        model = field.field_info.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            for name, info in model.model_fields.items():
                yield info.alias or name, "list" in str(info.annotation)
        else:
            yield field.alias, "list" in str(model)
    for inner in dependant.dependencies:
        yield from _query_parameters(inner)


def _refusal(name: str, code: str, message: str) -> dict[str, Any]:
    return {"loc": ("query", name), "type": code, "msg": message}


def public_answer(request: Request, body: bytes, *, etag: str | None = None, link: str | None = None) -> Response:
    """A cacheable JSON answer, or 304 when the client has these very bytes already."""
    etag = etag or etag_of(body)
    # a proxy may compress; the bytes depend on nothing else that a client sends
    headers = {"etag": etag, "cache-control": PUBLIC_CACHE, "vary": "Accept-Encoding"}
    if link is not None:
        headers["link"] = link
    if _matches(request.headers.getlist("if-none-match"), etag):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type=JSON)


def _matches(if_none_match: Sequence[str], etag: str) -> bool:
    """Weak comparison, as RFC 9110 13.1.2 wants it for If-None-Match; the header may come in several lines."""
    tags = {tag.strip().removeprefix("W/") for line in if_none_match for tag in line.split(",")}
    return "*" in tags or etag in tags


def public_page(request: Request, page: Slice) -> Response:
    """A page as a cacheable answer, with the Link to the next one (RFC 8288); relative, to hold behind any proxy."""
    link = None
    if page.next_cursor is not None:
        url = request.url.remove_query_params(["cursor", "offset"]).include_query_params(cursor=page.next_cursor)
        link = f'<{url.path}?{url.query}>; rel="next"'
    return public_answer(request, page.body(), link=link)
