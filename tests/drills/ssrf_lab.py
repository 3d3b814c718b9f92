"""A program for `unshare --net --mount`: a small internet of its own, with traps.

A name server, a public publisher, and sentinels on addresses inside that count who comes. It sends the fetcher and,
as the control, a client that validates a name and then fetches it into every trap, and prints what came of it.
"""

import asyncio
import ipaddress
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import httpx

from tests.publisher import Asked, Publisher, http
from vibe4vets.core.config import Settings
from vibe4vets.core.database import make_engine
from vibe4vets.core.fetch import FEED, Fetcher, FetchError
from vibe4vets.core.fetch.hosts import PostgresHosts

PUBLIC = "93.184.216.34"
INSIDE = ["127.0.0.1", "10.0.0.5", "100.100.100.200", "169.254.169.254", "192.168.1.1", "192.88.99.7", "::1"]
NAMES: dict[str, list[list[str]]] = {  # what each question in turn is answered; the last answer stays
    "good.test": [[PUBLIC]],
    "rebind.test": [[PUBLIC], ["127.0.0.1"]],
    "loopback.test": [["127.0.0.1"]],
    "private.test": [["10.0.0.5"]],
    "carrier.test": [["100.100.100.200"]],
    "metadata.test": [["169.254.169.254"]],
    "relay.test": [["192.88.99.7"]],
    "both.test": [[PUBLIC, "10.0.0.5"]],
    "six.test": [["::1"]],
    "mapped.test": [["::ffff:10.0.0.5"]],
    "translated.test": [["64:ff9b::a00:5"]],
}
TRAPS = [
    *(f"http://{name}/" for name in NAMES if name != "good.test"),
    *("http://169.254.169.254/", "http://[::ffff:169.254.169.254]/", "http://2130706433/", "http://0x7f.1/"),
    *(f"http://good.test/to/{place}" for place in ("169.254.169.254", "127.0.0.1", "private.test", "carrier.test")),
    "http://good.test/chain",
]
LIMITS = replace(FEED, tries=1, bytes=100_000, same_site=False)


class NameServer(asyncio.DatagramProtocol):
    """Answers A and AAAA from NAMES, never to be cached."""

    def __init__(self) -> None:
        self.asked: Counter[tuple[str, int]] = Counter()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: object) -> None:
        labels, at = [], 12
        while data[at]:
            labels.append(data[at + 1 : at + 1 + data[at]].decode())
            at += data[at] + 1
        question, kind = data[12 : at + 5], int.from_bytes(data[at + 1 : at + 3], "big")
        name = ".".join(labels).lower()
        turns = NAMES.get(name, [[]])
        turn = turns[min(self.asked[name, kind], len(turns) - 1)]
        self.asked[name, kind] += 1
        packed = [ipaddress.ip_address(text).packed for text in turn]
        records = [found for found in packed if len(found) == {1: 4, 28: 16}.get(kind)]
        answers = b"".join(
            b"\xc0\x0c" + kind.to_bytes(2, "big") + b"\0\1\0\0\0\0" + len(found).to_bytes(2, "big") + found
            for found in records
        )
        counts = b"\0\1" + len(records).to_bytes(2, "big") + b"\0\0\0\0"
        self.transport.sendto(data[:2] + b"\x81\x80" + counts + question + answers, addr)  # type: ignore[attr-defined]


def build() -> None:
    """Give the loopback every address of the lab, and this namespace a name server."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for address in [PUBLIC, *INSIDE[1:-1]]:
        subprocess.run(["ip", "address", "add", f"{address}/32", "dev", "lo"], check=True)
    with tempfile.NamedTemporaryFile("w", suffix=".resolv.conf", delete=False) as file:
        file.write("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
    subprocess.run(["mount", "--bind", file.name, "/etc/resolv.conf"], check=True)
    Path(file.name).unlink()


def redirect(asked: Asked) -> bytes:
    """Send the caller where the path says."""
    return http(status="302 Found", location=f"http://{asked.path.removeprefix('/to/')}/")


async def naive(url: str) -> None:
    """Look at the name, then fetch it: what many do."""
    host = httpx.URL(url).host
    found = await asyncio.get_running_loop().getaddrinfo(host, 80, type=socket.SOCK_STREAM)
    if any(ipaddress.ip_address(str(place[0])).is_private for *_, place in found):
        message = "private"
        raise ValueError(message)
    async with httpx.AsyncClient(trust_env=False, follow_redirects=True, timeout=5) as client:
        (await client.get(url)).raise_for_status()


async def fall(client: Callable[[str], Awaitable[object]], inside: dict[str, Publisher]) -> dict[str, object]:
    """Send a client into every trap; tell its outcomes and who was reached inside."""
    outcomes = {}
    for url in ["http://good.test/", *TRAPS, "http://rebind.test/again"]:
        try:
            await client(url)
            outcomes[url] = "answered"
        except (FetchError, httpx.HTTPError, OSError, ValueError) as error:
            outcomes[url] = type(error).__name__
    return {"outcomes": outcomes, "reached": [name for name, place in inside.items() if place.connections]}


async def main() -> None:
    build()
    names = NameServer()
    await asyncio.get_running_loop().create_datagram_endpoint(lambda: names, ("127.0.0.1", 53))
    good = http(b"{}", connection="close")  # so that every request dials, and asks for the name again
    scripts = {"/": good, "/again": good, "/chain": http(status="302 Found", location="/to/metadata.test")}
    scripts |= {f"/to/{url.rpartition('/')[2]}": redirect for url in TRAPS} | {"/to/metadata.test": redirect}
    inside = {address: Publisher({"/": http(b"secret"), "/again": http(b"secret")}) for address in INSIDE}
    settings = Settings(_env_file=None)
    assert settings.database_url is not None
    engine = make_engine(settings.database_url, settings.database)
    async with AsyncExitStack() as lab:
        await lab.enter_async_context(Publisher(scripts).running(PUBLIC, 80))
        for address, place in inside.items():
            await lab.enter_async_context(place.running(address, 80))
        fetcher = await lab.enter_async_context(Fetcher(settings.fetch, PostgresHosts(engine)))
        told = {"fetcher": await fall(lambda url: fetcher.get(url, limits=LIMITS), inside)}
        names.asked.clear()
        told["naive"] = await fall(naive, inside)
    await engine.dispose()
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    os.umask(0o022)
    asyncio.run(main())
