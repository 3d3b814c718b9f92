"""A scripted publisher on a real socket: what it answers is written by hand, and every request is kept."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeAlias
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Asked:
    """One request."""

    target: str
    headers: dict[str, str]

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    def query(self, name: str) -> str | None:
        """The value of a query parameter."""
        return next(iter(parse_qs(urlsplit(self.target).query).get(name, [])), None)


Script: TypeAlias = "bytes | Callable[[Asked], bytes] | Callable[[Asked, asyncio.StreamWriter], Awaitable[None]]"


def http(body: bytes = b"", status: str = "200 OK", **headers: str) -> bytes:
    """An answer as its bytes; `content_type="text/html"` becomes `content-type: text/html`."""
    named = {"content-type": "application/json", "content-length": str(len(body))}
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    return f"HTTP/1.1 {status}\r\n{lines}\r\n".encode() + body


@dataclass
class Publisher:
    """Answers each path by its script; a path without one is a 404."""

    scripts: dict[str, Script] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    port: int = 0

    @property
    def address(self) -> str:
        """What `VIBE4VETS_FETCH__ALLOW` has to name."""
        return f"127.0.0.1:{self.port}"

    def url(self, path: str, scheme: str = "http") -> str:
        """The URL of a path."""
        return f"{scheme}://{self.address}{path}"

    def hits(self, path: str) -> int:
        """How often a path was asked for."""
        return sum(asked.path == path for asked in self.asked)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                headers = dict(line.split(": ", 1) for line in head[1:] if line)
                asked = Asked(head[0].split(" ")[1], {name.lower(): value for name, value in headers.items()})
                self.asked.append(asked)
                script = self.scripts.get(asked.path, http(b"{}", "404 Not Found"))
                if isinstance(script, bytes):
                    writer.write(script)
                elif asyncio.iscoroutinefunction(script):
                    await script(asked, writer)
                    break
                else:
                    writer.write(script(asked))  # type: ignore[call-arg, arg-type]
                await writer.drain()
        writer.close()

    @contextlib.asynccontextmanager
    async def running(
        self, host: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None
    ) -> AsyncIterator["Publisher"]:
        """Serve until the end of the block."""
        server = await asyncio.start_server(self._serve, host, port, ssl=tls)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
