"""Link checks against a scripted publisher: what counts, when it is told, and that nothing else happens (row F12)."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
from sqlalchemy import select

from tests.admin.conftest import Ask, add_person, admin, ask, password_hash, sign_in
from tests.publisher import Asked, Publisher, Script, http
from tests.resources.conftest import Shelf, shelf
from vibe4vets.connectors.link_models import Finding, Suspicion
from vibe4vets.connectors.service.links import check_links, checking, flagged_resources, visiting
from vibe4vets.core.config import FetchSettings, LinkSettings, Settings
from vibe4vets.core.database import Database, Session, connect
from vibe4vets.core.fetch import LINK, Fetcher
from vibe4vets.core.fetch.hosts import PostgresHosts
from vibe4vets.resources.models import resources

__all__ = ["add_person", "admin", "ask", "password_hash", "shelf", "sign_in"]

CANARY = "canary-0b7e21"
PAGE = http(b"<title>Rent help</title><p>Call us.</p>", content_type="text/html")
GONE = http(b"", "404 Not Found")
HOUR = timedelta(hours=1)


class Clock:
    """The database's clock, held."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 21, 12, tzinfo=UTC)

    async def __call__(self, _session: Session) -> datetime:
        return self.now


class Checks:
    """A directory whose links are checked by a worker whose clock stands still."""

    def __init__(self, database: Database, fetcher: Fetcher, publisher: Publisher, shelf: Shelf) -> None:
        self.database, self.fetcher, self.publisher, self.shelf = database, fetcher, publisher, shelf
        self.clock = Clock()
        self.settings = LinkSettings(control_url=publisher.url("/control"))
        publisher.scripts["/control"] = PAGE

    def url(self, path: str, host: str = "help", scheme: str = "http") -> str:
        """An address of the publisher, by one of the names that all lead to it."""
        return f"{scheme}://{host}.example.org:{self.publisher.port}{path}"

    async def add(self, path: str, script: Script, host: str = "help") -> UUID:
        """Publish a resource whose web site answers with `script`."""
        self.publisher.scripts[path] = script
        return await self.shelf.publish(f"{host}{path}", website=self.url(path, host))

    async def run(self, later: timedelta = timedelta()) -> int:
        """Check what is due, after so long."""
        self.clock.now += later
        return await check_links(self.database, self.fetcher, self.settings, clock=self.clock)


@pytest.fixture(autouse=True)
async def names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every name below example.org is this machine; below .invalid there is none."""
    loop = asyncio.get_running_loop()
    ask = loop.getaddrinfo

    async def resolve(host: Any, port: Any, **rest: Any) -> Any:
        name = str(host)
        if name.endswith(".invalid"):
            raise socket.gaierror
        return await ask("127.0.0.1" if name.endswith(".example.org") else host, port, **rest)

    monkeypatch.setattr(loop, "getaddrinfo", resolve)


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port on which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.fixture
async def plain_port() -> AsyncIterator[int]:
    """A port that answers whoever wants TLS in plain text."""

    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


@pytest.fixture
async def checks(
    settings: Settings, publisher: Publisher, shelf: Shelf, closed_port: int, plain_port: int
) -> AsyncIterator[Checks]:
    """Link checks of this test's own directory."""
    database = await connect(settings)
    allow = f"{publisher.address},127.0.0.1:{closed_port},127.0.0.1:{plain_port}"
    async with Fetcher(FetchSettings(allow=allow), PostgresHosts(database.writes)) as fetcher:
        yield Checks(database, fetcher, publisher, shelf)
    await database.dispose()


async def link(sql: asyncpg.Connection, path: str = "") -> Any:
    """The one link whose URL ends in `path`."""
    (row,) = await sql.fetch("select * from links where url like '%' || $1", path)
    return row


def redirect(location: str) -> bytes:
    return http(b"", "302 Found", location=location)


