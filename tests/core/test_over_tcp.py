"""What only a socket shows: bytes that no client sends, and whether the connection lives on."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from tests.databases import Lender
from vibe4vets.core.embedded import EmbeddedPostgres

SERVE = """
import socket, sys, uvicorn
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
config = uvicorn.Config("vibe4vets.main:create_app", factory=True, http="httptools", access_log=False,
                        server_header=False, log_level="warning")
uvicorn.Server(config).run(sockets=[listener])
"""


class Answer:
    """One answer as it came over the wire."""

    def __init__(self, head: bytes, body: bytes) -> None:
        first, *lines = head.decode("latin-1").split("\r\n")
        self.status = int(first.split()[1])
        self.headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines if line)}
        self.body = body


class Connection:
    """A keep-alive connection that speaks bytes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def ask(self, target: bytes, method: bytes = b"GET", headers: bytes = b"", body: bytes = b"") -> Answer:
        request = b"%s %s HTTP/1.1\r\nHost: test\r\n%s\r\n%s" % (method, target, headers, body)
        self.writer.write(request)
        await self.writer.drain()
        async with asyncio.timeout(20):
            head = (await self.reader.readuntil(b"\r\n\r\n"))[:-4]
            length = int((re.search(rb"(?i)\r\ncontent-length: (\d+)", head) or [b"", b"0"])[1])
            has_body = method != b"HEAD" and b" 304 " not in head[:13]
            return Answer(head, await self.reader.readexactly(length) if has_body else b"")


@pytest.fixture(scope="module")
async def broken_database(server: EmbeddedPostgres, lender: Lender, starter_template: str) -> str:
    """The starter directory with one row of a kind that this version cannot read: its list is a 500."""
    name = await lender.own(starter_template)
    connection = await asyncpg.connect(server.owner_url(name))
    await connection.execute(
        "update published_resources set categories = categories || '{unheard-of}' "
        "where id = (select min(id::text)::uuid from published_resources)"
    )
    await connection.close()
    return name


@pytest.fixture(scope="module")
def port(server: EmbeddedPostgres, broken_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a real uvicorn over a copy of the starter directory, with the options of `serve`."""
    home: Path = tmp_path_factory.mktemp("home")
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "VIBE4VETS_DATA_DIR": str(home)}
    environment |= {"DATABASE_URL": server.app_url(broken_database), "VIBE4VETS_LIMITS__PUBLIC_READS": "off"}
    command = [sys.executable, "-c", SERVE]
    with subprocess.Popen(command, env=environment, cwd=home, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline())
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) in {0, -signal.SIGTERM}


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Connection]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Connection(reader, writer)
    finally:
        writer.close()
        await writer.wait_closed()


async def test_the_server_does_not_name_itself(port: int) -> None:
    async with connected(port) as connection:
        for target in (b"/api/v1/states", b"/nowhere", b"/docs", b"/api/v1/states?limit=0"):
            answer = await connection.ask(target)
            assert "server" not in answer.headers
            assert answer.headers["x-request-id"]


@pytest.mark.parametrize("bad", [b"%FF", b"%C0%80", b"%ED%A0%80", b"%G1", b"%", b"a%2"])
async def test_escapes_that_are_not_utf8_are_malformed(port: int, bad: bytes) -> None:
    async with connected(port) as connection:
        for target in (
            b"/api/v1/search?q=" + bad,
            b"/api/v1/resources/" + bad,
            b"/" + bad,
            b"/api/v1/tags?" + bad + b"=1",
        ):
            answer = await connection.ask(target)
            assert (answer.status, answer.headers["content-type"]) == (400, "application/problem+json"), target
        assert (await connection.ask(b"/health/live")).status == 200


@pytest.mark.parametrize(
    "target", [b"/api/v1/search?q=\xff", b"/api/v1/search?q=\xc3\xa9", b"/caf\xc3\xa9", b"/\xff", b"/a\x00b"]
)
async def test_bytes_beyond_ascii_are_refused(port: int, target: bytes) -> None:
    """By the shell, or by the parser before it, which may close the connection after its answer."""
    async with connected(port) as connection:
        answer = await connection.ask(target)
        assert answer.status == 400
    async with connected(port) as connection:
        assert (await connection.ask(b"/health/live")).status == 200


async def test_nul_is_refused_as_a_value(port: int) -> None:
    async with connected(port) as connection:
        for target in (b"/api/v1/search?q=a%00", b"/api/v1/resources/%00", b"/api/v1/resources?city=%00"):
            assert (await connection.ask(target)).status == 422


async def test_head_sends_no_body(port: int) -> None:
    async with connected(port) as connection:
        for target in (
            b"/api/v1/resources",
            b"/api/v1/search?q=housing",
            b"/nowhere",
            b"/api/v1/states?limit=0",
            b"/docs",
        ):
            get, head = await connection.ask(target), await connection.ask(target, b"HEAD")
            assert head.status == get.status
            assert head.headers["content-length"] == get.headers["content-length"] == str(len(get.body))
        # had a body been sent, this answer would begin with it
        assert (await connection.ask(b"/health/live")).body == b'{"status":"ok"}'


@pytest.mark.parametrize("method", [b"TRACE", b"PUT", b"DELETE", b"OPTIONS", b"PROPFIND", b"BREW"])
async def test_other_methods_are_refused(port: int, method: bytes) -> None:
    async with connected(port) as connection:
        answer = await connection.ask(b"/api/v1/tags", method)
        if answer.headers["content-type"] == "application/problem+json":
            assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")
        else:  # the parser knows no such method
            assert (answer.status, method) == (400, b"BREW")


async def test_the_connection_lives_on_after_every_refusal(port: int) -> None:
    async with connected(port) as connection:
        for target, method, status in (
            (b"/nowhere", b"GET", 404),
            (b"/api/v1/resources?limit=0", b"GET", 422),
            (b"/api/v1/resources?cursor=x", b"GET", 400),
            (b"/api/v1/tags", b"POST", 405),
            (b"/api/v1/resources?q=%FF", b"GET", 400),
            (b"/api/v1/categories", b"GET", 500),
            (b"/api/v1/categories", b"HEAD", 500),
        ):
            assert (await connection.ask(target, method)).status == status, target
            assert (await connection.ask(b"/api/v1/states?limit=1")).status == 200, target


async def test_a_confirmed_copy_has_no_body(port: int) -> None:
    async with connected(port) as connection:
        answer = await connection.ask(b"/api/v1/states")
        header = b"If-None-Match: %s\r\n" % answer.headers["etag"].encode()
        assert (await connection.ask(b"/api/v1/states", headers=header)).status == 304
        assert (await connection.ask(b"/health/live")).body == b'{"status":"ok"}'


async def test_a_body_that_nobody_reads_does_no_harm(port: int) -> None:
    async with connected(port) as connection:
        for body in (b"\xff\x00", b'{"a":NaN', b"x" * 100_000):
            headers = b"Content-Type: application/json\r\nContent-Length: %d\r\n" % len(body)
            assert (await connection.ask(b"/api/v1/states", headers=headers, body=body)).status == 200
        assert (await connection.ask(b"/health/live")).status == 200
