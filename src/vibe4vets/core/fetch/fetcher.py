"""The fetcher: one GET with its redirects, its repetitions and the breaker of its host."""

import asyncio
import random
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Final, Protocol, Self
from weakref import WeakValueDictionary

import httpx
from pydantic import SecretStr

from vibe4vets.core.config import FetchSettings
from vibe4vets.core.fetch import waiting
from vibe4vets.core.fetch.answers import Answer, Validators
from vibe4vets.core.fetch.dialling import CheckedTransport
from vibe4vets.core.fetch.exceptions import (
    AddressRefused,
    AnswerTooSlow,
    ContentRefused,
    FailingStatus,
    FetchError,
    HostResting,
    PassingStatus,
    RedirectRefused,
    UnexpectedStatus,
    URLRefused,
)
from vibe4vets.core.fetch.limits import FEED, Limits
from vibe4vets.core.fetch.reading import read_body
from vibe4vets.core.fetch.urls import follow, port_of, read_url

MOST_REDIRECTS: Final = 3
LONGEST_VALIDATOR: Final = 200
_PER_HOST: Final = 2
_REDIRECTS: Final = {301, 302, 303, 307, 308}
_USER_AGENT: Final = "vibe4vets (directory of resources for US Veterans)"
_HEADER_VALUE: Final = re.compile(r"[\x21-\x7e]+(?: [\x21-\x7e]+)*", re.ASCII)


class HostRegister(Protocol):
    """What all workers know of a host: whether it may be asked now, and how it did."""

    async def admit(self, host: str) -> None:
        """Return if `host` may be asked now; raise HostResting otherwise."""

    async def record(self, host: str, *, failed: bool) -> None:
        """Count one call."""

    async def rest(self, host: str, wait: timedelta) -> None:
        """Leave `host` alone for so long, since it asked for it."""


@dataclass(frozen=True, slots=True)
class _Call:
    """What was asked for."""

    url: httpx.URL
    limits: Limits
    accept: Sequence[str]
    secrets: dict[str, str]
    known: Validators

    def headers_for(self, url: httpx.URL) -> dict[str, str]:
        """The headers of one hop; keys go to the host that they are for, and to no other."""
        headers = {
            "User-Agent": _USER_AGENT,
            "Accept": ", ".join(self.accept) or "*/*",
            "Accept-Encoding": "gzip",
            **({"If-None-Match": self.known.etag} if self.known.etag else {}),
            **({"If-Modified-Since": self.known.last_modified} if self.known.last_modified else {}),
        }
        return headers | (self.secrets if _origin(url) == _origin(self.url) else {})


