"""What people send stays out of every log (row K10), on a service that runs as production does."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from vibe4vets.core.config import Settings
from vibe4vets.core.embedded import EmbeddedPostgres
from vibe4vets.core.migrations import upgrade

pytestmark = pytest.mark.drill

CANARY = "canary7f3a"
PRODUCTION = {
    "VIBE4VETS_ENV": "production",
    "VIBE4VETS_SECRET_KEY": "Gk3pWv9sQx7nLz2tRc5yHb8mJd4fTa6uEo1i",
    "VIBE4VETS_BASE_URL": "https://directory.example.org",
    "VIBE4VETS_AUDIT__SEAL_INTERVAL": "PT0.2S",
}
SEARCH, LOGIN = "/api/v1/search", "/api/v1/auth/token"
HEADERS = (
    "authorization", "cookie", "x-api-key", "x-request-id", "x-forwarded-for", "forwarded", "user-agent", "referer",
    "origin", "if-none-match", "idempotency-key", "traceparent", CANARY,
)  # fmt: skip
FORM = {"username": f"{CANARY}@example.org", "password": CANARY, "client_secret": CANARY, "refresh_token": CANARY}


@pytest.fixture
def postgres(folder: Path) -> Iterator[EmbeddedPostgres]:
    """A durable server of this test's own, whose log is read."""
    with EmbeddedPostgres(folder / "server").running() as server:
        upgrade(Settings.model_validate({"DATABASE_URL": server.owner_url()}).database_url)
        yield server


def requests(client: httpx.Client) -> Iterator[httpx.Request]:
    """A canary in every place that a request has."""
    yield client.build_request("GET", SEARCH, params={"q": CANARY, "city": CANARY})
    yield client.build_request("GET", SEARCH, params={CANARY: "1"})
    yield client.build_request("GET", "/api/v1/organizations", params={"name": CANARY, "cursor": CANARY})
    yield client.build_request("GET", f"/api/v1/resources/{CANARY}")
    yield client.build_request("GET", f"/{CANARY}/%ff")
    yield client.build_request("GET", f"/{CANARY}%0d%0a%1b[31m{CANARY}", params={"access_token": CANARY})
    yield client.build_request("HEAD", SEARCH, params={"q": CANARY})
    yield client.build_request("POST", LOGIN, data=FORM)
    yield client.build_request("POST", LOGIN, json=FORM)
    yield client.build_request("POST", LOGIN, content=f'{{"password": "{CANARY}'.encode())
    yield client.build_request("DELETE", SEARCH, params={"q": CANARY})
    yield client.build_request("OPTIONS", f"/{CANARY}", headers={"access-control-request-method": CANARY})
    for header in HEADERS:
        yield client.build_request("GET", SEARCH, params={"q": "x"}, headers={header: f"Bearer {CANARY}"})


def send_everything(url: str) -> None:
    """Send every request, and two that are none."""
    with httpx.Client(base_url=url, timeout=15) as client:
        for request in requests(client):
            assert client.send(request).status_code in range(200, 600)
    host, port = url.removeprefix("http://").split(":")
    for broken in (f"{CANARY} / HTTP/1.1\r\n\r\n", f"GET /{CANARY} HTTP/9.9\r\n{CANARY}\r\n\r\n"):
        with socket.create_connection((host, int(port)), timeout=15) as connection:
            connection.sendall(broken.encode())
            connection.recv(1000)


async def test_no_log_holds_what_was_sent(programs: Any, postgres: EmbeddedPostgres, eventually: Any) -> None:
    owner = await asyncpg.connect(postgres.owner_url())
    await owner.execute("alter system set log_min_duration_statement = 0")  # the most that an operator may ask for
    await owner.execute("select pg_reload_conf()")
    service = programs.serve(DATABASE_URL=postgres.app_url(), **PRODUCTION)
    assert service.get("/health/ready").status_code == 200, "the control: production as it should be is ready"
    send_everything(service.url)
    await owner.execute("alter table published_resources rename to hidden")  # now errors are logged, with their places
    send_everything(service.url)
    await owner.execute("insert into audit_events (actor_kind, action) values ('system', 'canary.sealed')")
    eventually(lambda: "audit sealed" in service.log.read_text())
    await owner.close()

    written = {"service": service.log.read_text(), "PostgreSQL": (postgres.home / "server.log").read_text()}
    assert [name for name, text in written.items() if CANARY in text.lower()] == []
    assert "join published_resources" in written["PostgreSQL"].lower(), "else its log shows nothing"
    lines = [json.loads(line) for line in written["service"].splitlines() if line.startswith("{")]
    seen = [(line["method"], line["route"], line["status"]) for line in lines if line["event"] == "request"]
    assert ("GET", SEARCH, 200) in seen
    assert ("GET", SEARCH, 503) in seen
    assert ("GET", "/api/v1/resources/{resource_id}", 422) in seen
    failure = next(line for line in lines if line["event"] == "unavailable")
    assert failure["sqlstate"] == "42P01"
    assert failure["trace"]
    assert len({line["request_id"] for line in lines if "request_id" in line}) >= len(seen), "each has its own"
    (sealed,) = [line for line in lines if line["event"] == "audit sealed"]
    assert (sealed["seal"], sealed["count"], len(sealed["head"])) == (1, 1, 64)