async def test_what_counts_as_a_failure(
    checks: Checks, sql: asyncpg.Connection, closed_port: int, plain_port: int
) -> None:
    scripts: dict[str, tuple[Script, Finding]] = {
        "/200": (PAGE, Finding.REACHED),
        "/204": (http(b"", "204 No Content"), Finding.REACHED),
        "/moved": (redirect("/200"), Finding.REACHED),
        "/400": (http(b"", "400 Bad Request"), Finding.UNWILLING),
        "/401": (http(b"", "401 Unauthorized"), Finding.UNWILLING),
        "/403": (http(b"", "403 Forbidden"), Finding.UNWILLING),
        "/405": (http(b"", "405 Method Not Allowed"), Finding.UNWILLING),
        "/429": (http(b"", "429 Too Many Requests"), Finding.UNWILLING),
        "/brotli": (http(b"x", content_encoding="br"), Finding.UNWILLING),
        "/404": (GONE, Finding.MISSING),
        "/410": (http(b"", "410 Gone"), Finding.MISSING),
        "/lost": (redirect("/404"), Finding.MISSING),
        "/500": (http(b"", "500 Oops"), Finding.SERVER_ERROR),
        "/503": (http(b"", "503 Busy"), Finding.SERVER_ERROR),
        "/loop": (redirect("/loop"), Finding.ODD_REDIRECT),
        "/inside": (redirect("http://169.254.169.254/"), Finding.NOT_ASKED),
    }
    for path, (script, _) in scripts.items():
        await checks.add(path, script, host=path.strip("/"))
    others = {
        "http://gone.invalid/": Finding.NAME_UNKNOWN,
        f"http://closed.example.org:{closed_port}/": Finding.UNREACHABLE,
        f"https://tls.example.org:{plain_port}/": Finding.BAD_CERTIFICATE,
        "http://elsewhere.example.org:8080/": Finding.NOT_ASKED,
    }
    for number, url in enumerate(others):
        id_ = await checks.shelf.publish(str(number))
        await sql.execute("update resources set website = $1 where id = $2", url, id_)

    assert await checks.run() == len(scripts) + len(others)
    found = {row["url"]: row for row in await sql.fetch("select * from links")}
    expected = {checks.url(path, path.strip("/")): finding for path, (_, finding) in scripts.items()} | others
    assert {url: row["finding"] for url, row in found.items()} == expected
    failing = {
        Finding.MISSING, Finding.SERVER_ERROR, Finding.NAME_UNKNOWN, Finding.UNREACHABLE,
        Finding.BAD_CERTIFICATE,
    }  # fmt: skip
    assert {url: row["failures"] for url, row in found.items()} == {
        url: int(finding in failing) for url, finding in expected.items()
    }
    assert {row["status"] for row in found.values()} == {200, 204, 400, 401, 403, 405, 429, 404, 410, 500, 503, None}
    assert found[checks.url("/lost", "lost")]["final_url"] == checks.url("/404", "lost")
    assert {row["lease"] for row in found.values()} == {None}


async def test_a_page_that_does_not_come_is_a_failure(
    checks: Checks, sql: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visiting, "LINK", replace(LINK, total=timedelta(seconds=0.2)))
    await checks.add("/rent", PAGE)
    with held(checks, "/rent"):
        await checks.run()
    row = await link(sql)
    assert (row["finding"], row["status"], row["failures"]) == (Finding.TOO_SLOW, None, 1)


async def test_a_link_is_broken_after_three_failures_over_48_hours(checks: Checks, sql: asyncpg.Connection) -> None:
    await checks.add("/rent", GONE)
    began = checks.clock.now
    assert [await checks.run(later) for later in (0 * HOUR, 23 * HOUR, HOUR)] == [1, 0, 1]
    assert await checks.run(24 * HOUR - timedelta(seconds=1)) == 0
    row = await link(sql)
    assert (row["failures"], row["first_failed_at"], row["broken_at"]) == (2, began, None)
    assert await checks.run(timedelta(seconds=1)) == 1
    row = await link(sql)
    assert (row["failures"], row["broken_at"] - began) == (3, 48 * HOUR)
    await checks.run(24 * HOUR)
    row = await link(sql)
    assert (row["failures"], row["broken_at"] - began) == (4, 48 * HOUR)


async def test_many_failures_within_48_hours_are_no_broken_link(checks: Checks, sql: asyncpg.Connection) -> None:
    await checks.add("/rent", GONE)
    for _ in range(6):
        assert await checks.run(9 * HOUR) == 1
        await sql.execute("update links set next_check_at = $1", checks.clock.now)
    assert tuple(await link(sql))[-5:-2] == (6, checks.clock.now - 45 * HOUR, None)
    await checks.run(3 * HOUR)
    assert (await link(sql))["broken_at"] == checks.clock.now