class Fetcher:
    """Asks public web servers, politely: `async with Fetcher(...) as fetcher: answer = await fetcher.get(url)`."""

    def __init__(self, settings: FetchSettings, hosts: HostRegister) -> None:
        self._exceptions = settings.exceptions
        self._hosts = hosts
        self._turns: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        self._client = httpx.AsyncClient(
            transport=CheckedTransport(self._exceptions),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            trust_env=False,
            follow_redirects=False,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def get(
        self,
        url: str,
        *,
        limits: Limits = FEED,
        accept: Sequence[str] = (),
        secrets: Mapping[str, SecretStr] | None = None,
        known: Validators | None = None,
    ) -> Answer:
        """Get `url`, or "not modified" when it is still the `known` version; every failure is a FetchError.

        `accept` are the media types that an answer may have, all when empty. `secrets` are headers with keys:
        they travel over https and to this host only.
        """
        asked = read_url(url, self._exceptions)
        call = _Call(asked, limits, accept, self._open(secrets or {}, asked), known or Validators())
        try:
            async with asyncio.timeout(limits.total.total_seconds()):
                return await self._persist(call)
        except TimeoutError:
            message = f"{asked.host}: not done within {limits.total.total_seconds():g} s"
            raise AnswerTooSlow(message) from None

    def _open(self, secrets: Mapping[str, SecretStr], url: httpx.URL) -> dict[str, str]:
        keys = {name: secret.get_secret_value() for name, secret in secrets.items()}
        if keys and url.scheme != "https" and port_of(url) not in {port for _, port in self._exceptions}:
            message = f"{url.host}: a key is sent over https only"
            raise URLRefused(message)
        for name, key in keys.items():
            if not _HEADER_VALUE.fullmatch(key):  # h11 would quote it
                message = f"{name}: the key has spaces, line ends or other characters that no header can carry"
                raise URLRefused(message)
        return keys

    async def _persist(self, call: _Call) -> Answer:
        for tried in range(1, call.limits.tries):
            try:
                return await self._travel(call)
            except FetchError as error:
                pause = _pause(error, tried, call.limits)
                if pause is None:
                    raise
            await asyncio.sleep(pause)
        return await self._travel(call)

    async def _travel(self, call: _Call) -> Answer:
        """One try: follow redirects to the answer."""
        here = call.url
        for _ in range(MOST_REDIRECTS + 1):
            async with self._turn(here.host):
                found = await self._visit(here, call)
            if isinstance(found, Answer):
                return found
            here = follow(here, found, self._exceptions, same_site=call.limits.same_site)
        message = f"{call.url.host}: redirects more than {MOST_REDIRECTS} times"
        raise RedirectRefused(message)

    @asynccontextmanager
    async def _turn(self, host: str) -> AsyncIterator[None]:
        """Few at a time per host."""
        turn = self._turns.get(host)
        if turn is None:
            self._turns[host] = turn = asyncio.Semaphore(_PER_HOST)
        async with turn:
            yield

    async def _visit(self, url: httpx.URL, call: _Call) -> Answer | str:
        """One request: the answer, or where it redirects to; the host's breaker learns how it went."""
        await self._hosts.admit(url.host)
        failed: bool | None = True  # also when the time is up
        try:
            found = await self._exchange(url, call)
            failed = False
        except FetchError as error:
            failed = None if isinstance(error, AddressRefused) else error.blames_host  # nobody was asked
            if error.wait is not None:
                await self._hosts.rest(url.host, error.wait)
            raise
        finally:
            if failed is not None:
                await self._hosts.record(url.host, failed=failed)
        return found

    async def _exchange(self, url: httpx.URL, call: _Call) -> Answer | str:
        limits = call.limits
        window = limits.pace_window.total_seconds()
        timeout = httpx.Timeout(window, connect=limits.connect.total_seconds())
        request = self._client.build_request("GET", url, headers=call.headers_for(url), timeout=timeout)
        try:
            async with asyncio.timeout(window):
                response = await self._client.send(request, stream=True)
        except TimeoutError:
            message = f"{url.host}: no answer within {window:g} s"
            raise AnswerTooSlow(message) from None
        try:
            if response.status_code in _REDIRECTS and "location" in response.headers:
                return response.headers["location"]
            _check_answer(response, call)
            body = await read_body(response, limits) if response.status_code == HTTPStatus.OK else b""
        finally:
            await response.aclose()
        validators = Validators(_carried(response, "etag"), _carried(response, "last-modified"))
        return Answer(response.status_code, str(url), validators, body)


def _check_answer(response: httpx.Response, call: _Call) -> None:
    status, host = response.status_code, response.url.host
    if status == HTTPStatus.NOT_MODIFIED and call.known != Validators():
        return
    if status != HTTPStatus.OK:
        wait = waiting.asked_for(response.headers) if status in waiting.STATUSES else None
        raise _kind_of(status)(f"{host}: answers {status}", status, str(response.url), wait)
    media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if call.accept and media_type not in call.accept:
        message = f"{host}: answers with {media_type[:80] or 'no media type'} in place of {' or '.join(call.accept)}"
        raise ContentRefused(message)


def _carried(response: httpx.Response, name: str) -> str | None:
    """A validator that can be kept and sent back; another one is none."""
    value = response.headers.get(name, "")
    return value if len(value) <= LONGEST_VALIDATOR and _HEADER_VALUE.fullmatch(value) else None


def _kind_of(status: int) -> type[UnexpectedStatus]:
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return FailingStatus
    return PassingStatus if status == HTTPStatus.TOO_MANY_REQUESTS else UnexpectedStatus


def _pause(error: FetchError, tried: int, limits: Limits) -> float | None:
    """How many seconds to wait before the next try; None when none is worth it."""
    if error.wait is not None and (error.may_pass or (isinstance(error, HostResting) and error.asked)):
        return error.wait.total_seconds() if error.wait <= limits.patience else None
    if not error.may_pass:
        return None
    longest = min(limits.backoff * 2 ** (tried - 1), limits.patience).total_seconds()
    return _jitter(longest / 2, longest)


_jitter: Callable[[float, float], float] = random.SystemRandom().uniform


def _origin(url: httpx.URL) -> tuple[str, str, int]:
    return url.scheme, url.host, port_of(url)
