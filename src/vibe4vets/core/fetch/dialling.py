"""Connections: the host is resolved once, every address is checked, and a checked one is dialled (rows F2, F3).

The check stands where sockets are opened, so that no request finds a way around it. TLS still sees the host's
name, since only the dialling knows the address.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterable
from typing import Final, TypeAlias

import httpcore
import httpx

from vibe4vets.core.fetch.addresses import Address, is_public, parse_address
from vibe4vets.core.fetch.exceptions import AddressRefused, CertificateRefused, NameUnknown, Unreachable

Exceptions: TypeAlias = frozenset[tuple[Address, int]]
"""Addresses with port that may be dialled although they are not public: a test's own server."""

PORTS: Final = frozenset({80, 443})
_MOST_CONNECTIONS: Final = 20
_SocketOptions: TypeAlias = Iterable[httpcore.SOCKET_OPTION]


class CheckedBackend(httpcore.AnyIOBackend):
    """Dials what `is_public` or the exceptions allow, and nothing else."""

    def __init__(self, exceptions: Exceptions) -> None:
        self._exceptions = exceptions

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  httpcore's signature
        local_address: str | None = None,
        socket_options: _SocketOptions | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first of the host's addresses that answers; refuse all if one of them is refused."""
        addresses = await self._resolve(host, port, timeout)
        for address in addresses:
            if not self._may_dial(address, port):
                message = f"{host}: resolves to an address that is not public; only public hosts are fetched"
                raise AddressRefused(message)
        for address in addresses[:-1]:
            try:
                return await super().connect_tcp(str(address), port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return await super().connect_tcp(str(addresses[-1]), port, timeout, local_address, socket_options)

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ARG002, ASYNC109  httpcore's signature
        socket_options: _SocketOptions | None = None,  # noqa: ARG002
    ) -> httpcore.AsyncNetworkStream:
        """Refuse: a socket file is on this machine."""
        message = f"{path}: only public hosts are fetched"
        raise AddressRefused(message)

    def _may_dial(self, address: Address, port: int) -> bool:
        return (is_public(address) and port in PORTS) or (address, port) in self._exceptions

    async def _resolve(self, host: str, port: int, seconds: float | None) -> list[Address]:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(seconds):
                found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):  # a TimeoutError is an OSError
            message = f"{host}: the name cannot be resolved"
            raise NameUnknown(message) from None
        return list(dict.fromkeys(parse_address(str(sockaddr[0])) for *_, sockaddr in found))


class CheckedTransport(httpx.AsyncBaseTransport):
    """httpx over connections of `CheckedBackend`; certificates are always verified, proxies never used."""

    def __init__(self, exceptions: Exceptions) -> None:
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=httpx.create_ssl_context(trust_env=False),
            max_connections=_MOST_CONNECTIONS,
            max_keepalive_connections=_MOST_CONNECTIONS,
            keepalive_expiry=5,
            network_backend=CheckedBackend(exceptions),
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request; what fails on the way is a FetchError without a word of the request."""
        url = request.url
        asked = httpcore.Request(
            request.method,
            httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=request.headers.raw,
            content=b"",
            extensions=request.extensions,
        )
        try:
            response = await self._pool.handle_async_request(asked)
        except _FAULTS as fault:
            raise _named(fault, url.host) from None
        stream = _Stream(response, url.host)
        return httpx.Response(response.status, headers=response.headers, stream=stream)

    async def aclose(self) -> None:
        """Close every connection."""
        await self._pool.aclose()


class _Stream(httpx.AsyncByteStream):
    def __init__(self, response: httpcore.Response, host: str) -> None:
        self._response, self._host = response, host

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._response.aiter_stream():
                yield chunk
        except _FAULTS as fault:
            raise _named(fault, self._host) from None

    async def aclose(self) -> None:
        await self._response.aclose()


_FAULTS: Final = (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, OSError)


def _named(fault: BaseException, host: str) -> Unreachable | CertificateRefused:
    """Only the class of the fault is told: h11 quotes the header that it refuses, key and all."""
    cause: BaseException | None = fault
    while cause is not None:
        if isinstance(cause, OSError) and type(cause).__module__ == "ssl":
            return CertificateRefused(f"{host}: TLS failed ({type(cause).__name__}); the certificate must be valid")
        cause = cause.__cause__ or cause.__context__
    return Unreachable(f"{host}: no answer ({type(fault).__name__})")