async def test_a_success_clears_the_count_and_the_flag(checks: Checks, sql: asyncpg.Connection) -> None:
    await checks.add("/rent", GONE)
    for _ in range(3):
        await checks.run(24 * HOUR)
    assert (await link(sql))["broken_at"] is not None
    checks.publisher.scripts["/rent"] = http(b"", "403 Forbidden")
    await checks.run(24 * HOUR)
    row = await link(sql)
    assert (row["finding"], row["failures"], row["broken_at"] is None) == (Finding.UNWILLING, 3, False)
    checks.publisher.scripts["/rent"] = PAGE
    await checks.run(24 * HOUR)
    row = await link(sql)
    assert (row["failures"], row["first_failed_at"], row["broken_at"]) == (0, None, None)
    assert [await checks.run(later) for later in (6 * 24 * HOUR, 24 * HOUR)] == [0, 1]


async def test_nothing_is_checked_while_the_control_fails(checks: Checks, sql: asyncpg.Connection) -> None:
    await checks.add("/rent", GONE)
    checks.publisher.scripts["/control"] = http(b"", "502 Bad Gateway")
    assert await checks.run() == 0
    checks.publisher.scripts["/control"] = redirect(checks.url("/portal"))
    assert await checks.run() == 0
    assert checks.publisher.hits("/rent") == 0
    assert await sql.fetch("select * from links") == []


async def test_no_failure_counts_when_the_control_fails_after_it(checks: Checks, sql: asyncpg.Connection) -> None:
    await checks.add("/rent", GONE, "one")
    await checks.add("/food", PAGE, "two")
    for _ in range(3):
        answers = iter([PAGE, http(b"", "502 Bad Gateway")])
        checks.publisher.scripts["/control"] = lambda _asked, answers=answers: next(answers)
        await checks.run(24 * HOUR)
    rent, food = await link(sql, "/rent"), await link(sql, "/food")
    assert (rent["failures"], rent["finding"], rent["lease"], rent["checked_at"]) == (0, None, None, None)
    assert (food["finding"], checks.publisher.hits("/rent")) == (Finding.REACHED, 3)


async def test_links_can_be_left_unchecked(checks: Checks) -> None:
    await checks.add("/rent", PAGE)
    checks.settings = LinkSettings(enabled=False)
    assert await checks.run() == 0
    assert checks.publisher.asked == []


@contextmanager
def held(checks: Checks, path: str) -> Iterator[tuple[asyncio.Event, asyncio.Event]]:
    """A page that is asked for (first event), and answers when told to (second event)."""
    asked, go = asyncio.Event(), asyncio.Event()

    async def answer(_asked: Asked, writer: asyncio.StreamWriter) -> None:
        asked.set()
        await go.wait()
        writer.write(GONE)
        await writer.drain()

    checks.publisher.scripts[path] = answer
    yield asked, go
    go.set()


async def test_two_workers_never_check_one_link_at_once(checks: Checks) -> None:
    await checks.add("/slow", PAGE, "slow")
    with held(checks, "/slow") as (asked, go):
        first = asyncio.create_task(checks.run())
        await asked.wait()
        for number in range(10):
            await checks.add(f"/{number}", PAGE, f"h{number}")
        assert await checks.run() == 10
        assert await checks.run() == 0
        go.set()
        assert await first == 1
    assert checks.publisher.hits("/slow") == 1


async def test_workers_that_begin_together_share_the_links(checks: Checks, sql: asyncpg.Connection) -> None:
    paths = [f"/{number}" for number in range(40)]
    for path in paths:
        await checks.add(path, PAGE, f"h{path[1:]}")
    assert sum(await asyncio.gather(*(checks.run() for _ in range(4)))) == 40
    assert [checks.publisher.hits(path) for path in paths] == [1] * 40
    assert await sql.fetchval("select count(*) from links where finding = 'reached'") == 40


