"""Which web pages may read an answer (L3): public reads any, everything else those of a list."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest
from fastapi import APIRouter

from vibe4vets.core.errors import NotAuthenticated
from vibe4vets.core.http import PublicRoute, StrictRoute

SendRaw = Callable[..., Awaitable[httpx.Response]]
GOOD = "https://app.example"
EVIL = [
    "https://evil.example", "null", "https://app.example.evil.com", "https://evil-app.example", "http://app.example",
    "https://app.example:8443", "https://app.example/", "https://APP.example", "", "https://app.example, https://evil",
]  # fmt: skip
EXPOSED = {"ETag", "Link", "RateLimit", "RateLimit-Policy", "Retry-After", "X-Request-ID"}


@pytest.fixture
async def trial(trial_with: Any) -> AsyncIterator[Any]:
    """Operations that are public, protected, and failing, with one origin on the list."""
    trial = trial_with(cors_origins=(GOOD, "http://localhost:5173"))
    public, protected = APIRouter(route_class=PublicRoute), APIRouter(route_class=StrictRoute)

    @public.get("/mixed")
    async def read() -> str:
        return "read"

    @protected.post("/mixed")
    async def write() -> None:
        raise NotAuthenticated

    @protected.get("/mine")
    async def mine() -> str:
        return "mine"

    @protected.get("/broken")
    async def broken() -> None:
        raise RuntimeError

    trial.app.include_router(public, prefix="/api/v1")
    trial.app.include_router(protected, prefix="/api/v1")
    async with trial.app.router.lifespan_context(trial.app):  # public reads are counted
        yield trial


@pytest.fixture
def ask(send_raw_to: SendRaw, trial: Any) -> SendRaw:
    """Send what a browser sends for a page of `origin`; a preflight when `asks_for` is given."""

    async def send(path: str, origin: str, method: str = "GET", asks_for: str | None = None) -> httpx.Response:
        headers = [(b"origin", origin.encode())]
        if asks_for is not None:
            headers.append((b"access-control-request-method", asks_for.encode()))
        address, _, query = path.partition("?")
        answer = await send_raw_to(trial.app, address.encode(), query.encode(), method=method, headers=headers)
        assert "access-control-allow-credentials" not in answer.headers
        return answer

    return send


# address, method, status: protected operations in every kind of answer
PROTECTED = [
    ("/api/v1/mine", "GET", 200),
    ("/api/v1/mine", "HEAD", 200),
    ("/api/v1/mine?unknown=1", "GET", 422),
    ("/api/v1/mine?password=x", "GET", 400),
    ("/api/v1/mine?x=%FF", "GET", 400),
    ("/api/v1/mixed", "POST", 401),
    ("/api/v1/mixed", "PUT", 405),
    ("/api/v1/broken", "GET", 500),
    ("/api/v1/nowhere", "GET", 404),
    ("/health/live", "GET", 200),
]


@pytest.mark.parametrize(("path", "method", "status"), PROTECTED)
async def test_a_listed_origin_reads_every_answer(ask: SendRaw, path: str, method: str, status: int) -> None:
    for origin in (GOOD, "http://localhost:5173"):
        answer = await ask(path, origin, method)
        assert answer.status_code == status
        assert answer.headers.get_list("access-control-allow-origin") == [origin]
        assert set(answer.headers["access-control-expose-headers"].split(", ")) == EXPOSED
        assert "Origin" in answer.headers.get_list("vary")


@pytest.mark.parametrize(("path", "method", "status"), PROTECTED)
@pytest.mark.parametrize("origin", EVIL)
async def test_no_other_origin_reads_any(ask: SendRaw, path: str, method: str, status: int, origin: str) -> None:
    answer = await ask(path, origin, method)
    assert answer.status_code == status
    assert "access-control-allow-origin" not in answer.headers
    assert "Origin" in answer.headers.get_list("vary")


@pytest.mark.parametrize("origin", [GOOD, *EVIL])
async def test_public_reads_are_open_to_all_and_alike_for_all(ask: SendRaw, origin: str) -> None:
    for path, method, status in (
        ("/api/v1/mixed", "GET", 200),
        ("/api/v1/mixed", "HEAD", 200),
        ("/api/v1/mixed?unknown=1", "GET", 422),
        ("/api/v1/mixed?x=%FF", "GET", 400),
        ("/api/v1/mixed?token=x", "GET", 400),
    ):
        answer = await ask(path, origin, method)
        assert answer.status_code == status
        assert answer.headers.get_list("access-control-allow-origin") == ["*"]
        assert set(answer.headers["access-control-expose-headers"].split(", ")) == EXPOSED
        assert "Origin" not in answer.headers.get_list("vary")


async def test_a_preflight_tells_a_listed_origin_what_it_may_send(ask: SendRaw) -> None:
    for path, asks_for, methods in (
        ("/api/v1/mixed", "POST", "GET, HEAD, POST"),
        ("/api/v1/mixed", "GET", "GET, HEAD, POST"),
        ("/api/v1/mine", "GET", "GET, HEAD"),
        ("/api/v1/trial/entries", "DELETE", "DELETE, GET, HEAD, POST"),
        ("/api/v1/trial/token", "POST", "POST"),
    ):
        answer = await ask(path, GOOD, "OPTIONS", asks_for)
        assert (answer.status_code, answer.content) == (204, b"")
        assert answer.headers["access-control-allow-origin"] == GOOD
        assert answer.headers["access-control-allow-methods"] == methods
        allowed = set(answer.headers["access-control-allow-headers"].split(", "))
        assert {"Authorization", "Content-Type", "X-API-Key", "If-Match", "Idempotency-Key"} <= allowed
        assert answer.headers.get_list("vary") == ["Origin"]
        assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("origin", EVIL)
async def test_a_preflight_tells_any_other_to_stay_away(ask: SendRaw, origin: str) -> None:
    for path, asks_for in (("/api/v1/mixed", "POST"), ("/api/v1/mine", "GET"), ("/api/v1/trial/entries", "DELETE")):
        answer = await ask(path, origin, "OPTIONS", asks_for)
        assert answer.status_code == 405
        assert not [name for name in answer.headers if name.startswith("access-control-")]
    public = await ask("/api/v1/mixed", origin, "OPTIONS", "GET")
    assert (public.status_code, public.headers["access-control-allow-origin"]) == (204, "*")
    assert public.headers["access-control-allow-methods"] == "GET, HEAD"
    assert "Authorization" not in public.headers["access-control-allow-headers"]


async def test_a_preflight_for_what_is_not_there_is_refused(ask: SendRaw) -> None:
    for path, asks_for, status in (
        ("/api/v1/mixed", "DELETE", 405),
        ("/api/v1/nowhere", "GET", 404),
        ("/api/v1/mine", "nonsense", 405),
        ("/api/v1/mine", "\r\nX: y", 405),
    ):
        answer = await ask(path, GOOD, "OPTIONS", asks_for)
        assert answer.status_code == status
        assert "access-control-allow-methods" not in answer.headers


async def test_without_a_list_nothing_but_public_reads_is_open(send_raw_to: SendRaw, trial_with: Any) -> None:
    app = trial_with().app
    for origin in (GOOD, *EVIL):
        answer = await send_raw_to(app, b"/api/v1/trial/entries", headers=[(b"origin", origin.encode())])
        assert answer.status_code == 200
        assert "access-control-allow-origin" not in answer.headers
        assert "vary" not in answer.headers
