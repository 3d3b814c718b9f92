"""Which web pages may read an answer: public reads any, everything else those of a list, `null` none."""

from collections.abc import Sequence

from starlette.types import Scope

from vibe4vets.core.http.operations import Operations

Headers = tuple[tuple[bytes, bytes], ...]

_EXPOSED = (b"access-control-expose-headers", b"ETag, Link, RateLimit, RateLimit-Policy, Retry-After, X-Request-ID")
_ANYONE: Headers = ((b"access-control-allow-origin", b"*"), _EXPOSED)
_VARY = (b"vary", b"Origin")
_READING: Headers = (
    *_ANYONE,
    (b"access-control-allow-methods", b"GET, HEAD"),
    (b"access-control-allow-headers", b"Accept, If-None-Match, X-Request-ID"),
    (b"access-control-max-age", b"86400"),
)
_LISTED: Headers = (
    (
        b"access-control-allow-headers",
        b"Accept, Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, X-API-Key, X-Request-ID",
    ),
    (b"access-control-max-age", b"600"),
    _VARY,
)


class CrossOrigin:
    """The CORS headers of every answer; credentials in the sense of CORS (cookies) are never allowed: there are none.

    The list is compared as a whole text, so that neither a prefix nor a suffix of a good origin will do.
    """

    def __init__(self, origins: Sequence[str], operations: Operations) -> None:
        self._origins = frozenset(origin.encode() for origin in origins)
        self._operations = operations

    def headers(self, scope: Scope, origin: bytes | None) -> Headers:
        """What an answer says: also one that failed, so that the page's program can read why."""
        if self._is_public_read(scope):
            return _ANYONE
        if not self._origins:
            return ()
        return (*self._allow(origin), _VARY)

    def preflight(self, scope: Scope, origin: bytes | None, method: bytes) -> Headers | None:
        """The answer to a browser that asks before it sends `method`; None if that is not to be."""
        methods = self._operations.at(scope["path"])
        name = method.decode("latin-1")
        known = {*methods, "HEAD"} if "GET" in methods else set(methods)
        if name in known and (allowed := self._allow(origin)):
            return (*allowed, (b"access-control-allow-methods", ", ".join(sorted(known)).encode()), *_LISTED)
        if name in {"GET", "HEAD"} and methods.get("GET"):
            return _READING
        return None

    def _allow(self, origin: bytes | None) -> Headers:
        return ((b"access-control-allow-origin", origin), _EXPOSED) if origin in self._origins and origin else ()

    def _is_public_read(self, scope: Scope) -> bool:
        """The shell has made HEAD a GET by now; what was turned away at the door has no route yet."""
        if scope["method"] != "GET":
            return False
        if "route" in scope:
            return bool(getattr(scope["route"], "is_public", False))
        return self._operations.at(scope["path"]).get("GET", False)