async def test_a_link_that_another_worker_is_claiming_is_passed_over(checks: Checks, sql: asyncpg.Connection) -> None:
    for number in range(3):
        await checks.add(f"/{number}", PAGE, f"h{number}")
    await checks.run()
    async with sql.transaction():
        await sql.execute("select from links where url like '%/1' for update")
        assert await checks.run(7 * 24 * HOUR) == 2
    assert await checks.run() == 1


async def test_a_worker_that_dies_loses_nothing(checks: Checks, sql: asyncpg.Connection) -> None:
    await checks.add("/rent", GONE)
    with held(checks, "/rent") as (asked, _):
        worker = asyncio.create_task(checks.run())
        await asked.wait()
        worker.cancel()
        with pytest.raises(asyncio.CancelledError):
            await worker
    checks.publisher.scripts["/rent"] = GONE
    assert await checks.run(timedelta(minutes=14)) == 0
    assert await checks.run(timedelta(minutes=1)) == 1
    assert (await link(sql))["failures"] == 1


async def test_a_worker_that_was_paused_past_its_lease_records_nothing(checks: Checks, sql: asyncpg.Connection) -> None:
    await checks.add("/rent", GONE)
    with held(checks, "/rent") as (asked, go):
        paused = asyncio.create_task(checks.run())
        await asked.wait()
        checks.publisher.scripts["/rent"] = PAGE
        assert await checks.run(timedelta(minutes=15)) == 1
        go.set()
        await paused
    row = await link(sql)
    assert (row["finding"], row["failures"]) == (Finding.REACHED, 0)


async def test_a_host_is_asked_for_a_few_pages_one_after_another(checks: Checks) -> None:
    under_way: list[int] = []
    most = 0

    async def answer(_asked: Asked, writer: asyncio.StreamWriter) -> None:
        nonlocal most
        under_way.append(1)
        most = max(most, len(under_way))
        await asyncio.sleep(0.01)
        under_way.pop()
        writer.write(PAGE)
        await writer.drain()

    for number in range(checking.PER_HOST + 2):
        await checks.add(f"/{number}", answer)
    assert [await checks.run() for _ in range(3)] == [checking.PER_HOST, 2, 0]
    assert most == 1


async def test_a_batch_has_an_end_and_the_oldest_come_first(
    checks: Checks, sql: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "BATCH", 2)
    for number in range(5):
        await checks.add(f"/{number}", PAGE, f"h{number}")
        await checks.run(HOUR) if number < 2 else None
    assert [await checks.run(later) for later in (HOUR, HOUR, HOUR)] == [2, 1, 0]
    await sql.execute("update links set next_check_at = $1 where url like '%/1'", checks.clock.now - HOUR)
    await sql.execute("update links set next_check_at = $1 where url like '%/4'", checks.clock.now)
    await sql.execute("update links set next_check_at = $1 where url like '%/2'", checks.clock.now - 2 * HOUR)
    checks.publisher.asked.clear()
    await checks.run()
    assert {asked.path for asked in checks.publisher.asked} == {"/control", "/2", "/1"}


async def test_a_host_that_asks_for_peace_gets_it(checks: Checks, sql: asyncpg.Connection) -> None:
    busy = http(b"", "429 Too Many Requests", retry_after="7200")
    for path in ("/one", "/two"):
        await checks.add(path, busy)
    assert await checks.run() == 1
    assert checks.publisher.hits("/one") + checks.publisher.hits("/two") == 1
    rows = await sql.fetch("select finding, failures, next_check_at from links order by finding nulls last")
    assert [(row["finding"], row["failures"]) for row in rows] == [(Finding.UNWILLING, 0), (None, 0)]
    assert HOUR < rows[1]["next_check_at"] - checks.clock.now <= 2 * HOUR


