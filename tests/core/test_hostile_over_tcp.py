"""A real `serve` process against clients that mean harm: endless bodies, forged framing, crowds, hang-ups."""

import asyncio
import contextlib
import re
import socket
import ssl
import struct
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from tests.databases import Lender
from vibe4vets.core.embedded import EmbeddedPostgres

CANARY = "c4n4ry"
MIB = 1024 * 1024
POOLS = {"VIBE4VETS_DATABASE__READ_POOL_SIZE": 5, "VIBE4VETS_DATABASE__POOL_SIZE": 3}
MOST_CONNECTIONS = 5 + 3 + 3  # public reads, writes, other reads
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # httpx would read every known authority for each client


@pytest.fixture(scope="module")
async def database(lender: Lender, starter_template: str) -> str:
    """A copy of the starter directory of this module's own."""
    return await lender.own(starter_template)


@pytest.fixture(scope="module")
def service(
    server: EmbeddedPostgres, database: str, programs_in: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    """`serve` with small pools and little patience."""
    folder: Path = tmp_path_factory.mktemp("hostile")
    impatience = {"VIBE4VETS_HTTP__DEADLINE": "PT2S", "VIBE4VETS_DATABASE__POOL_WAIT": "PT1S"}
    with programs_in(folder) as programs:
        url = server.app_url(database)
        yield programs.serve(DATABASE_URL=url, VIBE4VETS_DATA_DIR=folder / "data", **POOLS, **impatience)


@pytest.fixture
async def watcher(server: EmbeddedPostgres, database: str) -> AsyncIterator[asyncpg.Connection]:
    """The owner's connection to the service's database."""
    connection = await asyncpg.connect(server.owner_url(database))
    yield connection
    await connection.close()


def address_of(service: Any) -> tuple[str, int]:
    host, port = service.url.removeprefix("http://").split(":")
    return host, int(port)


@asynccontextmanager
async def connected(service: Any) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection(*address_of(service))
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def exchange(service: Any, request: bytes) -> tuple[bytes, bool]:
    """What comes back for these bytes, and whether the connection was closed after it."""
    async with connected(service) as (reader, writer), asyncio.timeout(20):
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int((re.search(rb"(?i)\r\ncontent-length: (\d+)", head) or [b"", b"0"])[1])
        body = await reader.readexactly(length)
        closed = b"connection: close" in head.lower()
        if closed:
            assert await reader.read() == b""
        return head + body, closed


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def memory_kib(service: Any, name: str) -> int:
    """`VmRSS`, what the process holds now, or `VmHWM`, the most it ever held."""
    text = Path(f"/proc/{service.process.pid}/status").read_text()
    return int(re.search(rf"^{name}:\s+(\d+) kB", text, re.MULTILINE)[1])  # type: ignore[index]


def open_files(service: Any) -> int:
    return len(list(Path(f"/proc/{service.process.pid}/fd").iterdir()))


@pytest.mark.parametrize("request_line", [b"POST /api/v1/auth/refresh", b"POST /api/v1/auth/token", b"POST /nowhere"])
async def test_a_body_without_end_takes_no_memory(service: Any, request_line: bytes) -> None:
    kind = b"application/x-www-form-urlencoded" if b"token" in request_line else b"application/json"
    head = b" HTTP/1.1\r\nHost: test\r\nContent-Type: " + kind + b"\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"%x\r\n%s\r\n" % (MIB, b" " * MIB)
    service.get("/api/v1/resources")
    before = memory_kib(service, "VmRSS")
    async with connected(service) as (reader, writer):
        writer.write(request_line + head)
        for _ in range(200):  # to the end, as a client would that never listens
            writer.write(chunk)
            await writer.drain()
        writer.write(b"0\r\n\r\n")
        async with asyncio.timeout(30):
            answer = await reader.readuntil(b"\r\n\r\n")
    assert status_of(answer) == (404 if b"nowhere" in request_line else 413)
    assert memory_kib(service, "VmHWM") - before < 20 * 1024
    assert service.get("/health/live").status_code == 200


async def test_a_declared_body_over_the_cap_is_not_waited_for(service: Any) -> None:
    """Not even begun: the client gets its answer instead of the word to go on."""
    head = b"POST /api/v1/auth/refresh HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"
    for expect in (b"", b"Expect: 100-continue\r\n"):
        answer, _ = await exchange(service, head + expect + b"Content-Length: 2000000000\r\n\r\n")
        assert status_of(answer) == 413
        assert b'"type":"body-too-large"' in answer


async def test_addresses_and_headers_have_a_cap(service: Any) -> None:
    cases = {
        b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\nHost: test\r\n\r\n": 414,
        b"GET /api/v1/search?q=" + b"x" * 9000 + b" HTTP/1.1\r\nHost: test\r\n\r\n": 414,
        b"GET /health/live HTTP/1.1\r\nHost: test\r\nX: " + b"x" * 33_000 + b"\r\n\r\n": 431,
        b"GET /health/live HTTP/1.1\r\nHost: test\r\n" + b"X: 1\r\n" * 100 + b"\r\n": 431,
        b"GET /health/live HTTP/1.1\r\nHost: test\r\n" + b"X: 1\r\n" * 99 + b"\r\n": 200,
        b"GET /health/live HTTP/1.1\r\nHost: test\r\nX: " + b"x" * 32_000 + b"\r\n\r\n": 200,
    }
    for request, status in cases.items():
        answer, _ = await exchange(service, request)
        assert status_of(answer) == status, request[:60]
        assert (b"application/problem+json" in answer) == (status != 200)


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"POST /auth HTTP/1.1\r\nHost: test\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /api/v1/auth/refresh HTTP/1.1\r\nHost: test\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\n{}  ",
        b"POST /api/v1/auth/refresh HTTP/1.1\r\nHost: test\r\nContent-Length: +4\r\n\r\n{}  ",
        b"POST /api/v1/auth/refresh HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
        b"POST /api/v1/auth/refresh HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n{}\r\n0\r\n\r\n",
        b"GET /health/live HTTP/1.1\nHost: test\n\n",
        b"GET /health/live HTTP/1.1\r\nHost : test\r\n\r\n",
        b"GET /health/live HTTP/9.9\r\nHost: test\r\n\r\n",
        b"nonsense\r\n\r\n",
    ],
)  # fmt: skip
async def test_framing_that_two_servers_read_differently_is_refused(service: Any, request_bytes: bytes) -> None:
    answer, closed = await exchange(service, request_bytes)
    assert (status_of(answer), closed) == (400, True), answer


