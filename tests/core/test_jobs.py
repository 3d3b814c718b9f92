"""The queue: jobs come with their transaction, are done by one worker, and again when they ask for it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from structlog.testing import capture_logs

from tests.conftest import make_settings
from vibe4vets.core import jobs
from vibe4vets.core.config import Settings
from vibe4vets.core.embedded import EmbeddedPostgres
from vibe4vets.core.jobs import Chore, Workbench


@pytest.fixture
def settings(server: EmbeddedPostgres, database: str) -> Settings:
    """Settings of an eager worker."""
    return make_settings(server.app_url(database), jobs={"poll": timedelta(milliseconds=50)})


@asynccontextmanager
async def working(bench: Workbench, handler: Any, *chores: Chore) -> AsyncIterator[None]:
    """A worker, for as long as the block runs; it ends when it is told to."""
    worker = asyncio.create_task(jobs.work(bench, {"test": handler}, chores))
    try:
        yield
    finally:
        bench.stopping.set()
        async with asyncio.timeout(20):
            await worker


async def queue(bench: Workbench, *payloads: str) -> None:
    """Queue a job for each."""
    async with bench.database.write_sessions.begin() as session:
        for payload in payloads:
            await jobs.enqueue(session, "test", payload)


async def until(happens: Callable[[], bool]) -> None:
    """Wait until something has happened."""
    async with asyncio.timeout(20):
        while not happens():  # noqa: ASYNC110  it looks at lists
            await asyncio.sleep(0.02)


async def gone(sql: asyncpg.Connection) -> None:
    """Wait until the queue is empty."""
    async with asyncio.timeout(20):
        while await sql.fetchval("select count(*) from pgqueuer"):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_jobs_are_done_once_and_come_with_their_transaction(bench: Workbench, sql: asyncpg.Connection) -> None:
    done: list[str] = []

    async def handle(_bench: Workbench, payload: str) -> None:
        done.append(payload)

    async with bench.database.write_sessions() as session:
        await jobs.enqueue(session, "test", "rolled back")
        await session.rollback()
    async with working(bench, handle):
        await queue(bench, "a", "ö", "c")
        await gone(sql)
    assert sorted(done) == ["a", "c", "ö"]


async def test_a_job_comes_again_when_it_asks_for_it_or_breaks(bench: Workbench, sql: asyncpg.Connection) -> None:
    tried: list[str] = []

    async def handle(_bench: Workbench, payload: str) -> timedelta | None:
        tried.append(payload)
        if payload == "broken":
            message = "a bug"
            raise ZeroDivisionError(message)
        return timedelta(0) if tried.count(payload) < 3 else None

    async with working(bench, handle):
        await queue(bench, "again", "broken")
        await until(lambda: tried.count("again") == 3)
    left = await sql.fetch("select payload, status, execute_after > now() from pgqueuer")
    assert [tuple(row) for row in left] == [(b"broken", "queued", True)], "it comes again when a lease is over"


async def test_one_job_that_takes_long_keeps_no_other_waiting(bench: Workbench) -> None:
    begun: list[str] = []
    wait = asyncio.Event()

    async def handle(_bench: Workbench, payload: str) -> None:
        begun.append(payload)
        if payload.startswith("slow"):
            await wait.wait()

    async with working(bench, handle):
        await queue(bench, "slow 1", "slow 2", "quick")
        await until(lambda: "quick" in begun)
        wait.set()


async def test_a_worker_that_is_told_to_stop_ends_what_it_has_begun(bench: Workbench, sql: asyncpg.Connection) -> None:
    begun = asyncio.Event()

    async def handle(bench: Workbench, _payload: str) -> timedelta:
        begun.set()
        await bench.stopping.wait()
        return timedelta(0)

    async with working(bench, handle):
        await queue(bench, "long")
        async with asyncio.timeout(20):
            await begun.wait()
    assert await sql.fetchval("select status::text from pgqueuer") == "queued"


async def test_a_worker_outlives_its_connections(bench: Workbench, sql: asyncpg.Connection, database: str) -> None:
    done: list[str] = []

    async def handle(_bench: Workbench, payload: str) -> None:
        done.append(payload)

    async with working(bench, handle):
        await queue(bench, "before")
        await gone(sql)
        await bench.database.writes.dispose()
        await sql.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = $1 and pid <> pg_backend_pid() and usename = 'vibe4vets_app'",
            database,
        )
        await queue(bench, "after")
        await gone(sql)
    assert done == ["before", "after"]


async def test_a_worker_goes_on_after_any_error_of_its_queue(bench: Workbench, sql: asyncpg.Connection) -> None:
    """One that breaks off within pgqueuer is begun anew; it must not look like being told to stop."""
    done: list[str] = []

    async def handle(_bench: Workbench, payload: str) -> None:
        done.append(payload)

    with capture_logs() as lines:
        async with working(bench, handle):
            await sql.execute("create function fail() returns trigger language plpgsql as 'begin raise; end'")
            await sql.execute("create trigger fail before update on pgqueuer execute function fail()")
            await queue(bench, "patient")
            await until(lambda: "worker interrupted" in [line["event"] for line in lines])
            await sql.execute("drop trigger fail on pgqueuer")
            await gone(sql)
    assert done == ["patient"]


async def test_chores_come_round_and_one_that_fails_comes_again(bench: Workbench, sql: asyncpg.Connection) -> None:
    rounds: list[str] = []

    async def good(_bench: Workbench) -> None:
        rounds.append("good")

    async def bad(_bench: Workbench) -> None:
        rounds.append("bad")
        message = "a bug"
        raise ZeroDivisionError(message)

    async def handle(_bench: Workbench, _payload: str) -> None: ...

    chores = [Chore("good", "* * * * * *", good), Chore("bad", "* * * * * *", bad), Chore("rare", "0 0 1 1 *", good)]
    async with working(bench, handle, *chores):
        await until(lambda: rounds.count("good") >= 2 and rounds.count("bad") >= 2)
    assert await sql.fetchval("select last_run from pgqueuer_schedules where entrypoint = 'rare'") is None
    await sql.execute("update pgqueuer_schedules set next_run = now() - interval '3 days' where entrypoint = 'rare'")
    bench.stopping.clear()
    rounds.clear()
    async with working(bench, handle, chores[2]):
        await until(lambda: rounds == ["good"])


async def test_what_the_queue_has_noted_is_kept_for_a_month(bench: Workbench, sql: asyncpg.Connection) -> None:
    await sql.execute(
        "insert into pgqueuer_log (created, job_id, status, priority, entrypoint)"
        " select now() - days * interval '1 day', 1, 'successful', 0, 'x' from unnest(array[1, 29, 31, 400]) days"
    )
    async with bench.database.write_sessions.begin() as session:
        await jobs.forget_jobs(session)
    assert await sql.fetchval("select count(*) from pgqueuer_log") == 2


async def test_variables_of_others_do_not_rename_the_queue(monkeypatch: pytest.MonkeyPatch, bench: Workbench) -> None:
    """pgqueuer reads `CHANNEL`, `QUEUE_TABLE` and the like from any environment."""
    for name in ("CHANNEL", "QUEUE_TABLE", "PGQUEUER_QUEUE_TABLE", "PGQUEUER_PREFIX"):
        monkeypatch.setenv(name, "other")
    await queue(bench, "a")