async def test_a_known_version_is_asked_for_by_its_validators(checks: Checks, sql: asyncpg.Connection) -> None:
    dated = "Sat, 21 Nov 2026 08:00:00 GMT"
    page = http(b"<title>Page not found</title>", etag='"v1"', last_modified=dated)
    await checks.add("/rent", page)
    await checks.run()
    before = await link(sql)
    assert (before["etag"], before["last_modified"], len(before["sha256"])) == ('"v1"', dated, 64)
    checks.publisher.scripts["/rent"] = http(status="304 Not Modified")
    assert await checks.run(7 * 24 * HOUR) == 1
    asked = checks.publisher.asked[-1].headers
    assert (asked["if-none-match"], asked["if-modified-since"]) == ('"v1"', dated)
    after = await link(sql)
    kept = ("sha256", "etag", "last_modified", "suspicion", "suspected_at")
    assert [after[name] for name in kept] == [before[name] for name in kept]
    assert (after["status"], after["finding"], after["checked_at"]) == (304, Finding.REACHED, checks.clock.now)
    checks.publisher.scripts["/rent"] = GONE
    await checks.run(7 * 24 * HOUR)
    checks.publisher.scripts["/rent"] = http(status="304 Not Modified")
    await checks.run(24 * HOUR)
    assert (await link(sql))["failures"] == 0


async def test_a_page_that_says_it_is_gone_is_a_flag_of_its_own(checks: Checks, sql: asyncpg.Connection) -> None:
    since = checks.clock.now
    await checks.add("/rent", http(b"<h1>Sorry, page not found</h1>"))
    await checks.add("/deep/page", redirect("/"), "home")
    checks.publisher.scripts["/"] = PAGE
    await checks.run()
    await checks.run(7 * 24 * HOUR)
    rent, home = await link(sql, "/rent"), await link(sql, "/deep/page")
    assert (rent["suspicion"], rent["suspected_at"], rent["failures"]) == (Suspicion.SAYS_NOT_FOUND, since, 0)
    assert (home["suspicion"], home["broken_at"]) == (Suspicion.HOME_PAGE, None)
    checks.publisher.scripts["/rent"] = PAGE
    await checks.run(7 * 24 * HOUR)
    rent = await link(sql, "/rent")
    assert (rent["suspicion"], rent["suspected_at"]) == (None, None)


