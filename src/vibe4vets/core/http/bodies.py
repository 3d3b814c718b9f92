"""Request bodies, read once and strictly before FastAPI sees them.

FastAPI would take UTF-16, a byte order mark, the last of two equal keys, `NaN` and a thousand levels of nesting.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from email.message import Message
from typing import Any, NoReturn
from urllib.parse import unquote_plus

from fastapi import Request, params
from fastapi.exceptions import RequestValidationError
from pydantic.fields import FieldInfo
from starlette.types import Message as ASGIMessage
from starlette.types import Scope

from vibe4vets.core.config import HTTPSettings
from vibe4vets.core.errors import MalformedRequest
from vibe4vets.core.http.encoding import is_strict_utf8
from vibe4vets.core.http.exceptions import BodyTooLarge, RequestTimeout, UnsupportedMediaType

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
UPLOAD = "multipart/form-data"
MOST_LEVELS = 32
MOST_ITEMS = 1_000
MOST_PARTS = 20
_CONTAINERS = (dict, list)
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
# a superset: a pair of surrogates is one good character, and a backslash may itself be escaped
_MAY_BE_UNSTORABLE = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
Location = tuple[str | int, ...]


class _ReadRequest(Request):
    """A request whose body is at hand, and its document too when it is JSON."""

    def __init__(self, request: Request, body: bytes) -> None:
        super().__init__(request.scope, request.receive)
        self._body = body

    async def json(self) -> Any:  # noqa: ANN401 - JSON is Any
        """The document, which `Bodies.read` has checked."""
        return self._json

    def keep(self, document: object) -> None:
        self._json = document


class Bodies:
    """What a route takes as its body, derived from its signature; `most_bytes` overrules the setting."""

    def __init__(self, declared: FieldInfo | None, most_bytes: int | None) -> None:
        self.media_type = _media_type(declared)
        self.most_bytes = most_bytes

    async def read(self, request: Request) -> tuple[Request, RequestValidationError | None]:
        """The request with its body read, and what is wrong in it, which guards may want to come before.

        Raises at once for a body that is too large, too slow, of another type, or cannot be read at all.
        """
        limits: HTTPSettings = request.app.state.settings.http
        most_bytes = self.most_bytes or limits.max_body_bytes
        declared = int(request.headers.get("content-length", 0))
        if declared > most_bytes:
            raise _too_large(most_bytes)
        if self.media_type is None:
            return request, None
        if declared or "transfer-encoding" in request.headers:
            self._check_type(request)
        async with _in_time(request.scope, limits):
            if self.media_type == UPLOAD:
                return await _read_upload(request, most_bytes)
            body = await _receive(request, most_bytes)
        read = _ReadRequest(request, body)
        if not body:
            return read, None
        self._check_type(request)
        if self.media_type == FORM:
            return read, _invalid(form_faults(body))
        document = parse_json(body)
        read.keep(document)
        return read, _invalid(faults(document, with_texts=_MAY_BE_UNSTORABLE.search(body) is not None))

    def _check_type(self, request: Request) -> None:
        given = Message()
        given["content-type"] = request.headers.get("content-type", "")
        charset = str(given.get_param("charset", "utf-8")).lower()
        if given.get_content_type() != self.media_type or "content-type" not in request.headers:
            raise UnsupportedMediaType(f"Send `Content-Type: {self.media_type}`.")
        if self.media_type != UPLOAD and charset not in {"utf-8", "utf8"}:
            raise UnsupportedMediaType("Send the body as UTF-8.")


def _media_type(declared: FieldInfo | None) -> str | None:
    match declared:
        case None:
            return None
        case params.File():
            return UPLOAD
        case params.Form():
            return FORM
        case _:
            return JSON


def _too_large(most_bytes: int) -> BodyTooLarge:
    return BodyTooLarge(f"This operation takes at most {most_bytes:,} bytes.")


class _Counted:
    """The receiving side of an upload, which the parser reads as it comes."""

    def __init__(self, request: Request, most_bytes: int) -> None:
        self._receive = request.receive
        self._most_bytes = most_bytes
        self._size = 0

    async def __call__(self) -> ASGIMessage:
        message = await self._receive()
        self._size += len(message.get("body", b""))
        if self._size > self._most_bytes:
            raise _too_large(self._most_bytes)
        return message


def _invalid(errors: list[dict[str, object]]) -> RequestValidationError | None:
    return RequestValidationError(errors) if errors else None


async def _read_upload(request: Request, most_bytes: int) -> tuple[Request, RequestValidationError | None]:
    """The request with its parts parsed: large files lie on disk, and FastAPI closes them."""
    upload = Request(request.scope, _Counted(request, most_bytes))
    form = await upload.form(max_files=MOST_PARTS, max_fields=MOST_PARTS)
    errors = [
        _unstorable((name,))
        for name, part in form.multi_items()
        if "\0" in name or "\0" in (part if isinstance(part, str) else part.filename or "")
    ]
    if errors:
        await form.close()
    return upload, _invalid(errors)


async def _receive(request: Request, most_bytes: int) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most_bytes:
            raise _too_large(most_bytes)
    return bytes(body)


@asynccontextmanager
async def _in_time(scope: Scope, limits: HTTPSettings) -> AsyncIterator[None]:
    """A slow network has a time limit of its own; the answer's begins when the body is here."""
    answer: asyncio.Timeout = scope["state"]["deadline"]
    answer.reschedule(None)
    try:
        async with asyncio.timeout(limits.body_deadline.total_seconds()):
            yield
    except TimeoutError:
        raise RequestTimeout from None
    finally:
        answer.reschedule(asyncio.get_running_loop().time() + limits.deadline.total_seconds())


