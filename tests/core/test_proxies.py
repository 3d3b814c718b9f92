"""Who asks: the peer of the connection, unless it is one of our proxies, which says for whom it asks (row E3)."""

from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from pydantic import ValidationError

from vibe4vets.core.config import HTTPSettings, Settings
from vibe4vets.core.http import ClientAddress, StrictRoute, TrustedProxies, address_key
from vibe4vets.main import create_app

OURS = "10.0.0.0/8, 192.0.2.7, 2001:db8:aaaa::/48"
CLAIMS = ("X-Forwarded-For", "X-Real-IP", "Forwarded", "True-Client-IP", "CF-Connecting-IP", "X-Client-IP", "Via")


def seen(peer: object, *forwarded: str, ours: str = OURS, **headers: str) -> tuple[str, str]:
    """The address and the scheme that the service takes a request to come from."""
    lines = [(b"x-forwarded-for", line.encode()) for line in forwarded]
    lines += [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope: dict[str, Any] = {"client": peer and (peer, 1), "headers": lines, "scheme": "http"}
    networks = HTTPSettings.model_validate({"trusted_proxies": ours}).trusted_proxies
    TrustedProxies(networks).apply(scope)
    return scope["state"]["client_address"], scope["scheme"]


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("10.0.0.1", ["203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", ["198.51.100.1, 203.0.113.9"], "203.0.113.9"),  # the left one is hearsay
        ("10.0.0.1", ["198.51.100.1", "203.0.113.9"], "203.0.113.9"),  # in two lines likewise
        ("10.0.0.1", ["203.0.113.9, 10.9.9.9, 192.0.2.7"], "203.0.113.9"),  # through three of ours
        ("10.0.0.1", ["10.1.1.1, 10.2.2.2"], "10.1.1.1"),  # somebody inside
        ("10.0.0.1", ["203.0.113.9:4711"], "203.0.113.9"),
        ("10.0.0.1", ["[2001:db8::9]:4711"], "2001:db8::9"),
        ("10.0.0.1", ["2001:db8::9"], "2001:db8::9"),
        ("10.0.0.1", ["::ffff:203.0.113.9"], "203.0.113.9"),
        ("::ffff:10.0.0.1", ["203.0.113.9"], "203.0.113.9"),  # a listener for both kinds
        ("2001:db8:aaaa::1", ["203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", ["203.0.113.9, unknown"], "10.0.0.1"),  # what our proxy did not understand
        ("10.0.0.1", ["203.0.113.9, 10.3.3.3,"], "10.0.0.1"),
        ("10.0.0.1", [""], "10.0.0.1"),
        ("10.0.0.1", ["\xff\x00"], "10.0.0.1"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", [", ".join(["203.0.113.9", *["10.0.0.2"] * 40])], "10.0.0.2"),  # a loop has an end
        ("203.0.113.5", ["198.51.100.1"], "203.0.113.5"),  # a stranger
        ("192.0.2.8", ["198.51.100.1"], "192.0.2.8"),  # beside ours
        ("2001:db8:bbbb::1", ["198.51.100.1"], "2001:db8:bbbb::1"),
        ("127.0.0.1", ["198.51.100.1"], "127.0.0.1"),  # nor whoever is on this machine
        (None, ["198.51.100.1"], "unknown"),
    ],
)
def test_the_last_hop_that_is_not_ours(peer: object, forwarded: list[str], address: str) -> None:
    assert seen(peer, *forwarded)[0] == address


def test_without_proxies_nobody_is_believed() -> None:
    for peer in ("10.0.0.1", "127.0.0.1"):
        assert seen(peer, "203.0.113.9", ours="", x_forwarded_proto="https") == (peer, "http")


def test_our_proxies_say_which_requests_came_by_https() -> None:
    assert seen("10.0.0.1", x_forwarded_proto="https")[1] == "https"
    assert seen("10.0.0.1", x_forwarded_proto="HTTPS ")[1] == "https"
    assert seen("10.0.0.1", x_forwarded_proto="gopher")[1] == "http"
    assert seen("203.0.113.5", x_forwarded_proto="https")[1] == "http"


@pytest.mark.parametrize("wrong", ["proxy.example", "10.0.0.1/8", "*", "10.0.0.0/33"])
def test_proxies_are_networks(wrong: str) -> None:
    with pytest.raises(ValidationError):
        HTTPSettings.model_validate({"trusted_proxies": wrong})


def test_an_ipv6_address_stands_for_its_64() -> None:
    assert address_key("2001:db8:1:2:3:4:5:6") == address_key("2001:db8:1:2::") == "2001:db8:1:2::/64"
    assert address_key("2001:db8:1:3::1") != address_key("2001:db8:1:2::1")
    assert address_key("fe80::1%eth0") == "fe80::/64"
    assert address_key("::ffff:203.0.113.9") == address_key("203.0.113.9") == "203.0.113.9"
    assert address_key("unknown") == "unknown"


@pytest.fixture
def whoami(settings: Settings) -> FastAPI:
    """The application behind one proxy, with an operation that tells whom it takes the client for."""
    http = HTTPSettings.model_validate({"trusted_proxies": "192.0.2.7"})
    app = create_app(settings.model_copy(update={"http": http}))
    router = APIRouter(route_class=StrictRoute)

    @router.get("/whoami")
    async def tell(address: ClientAddress) -> str:
        return address

    app.include_router(router)
    return app


async def ask(app: FastAPI, peer: str, headers: dict[str, str]) -> httpx.Response:
    transport = httpx.ASGITransport(app, client=(peer, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        return await client.get("/whoami", headers=headers)


async def test_a_route_has_the_address(whoami: FastAPI) -> None:
    claims = dict.fromkeys(CLAIMS, "198.51.100.1") | {"Forwarded": "for=198.51.100.1"}
    assert (await ask(whoami, "203.0.113.5", claims)).json() == "203.0.113.5"
    assert (await ask(whoami, "192.0.2.7", claims)).json() == "198.51.100.1"
    del claims["X-Forwarded-For"]  # the one that our proxy makes, so that its client cannot
    assert (await ask(whoami, "192.0.2.7", claims)).json() == "192.0.2.7"


async def test_a_route_has_the_scheme(whoami: FastAPI) -> None:
    for peer, secure in (("192.0.2.7", True), ("203.0.113.5", False)):
        answer = await ask(whoami, peer, {"X-Forwarded-Proto": "https"})
        assert ("strict-transport-security" in answer.headers) == secure