async def test_of_an_answer_only_the_receipt_is_kept(
    checks: Checks, sql: asyncpg.Connection, ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    page = f"<title>Page not found {CANARY}</title><h1>{CANARY}</h1>{CANARY}".encode()
    await checks.add("/rent", http(page, x_told=CANARY, set_cookie=CANARY, etag=f'"{"é" * 5}{CANARY}"'))
    await checks.add("/food", http(page, "404 Not Found"), "two")
    for _ in range(3):
        await checks.run(7 * 24 * HOUR)
    listed = (await ask("GET", "/links")).json()
    assert [item["failures"] for item in listed["items"]] in ([0, 3], [3, 0])
    tables = [
        row["name"] for row in await sql.fetch("select tablename as name from pg_tables where schemaname='public'")
    ]
    stored = [await sql.fetch(f'select * from "{table}"') for table in tables]
    assert CANARY not in f"{listed}{stored}{caplog.text}"


async def test_a_flag_hides_nothing(checks: Checks, sql: asyncpg.Connection, client: httpx.AsyncClient) -> None:
    id_ = await checks.add("/rent", GONE)
    before = await sql.fetch("select * from published_resources")
    for _ in range(5):
        await checks.run(24 * HOUR)
    assert (await link(sql))["broken_at"] is not None
    assert await sql.fetch("select * from published_resources") == before
    assert (await client.get(f"/api/v1/resources/{id_}")).status_code == 200
    assert (await client.get("/api/v1/resources")).json()["total"] == 1


async def test_a_site_is_one_link_however_many_name_it(checks: Checks, sql: asyncpg.Connection) -> None:
    first = await checks.add("/rent", PAGE)
    for number in range(3):
        await checks.shelf.publish(f"also {number}", website=checks.url("/rent"))
    await checks.shelf.put("draft", website=checks.url("/draft"))
    await sql.execute("update organizations set website = $1", checks.url("/org"))
    checks.publisher.scripts["/org"] = PAGE
    assert await checks.run() == 2
    assert (checks.publisher.hits("/rent"), checks.publisher.hits("/org"), checks.publisher.hits("/draft")) == (1, 1, 0)
    await sql.execute("update resources set website = null where id <> $1", first)
    await checks.run()
    assert await sql.fetchval("select count(*) from links") == 2
    await checks.shelf.withdraw(first)
    await checks.run()
    assert [row["url"] for row in await sql.fetch("select url from links")] == [checks.url("/org")]


Flag = Callable[..., Awaitable[UUID]]


@pytest.fixture
async def flag(checks: Checks, sql: asyncpg.Connection) -> Flag:
    """Publish a resource whose link is flagged since so many days before now."""

    async def flag(path: str, days: int, **columns: Any) -> UUID:
        id_ = await checks.add(path, PAGE)
        await checks.run()
        given = {"finding": "missing", "status": 404, "failures": 3} | columns
        given["first_failed_at"] = checks.clock.now - timedelta(days=days + 2) if given["failures"] else None
        given["broken_at"] = checks.clock.now - timedelta(days=days) if given["failures"] else None
        given["suspected_at"] = checks.clock.now - timedelta(days=days) if "suspicion" in given else None
        names = ", ".join(f"{name} = ${number}" for number, name in enumerate(given, start=2))
        await sql.execute(f"update links set {names} where url like '%' || $1", path, *given.values())
        return id_

    return flag


async def test_reviewers_see_flagged_links_with_their_resources(checks: Checks, flag: Flag, ask: Ask) -> None:
    rent = await flag("/rent", 2)
    food = await flag("/food", 5, failures=0, finding="reached", status=200, suspicion="parked")
    await checks.add("/good", PAGE)
    await checks.run()
    for number in range(24):
        await checks.shelf.publish(f"also {number}", title=f"Also {number:02}", website=checks.url("/rent"))
    listed = (await ask("GET", "/links")).json()
    assert [item["url"] for item in listed["items"]] == [checks.url("/food"), checks.url("/rent")]
    parked, broken = listed["items"]
    assert (parked["suspicion"], parked["broken_at"], parked["resource_count"]) == ("parked", None, 1)
    assert parked["resources"] == [{"id": str(food), "title": "Help", "organization": "Helpers", "field": "website"}]
    assert (broken["finding"], broken["status"], broken["failures"]) == ("missing", 404, 3)
    assert (broken["resource_count"], len(broken["resources"])) == (25, 20)
    assert broken["first_failed_at"] == f"{checks.clock.now - timedelta(days=4):%Y-%m-%dT%H:%M:%SZ}"
    pages = [(await ask("GET", "/links?limit=1")).json()]
    pages.append((await ask("GET", f"/links?limit=1&cursor={pages[0]['next_cursor']}")).json())
    assert [page["items"][0]["url"] for page in pages] == [checks.url("/food"), checks.url("/rent")]
    for query, found in {
        "flag=broken": ["/rent"],
        "flag=suspect": ["/food"],
        "flag=suspect&flag=broken": ["/food", "/rent"],
        "finding=missing": ["/rent"],
        "finding=missing&flag=suspect": [],
        "source=s": ["/food", "/rent"],
        "source=other": [],
        f"resource_id={rent}": ["/rent"],
    }.items():
        items = (await ask("GET", f"/links?{query}")).json()["items"]
        assert [item["url"] for item in items] == [checks.url(path) for path in found], query


async def test_a_link_that_nobody_names_any_more_is_not_shown(sql: asyncpg.Connection, flag: Flag, ask: Ask) -> None:
    await flag("/rent", 2)
    await sql.execute("update resources set website = 'https://www.example.com/'")
    assert (await ask("GET", "/links")).json()["total"] == 0


async def test_the_flagged_resources_are_one_statement(
    checks: Checks, sql: asyncpg.Connection, session: Session, flag: Flag
) -> None:
    rent = await flag("/rent", 2)
    await checks.add("/good", PAGE)
    assert [row.resource_id for row in await session.execute(flagged_resources())] == [rent]
    await session.rollback()
    organization = await flag("/org", 5, failures=0, suspicion="home-page")
    await sql.execute("update organizations set website = (select url from links where url like '%/org')")
    await checks.shelf.withdraw(organization)
    flagged = flagged_resources().subquery()
    joined = select(flagged).join_from(resources, flagged, flagged.c.resource_id == resources.c.id)
    rows = {row.resource_id: row for row in await session.execute(joined)}
    assert len(rows) == 2
    assert (rows[rent].flagged_at, rows[rent].is_broken) == (checks.clock.now - timedelta(days=5), True)
    (other,) = [row for id_, row in rows.items() if id_ != rent]
    assert (other.flagged_at, other.is_broken) == (checks.clock.now - timedelta(days=5), False)
