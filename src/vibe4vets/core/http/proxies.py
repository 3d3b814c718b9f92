"""Who asks, as seen through our own proxies: what anybody else claims to forward is ignored."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Annotated

from fastapi import Depends, Request
from pydantic import IPvAnyNetwork
from starlette.types import Scope

UNKNOWN = "unknown"
"""The address of a peer without one, as on a unix socket: all of them count as one."""
MOST_HOPS = 32
_IPV6_PREFIX = 64
Address = IPv4Address | IPv6Address


class TrustedProxies:
    """The proxies that may say for whom they ask. Without any, the peer of the connection is the client."""

    def __init__(self, networks: Iterable[IPvAnyNetwork]) -> None:
        self._networks = tuple(networks)
        self._trusts = lru_cache(maxsize=4096)(self._is_ours)

    def apply(self, scope: Scope) -> None:
        """Put the client's address into the state of the request, and the scheme it used into the scope."""
        peer = scope.get("client")
        address = peer[0] if peer else UNKNOWN
        if self._networks and self._trusts(address):
            address = self._behind(address, scope["headers"])
            if (scheme := _last(scope["headers"], b"x-forwarded-proto")) in {b"http", b"https"}:
                scope["scheme"] = scheme.decode()
        scope.setdefault("state", {})["client_address"] = address

    def _behind(self, peer: str, headers: Sequence[tuple[bytes, bytes]]) -> str:
        """The last hop that is not ours. Each proxy adds to the right, so whatever stands left of it is hearsay."""
        address = peer
        lines = [value.decode("latin-1") for name, value in headers if name == b"x-forwarded-for"]
        for hop in reversed(",".join(lines).split(",")[-MOST_HOPS:] if lines else ()):
            parsed = _parse(_without_port(hop.strip()))
            if parsed is None:  # the nearest proxy that knew what it did has seen no other address
                break
            address = str(parsed)
            if not self._trusts(address):
                break
        return address

    def _is_ours(self, text: str) -> bool:
        address = _parse(text)
        return address is not None and any(address in network for network in self._networks)


def _last(headers: Sequence[tuple[bytes, bytes]], wanted: bytes) -> bytes:
    return next((value.strip().lower() for name, value in reversed(headers) if name == wanted), b"")


def _without_port(hop: str) -> str:
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop


@lru_cache(maxsize=4096)
def _parse(text: str) -> Address | None:
    """The address, an IPv4 one out of its IPv6 spelling."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


@lru_cache(maxsize=4096)
def address_key(address: str) -> str:
    """Whom an address stands for: itself for IPv4; for IPv6 its /64, for whoever has one has all in it."""
    parsed = _parse(address)
    if isinstance(parsed, IPv6Address):
        return str(IPv6Network((int(parsed), _IPV6_PREFIX), strict=False))
    return address if parsed is None else str(parsed)


async def get_client_address(request: Request) -> str:
    """The address of whoever asks, as seen through trusted proxies only."""
    address: str = request.state.client_address
    return address


ClientAddress = Annotated[str, Depends(get_client_address)]
