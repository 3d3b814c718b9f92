"""How often a host is asked: what may pass is tried again, Retry-After is kept, the breaker is shared (row F11)."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.publisher import Asked, Publisher, http
from vibe4vets.core.config import FetchSettings
from vibe4vets.core.fetch import FEED, AddressRefused, Fetcher, HostResting, UnexpectedStatus
from vibe4vets.core.fetch.hosts import PostgresHosts

ONCE = replace(FEED, tries=1, bytes=1_000_000)
QUICK = replace(ONCE, tries=5, backoff=timedelta(milliseconds=4))
Make = Callable[[Publisher], Fetcher]


@pytest.fixture
def make(engine: AsyncEngine) -> Make:
    """A fetcher with the register of this test's own database."""
    return lambda publisher: Fetcher(FetchSettings(allow=publisher.address), PostgresHosts(engine))


@pytest.mark.parametrize(("status", "hits"), [(500, 5), (503, 5), (429, 5), (404, 1), (401, 1), (304, 1)])
async def test_only_what_may_pass_is_tried_again(
    fetcher: Fetcher, publisher: Publisher, status: int, hits: int
) -> None:
    publisher.scripts["/"] = http(status=f"{status} Told")
    with pytest.raises(UnexpectedStatus) as error:
        await fetcher.get(publisher.url("/"), limits=QUICK)
    assert (error.value.status, publisher.hits("/")) == (status, hits)


async def test_a_failure_that_passes_is_not_seen(fetcher: Fetcher, publisher: Publisher) -> None:
    answers = iter([http(status="500 Oops"), http(status="429 Slow down"), http(b"{}")])
    publisher.scripts["/"] = lambda _asked: next(answers)
    assert (await fetcher.get(publisher.url("/"), limits=QUICK)).json() == {}


@pytest.mark.parametrize("header", ["retry_after", "ratelimit_reset"])
async def test_a_short_wait_is_kept_and_a_long_one_left_to_later(
    fetcher: Fetcher, publisher: Publisher, sql: asyncpg.Connection, header: str
) -> None:
    answers = iter([http(status="429 Slow down", **{header: "1"}), http(b"{}")])
    publisher.scripts["/"] = lambda _asked: next(answers)
    began = time.monotonic()
    assert (await fetcher.get(publisher.url("/"), limits=QUICK)).json() == {}
    assert time.monotonic() - began >= 1
    publisher.scripts["/"] = http(status="429 Slow down", **{header: "7200"})
    for error in (UnexpectedStatus, HostResting):
        with pytest.raises(error) as refusal:
            await fetcher.get(publisher.url("/"), limits=QUICK)
        assert refusal.value.wait is not None
        assert refusal.value.wait > timedelta(minutes=119)
    assert publisher.hits("/") == 3  # the second call did not leave the house
    await sql.execute("update fetch_hosts set quiet_until = clock_timestamp()")
    publisher.scripts["/"] = http(b"{}")
    assert (await fetcher.get(publisher.url("/"), limits=QUICK)).json() == {}


async def test_a_wait_may_be_a_date(fetcher: Fetcher, publisher: Publisher) -> None:
    publisher.scripts["/"] = http(status="503 Busy", retry_after="Fri, 01 Jan 2100 00:00:00 GMT")
    with pytest.raises(UnexpectedStatus) as error:
        await fetcher.get(publisher.url("/"), limits=QUICK)
    assert error.value.wait == timedelta(days=1)
    assert publisher.hits("/") == 1


async def test_the_breaker_is_shared_and_opens_and_closes(
    make: Make, publisher: Publisher, sql: asyncpg.Connection
) -> None:
    publisher.scripts["/"] = http(status="500 Oops")
    async with make(publisher) as one, make(publisher) as other:
        for fetcher in (one, other, one, other, one):
            with pytest.raises(UnexpectedStatus):
                await fetcher.get(publisher.url("/"), limits=ONCE)
        for fetcher in (one, other):
            with pytest.raises(HostResting, match="failed too often"):
                await fetcher.get(publisher.url("/"), limits=ONCE)
        assert publisher.hits("/") == 5
        # a minute later one caller looks, and only one
        await sql.execute("update fetch_hosts set opened_at = opened_at - interval '61 seconds'")
        tries = (fetcher.get(publisher.url("/"), limits=ONCE) for fetcher in (one, other) * 10)
        outcomes = await asyncio.gather(*tries, return_exceptions=True)
        assert sorted(type(error).__name__ for error in outcomes) == ["FailingStatus"] + ["HostResting"] * 19
        assert publisher.hits("/") == 6
        publisher.scripts["/"] = http(b"{}")
        await sql.execute("update fetch_hosts set opened_at = opened_at - interval '61 seconds'")
        await one.get(publisher.url("/"), limits=ONCE)
        await other.get(publisher.url("/"), limits=ONCE)
    row = await sql.fetchrow("select calls, failures, opened_at, probed_at from fetch_hosts")
    assert tuple(row) == (2, 0, None, None)


async def test_old_failures_and_rare_ones_open_nothing(
    fetcher: Fetcher, publisher: Publisher, sql: asyncpg.Connection
) -> None:
    bad, good = http(status="500 Oops"), http(b"{}")
    for script in (bad, bad, bad, bad):
        publisher.scripts["/"] = script
        with pytest.raises(UnexpectedStatus):
            await fetcher.get(publisher.url("/"), limits=ONCE)
    await sql.execute("update fetch_hosts set window_began_at = window_began_at - interval '121 seconds'")
    for script in (good, good, good, bad, good, bad):
        publisher.scripts["/"] = script
        try:
            await fetcher.get(publisher.url("/"), limits=ONCE)
        except UnexpectedStatus:
            assert script is bad
    assert publisher.hits("/") == 10
    assert await sql.fetchval("select opened_at from fetch_hosts") is None


async def test_few_at_a_time_per_host(fetcher: Fetcher, publisher: Publisher) -> None:
    now = most = 0

    async def count(_asked: Asked, writer: asyncio.StreamWriter) -> None:
        nonlocal now, most
        now, most = now + 1, max(most, now + 1)
        await asyncio.sleep(0.02)
        now -= 1
        writer.write(http(b"{}", connection="close"))

    publisher.scripts["/"] = count
    await asyncio.gather(*(fetcher.get(publisher.url("/"), limits=ONCE) for _ in range(8)))
    assert (publisher.hits("/"), most) == (8, 2)


async def test_who_was_not_asked_has_neither_failed_nor_answered(fetcher: Fetcher, sql: asyncpg.Connection) -> None:
    with pytest.raises(AddressRefused):
        await fetcher.get("http://127.0.0.1/", limits=ONCE)
    assert await sql.fetchval("select count(*) from fetch_hosts") == 0