def parse_json(body: bytes) -> object:
    """The document that `body` is; raises MalformedRequest."""
    try:
        return json.loads(
            body.decode(),
            object_pairs_hook=_object,
            parse_constant=_no_constant,
            parse_float=_finite,
        )
    except UnicodeDecodeError:
        raise MalformedRequest("Send the body as UTF-8.") from None
    except RecursionError:
        raise _too_deep() from None
    except ValueError:  # also for an integer of more than 4,300 digits, where Python stops
        raise MalformedRequest("Send valid JSON, without a byte order mark and without endless numbers.") from None


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise MalformedRequest("A key stands twice in one object of the body; send each once.")
    return found


def _no_constant(_: str) -> NoReturn:
    raise MalformedRequest("NaN and Infinity are not JSON; send a number or null.")


def _finite(text: str) -> float:
    number = float(text)
    if number in {float("inf"), float("-inf")}:
        raise MalformedRequest("A number of the body is too large.")
    return number


def _too_deep() -> MalformedRequest:
    return MalformedRequest(f"The body nests deeper than {MOST_LEVELS} levels.")


def faults(document: object, *, with_texts: bool) -> list[dict[str, object]]:
    """Lists and objects without end, and text that cannot be stored; level by level, never by recursion.

    Raises MalformedRequest for too many levels.
    """
    level: list[tuple[Location, object]] = [((), document)]
    errors: list[dict[str, object]] = []
    for _ in range(MOST_LEVELS):
        if with_texts:
            errors += [_unstorable(where) for where, value in level if _is_unstorable(value)]
        containers = [(where, value) for where, value in level if isinstance(value, _CONTAINERS)]
        errors += [_too_many(where) for where, value in containers if len(value) > MOST_ITEMS]
        if errors:
            break
        level = [inner for where, value in containers for inner in _inside(where, value, with_texts=with_texts)]
    else:
        if any(isinstance(value, _CONTAINERS) for _, value in level):
            raise _too_deep()
    return errors


def _inside(where: Location, container: Any, *, with_texts: bool) -> list[tuple[Location, object]]:  # noqa: ANN401
    """What is in a list or an object; without their texts, its containers are all that matters."""
    pairs = container.items() if isinstance(container, dict) else enumerate(container)
    return [((*where, key), value) for key, value in pairs if with_texts or isinstance(value, _CONTAINERS)]


def _is_unstorable(value: object) -> bool:
    if isinstance(value, str):
        return _UNSTORABLE.search(value) is not None
    return isinstance(value, dict) and any(_UNSTORABLE.search(key) for key in value)


def form_faults(body: bytes) -> list[dict[str, object]]:
    """NUL, and fields that come twice; raises MalformedRequest unless `body` is percent-encoded UTF-8."""
    if not is_strict_utf8(body):
        raise MalformedRequest("Percent-encode the form as valid UTF-8.")
    errors: list[dict[str, object]] = []
    seen: set[str] = set()
    fields = body.decode().split("&")
    if len(fields) > MOST_ITEMS:
        return [_too_many(())]
    for field in fields:
        name, _, value = field.partition("=")
        name = unquote_plus(name)
        if name in seen:
            errors.append(_error((name,), "repeated", "Give this field once"))
        if "\0" in name or "\0" in unquote_plus(value):
            errors.append(_unstorable((name,)))
        seen.add(name)
    return errors


def _unstorable(where: Location) -> dict[str, object]:
    return _error(where, "unsafe_text", "NUL and lone surrogates are not allowed, neither in a name nor in a value")


def _too_many(where: Location) -> dict[str, object]:
    return _error(where, "too_long", f"At most {MOST_ITEMS:,} items are allowed")


def _error(where: Sequence[str | int], code: str, message: str) -> dict[str, object]:
    return {"loc": ("body", *where), "type": code, "msg": message}
