"""What is turned away before anybody asks which operation is meant: it costs a read a few microseconds."""

import re
from urllib.parse import unquote_to_bytes

from starlette.types import ASGIApp, Receive, Scope, Send

from vibe4vets.core.config import HTTPSettings
from vibe4vets.core.errors import MalformedRequest
from vibe4vets.core.http.encoding import is_strict_utf8
from vibe4vets.core.http.exceptions import (
    AddressTooLong,
    BodyTooLarge,
    CredentialsInAddress,
    HeadersTooLarge,
    UnknownHost,
    UnsupportedMediaType,
)

_ANY_HOST = "*"
_CREDENTIALS = (
    b"(?:(?:access|auth|id|refresh|reset|session|bearer)[_-]?)?token|(?:x[_-])?api[_-]?key|(?:access|secret)[_-]?key"
    b"|(?:current[_-]|new[_-])?pass(?:word|wd|phrase)|(?:client[_-]?)?secret|authorization|bearer|jwt"
)
_NAMES_CREDENTIALS = re.compile(rb"(?:^|[&;])(?:" + _CREDENTIALS + rb")(?:[=&;]|$)", re.IGNORECASE)
_IS_CREDENTIALS = re.compile(_CREDENTIALS, re.IGNORECASE)
_ESCAPE_IN_A_NAME = re.compile(rb"(?:^|[&;])[^=&;]*%")
_HOST = re.compile(rb"(?P<name>[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_WATCHED = frozenset({b"host", b"content-encoding", b"content-length"})
_BETWEEN_FIELDS = 4  # ": " and the end of the line
_MOST_DIGITS = 15
_WITH_A_BODY = frozenset({"POST", "PUT", "PATCH"})


class Doorway:
    """Caps on address, headers and undeclared bodies; strict UTF-8; the Host; no credentials in the query."""

    def __init__(self, app: ASGIApp, *, limits: HTTPSettings) -> None:
        self.app = app
        self.limits = limits
        self._hosts = frozenset(name.lower().encode() for name in limits.allowed_hosts)
        self._any_host = _ANY_HOST in limits.allowed_hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request in, or raise what the shell makes a problem of."""
        if scope["type"] in {"http", "websocket"}:
            self._check_address(scope["raw_path"], scope["query_string"])
            self._check_headers(scope)
        await self.app(scope, receive, send)

    def _check_address(self, path: bytes, query: bytes) -> None:
        if len(path) + len(query) >= self.limits.max_address_bytes:
            raise AddressTooLong
        if not is_strict_utf8(path) or not is_strict_utf8(query):
            raise MalformedRequest("Percent-encode the address as valid UTF-8.")
        if query and _names_credentials(query):
            raise CredentialsInAddress

    def _check_headers(self, scope: Scope) -> None:
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        if len(headers) > self.limits.max_header_fields:
            raise HeadersTooLarge
        size = 0
        hosts = []
        for name, value in headers:
            size += len(name) + len(value) + _BETWEEN_FIELDS
            if name not in _WATCHED:
                continue
            if name == b"host":
                hosts.append(value)
            elif name == b"content-encoding":
                _require_identity(value)
            else:
                self._check_length(value, scope.get("method", "GET"))
        if size > self.limits.max_header_bytes:
            raise HeadersTooLarge
        self._check_host(hosts, scope)

    def _check_length(self, value: bytes, method: str) -> None:
        """A route that takes a body has its own cap, and its guards come first; no other request needs a large one."""
        if not value.isdigit():
            raise MalformedRequest("Send Content-Length as a plain number.")
        if len(value) > _MOST_DIGITS or (method not in _WITH_A_BODY and int(value) > self.limits.max_body_bytes):
            raise BodyTooLarge

    def _check_host(self, hosts: list[bytes], scope: Scope) -> None:
        if not hosts and scope["http_version"] == "1.0" and self._any_host:  # HTTP/1.0 had no such header
            return
        if len(hosts) != 1 or not (match := _HOST.fullmatch(hosts[0])):
            raise MalformedRequest("Send one Host header with the name of this service.")
        if self._any_host or match["name"].lower() in self._hosts:
            return
        if not scope["path"].startswith("/health/"):  # a probe goes by the address of the machine it asks
            raise UnknownHost


def _names_credentials(query: bytes) -> bool:
    if _NAMES_CREDENTIALS.search(query):
        return True
    if not _ESCAPE_IN_A_NAME.search(query):
        return False
    names = (part.partition(b"=")[0] for part in re.split(b"[&;]", query))
    return any(_IS_CREDENTIALS.fullmatch(unquote_to_bytes(name)) for name in names)


def _require_identity(coding: bytes) -> None:
    if coding.strip().lower() not in {b"", b"identity"}:
        raise UnsupportedMediaType(
            "Send the body as it is, without Content-Encoding.", headers={"Accept-Encoding": "identity"}
        )