async def test_a_request_without_host_is_refused(service: Any) -> None:
    for headers in (b"", b"Host: a\r\nHost: b\r\n", b"Host:\r\n"):
        answer, _ = await exchange(service, b"GET /api/v1/resources HTTP/1.1\r\n" + headers + b"\r\n")
        assert status_of(answer) == 400, headers
        assert b"application/problem+json" in answer


def test_no_log_keeps_credentials_of_an_address(service: Any) -> None:
    for name in ("access_token", "api_key", "password", "token"):
        answer = service.get(f"/api/v1/auth/me?{name}={CANARY}")
        assert (answer.status_code, answer.json()["type"]) == (400, "credentials-in-address")
    for credentials in (f"Bearer {CANARY}", f"Basic {CANARY}"):
        answer = httpx.get(
            f"{service.url}/api/v1/auth/me", headers={"authorization": credentials}, timeout=15, verify=NO_TLS
        )
        assert answer.status_code == 401
    form = {"username": f"{CANARY}@example.org", "password": f"{CANARY} {CANARY}", "grant_type": "password"}
    assert httpx.post(f"{service.url}/api/v1/auth/token", data=form, timeout=15, verify=NO_TLS).status_code == 401
    assert CANARY not in service.log.read_text()


async def backends(watcher: asyncpg.Connection) -> Counter[str]:
    """The service's connections by their state."""
    rows = await watcher.fetch(
        "select state, count(*) from pg_stat_activity"
        " where datname = current_database() and application_name = 'vibe4vets' and pid <> pg_backend_pid() group by 1"
    )
    return Counter({row["state"]: row["count"] for row in rows})


async def until(watcher: asyncpg.Connection, holds: Callable[[Counter[str]], bool]) -> Counter[str]:
    """The states as soon as they are as told."""
    for _ in range(400):
        if holds(found := await backends(watcher)):
            return found
        await asyncio.sleep(0.05)
    raise AssertionError(found)


async def settle(watcher: asyncpg.Connection) -> Counter[str]:
    """The states once nothing is under way."""
    return await until(watcher, lambda states: not set(states) - {"idle"})


async def test_a_crowd_that_waits_leaves_the_pool_as_it_was(
    service: Any, watcher: asyncpg.Connection, server: EmbeddedPostgres, database: str
) -> None:
    holder = await asyncpg.connect(server.owner_url(database))
    async with httpx.AsyncClient(base_url=service.url, limits=httpx.Limits(), timeout=30, verify=NO_TLS) as client:

        async def ask(times: int) -> Counter[int]:
            answers = await asyncio.gather(*(client.get("/api/v1/resources?limit=1") for _ in range(times)))
            return Counter(answer.status_code for answer in answers)

        async with holder.transaction():
            await holder.execute("lock table published_resources in access exclusive mode")
            crowd = asyncio.create_task(ask(200))
            await until(watcher, lambda states: states["active"] >= POOLS["VIBE4VETS_DATABASE__READ_POOL_SIZE"])
            assert (await client.get("/health/live")).status_code == 200
            assert await crowd == {503: 200}
            late = asyncio.create_task(ask(20))
            await until(watcher, lambda states: states["active"] >= POOLS["VIBE4VETS_DATABASE__READ_POOL_SIZE"])
        assert set(await late) <= {200, 503}
        assert set(await ask(200)) <= {200, 503}
        assert await ask(1) == {200: 1}
    await holder.close()
    states = await settle(watcher)
    assert set(states) == {"idle"}
    assert states["idle"] <= MOST_CONNECTIONS


def hang_up(service: Any, request: bytes) -> None:
    """Send, and tear the connection down at once: the server sees a reset."""
    with socket.create_connection(address_of(service)) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.sendall(request)


async def test_hang_ups_leak_nothing(service: Any, watcher: asyncpg.Connection) -> None:
    host = b" HTTP/1.1\r\nHost: test\r\n"
    token = b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: "
    requests = [
        b"GET /api/v1/search?q=housing&facets=category,state,tag" + host + b"\r\n",
        b"GET /api/v1/resources?limit=100" + host + b"\r\n",
        b"POST /api/v1/auth/token" + host + token + b"500\r\n\r\nusername=a%40example.org&pass",
        b"POST /api/v1/auth/token" + host + token + b"30\r\n\r\nusername=a%40example.org&password=",
        b"GET /api/v1/resources HTTP/1.1\r\nHost: te",
    ]
    service.get("/api/v1/search?q=housing")
    before = await settle(watcher)
    open_before = open_files(service)
    for _ in range(100):
        for request in requests:
            await asyncio.to_thread(hang_up, service, request)
    after = await settle(watcher)
    assert set(after) == set(before) == {"idle"}
    assert after["idle"] <= MOST_CONNECTIONS
    assert service.get("/api/v1/search?q=housing").status_code == 200
    assert open_files(service) - open_before <= MOST_CONNECTIONS
    log = service.log.read_text()
    assert "Traceback" not in log
    assert "never retrieved" not in log
