"""Reading a body with every cap of row F6: on the wire, inflated, their ratio, and the pace."""

import time
import zlib
from collections.abc import Iterator
from io import BytesIO

import httpx

from vibe4vets.core.fetch.exceptions import AnswerTooLarge, AnswerTooSlow, ContentRefused, Unreachable
from vibe4vets.core.fetch.limits import Limits

_BLOCK = 64 * 1024
_GZIP = 16 + zlib.MAX_WBITS


async def read_body(response: httpx.Response, limits: Limits) -> bytes:
    """Read the whole body, or with `keeps_beginning` as much as the limits allow."""
    announced = response.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limits.bytes and not limits.keeps_beginning:
        raise _too_large(response, limits)
    inflate = _inflater(response)
    pace = _Pace(response.url.host, limits)
    body = BytesIO()  # hands out what it holds without a copy of it
    wire = 0
    async for chunk in response.aiter_raw():
        pace.see(len(chunk))
        wire += len(chunk)
        for block in inflate(chunk):
            body.write(block[: limits.bytes - body.tell()] if limits.keeps_beginning else block)
            _check(response, limits, wire, body.tell())
        if limits.keeps_beginning and body.tell() >= limits.bytes:
            return body.getvalue()
    if isinstance(inflate, _Gunzip) and not inflate.is_whole:
        message = f"{response.url.host}: the answer was cut off"
        raise Unreachable(message)
    return body.getvalue()


def _check(response: httpx.Response, limits: Limits, wire: int, inflated: int) -> None:
    if max(wire, inflated) > limits.bytes and not limits.keeps_beginning:
        raise _too_large(response, limits)
    if inflated > wire * limits.ratio:
        message = f"{response.url.host}: the answer inflates more than {limits.ratio} times"
        raise AnswerTooLarge(message)


def _too_large(response: httpx.Response, limits: Limits) -> AnswerTooLarge:
    return AnswerTooLarge(f"{response.url.host}: the answer is larger than {limits.bytes:,} bytes")


class _Plain:
    def __call__(self, chunk: bytes) -> Iterator[bytes]:
        yield chunk


class _Gunzip:
    """Inflates by blocks, so that a bomb is seen before it has gone off."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._stream = zlib.decompressobj(_GZIP)
        self._begun = False

    @property
    def is_whole(self) -> bool:
        """Whether the stream has ended as it should; an empty body has."""
        return self._stream.eof or not self._begun

    def __call__(self, chunk: bytes) -> Iterator[bytes]:
        self._begun = True
        try:
            while chunk and not self._stream.eof:
                yield self._stream.decompress(chunk, _BLOCK)
                chunk = self._stream.unconsumed_tail
        except zlib.error:
            message = f"{self._host}: the answer is not the gzip that it says it is"
            raise ContentRefused(message) from None


def _inflater(response: httpx.Response) -> _Plain | _Gunzip:
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding in {"gzip", "x-gzip"}:
        return _Gunzip(response.url.host)
    if encoding in {"identity", ""}:
        return _Plain()
    message = f"{response.url.host}: answers in an encoding that was not asked for"
    raise ContentRefused(message)


class _Pace:
    """Tells a slow drip from a slow line: in every window, so many bytes a second."""

    def __init__(self, host: str, limits: Limits) -> None:
        self._host = host
        self._window = limits.pace_window.total_seconds()
        self._least = limits.pace_bytes * self._window
        self._since, self._seen = time.monotonic(), 0

    def see(self, size: int) -> None:
        self._seen += size
        now = time.monotonic()
        if now - self._since < self._window:
            return
        if self._seen < self._least:
            message = f"{self._host}: the answer drips in too slowly"
            raise AnswerTooSlow(message)
        self._since, self._seen = now, 0
