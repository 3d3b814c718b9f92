"""Workers that are killed, paused and told to stop, on a durable server: nothing lost, nothing doubled (I12-I16)."""

import asyncio
import contextlib
import gzip
import json
import shutil
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from subprocess import Popen
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import async_sessionmaker

from tests.conftest import Programs, make_settings
from tests.databases import copy_home
from tests.publisher import Asked, Publisher, http
from vibe4vets.connectors.exceptions import RunEnded, RunUnderWay
from vibe4vets.connectors.service import cancel_run, request_run
from vibe4vets.core.audit import SYSTEM
from vibe4vets.core.config import DatabaseSettings
from vibe4vets.core.database import Session, make_engine
from vibe4vets.core.embedded import EmbeddedPostgres

pytestmark = pytest.mark.drill

SLUG, RECORDS, PER_PAGE = "drill_211", 2000, 100
LEASE_SECONDS = 3
NEWEST = "select * from connector_runs order by created_at desc limit 1"
# What the directory knows beside what the feed says: every record once, as it was written.
DIFFERENT = """
select count(*) from source_records k full join feed f using (source_record_id)
left join resources r on r.id = k.resource_id
where k.id is null or f.source_record_id is null or r.title is distinct from f.title
"""


def service_of(number: int) -> dict[str, Any]:
    """A service as HSDS has it."""
    return {
        "id": f"s{number}",
        "name": f"Rent help {number}",
        "status": "active",
        "description": "Help with rent, utilities and a new lease.",
        "organization": {"id": f"o{number % 50}", "name": f"House {number % 50}"},
        "service_areas": [{"name": "Ohio", "extent": "OH", "extent_type": "state"}],
        "attributes": [{"value": "housing", "taxonomy_term": {"code": "housing", "name": "Housing"}}],
    }


class Feed(Publisher):
    """A publisher with 2,000 services, as slow as the drill wants it."""

    def __init__(self) -> None:
        super().__init__({"/hsds/services": self.answer})
        self.pause = 0.0
        self.special: dict[str, Callable[[asyncio.StreamWriter], Awaitable[None]]] = {}
        self.gone: set[int] = set()

    def page(self, number: int) -> bytes:
        """One page as the API has it."""
        services = [service_of(n) for n in range(RECORDS)]
        contents = services[(number - 1) * PER_PAGE : number * PER_PAGE]
        known = {"total_items": RECORDS, "total_pages": RECORDS // PER_PAGE, "page_number": number}
        return http(json.dumps(known | {"contents": contents}).encode(), connection="close")

    async def answer(self, asked: Asked, writer: asyncio.StreamWriter) -> None:
        """Answer one page, after the pause."""
        number = asked.query("page") or "1"
        await asyncio.sleep(self.pause)
        if (special := self.special.get(number)) is not None:
            await special(writer)
        else:
            writer.write(self.page(int(number)))
        await writer.drain()

    def pages_asked(self) -> list[int]:
        """The pages that were asked for, in order."""
        return [int(asked.query("page") or 1) for asked in self.asked]


@pytest.fixture
async def feed() -> AsyncIterator[Feed]:
    """The publisher of this drill."""
    feed = Feed()
    async with feed.running():
        yield feed


@pytest.fixture(scope="module")
def made(programs_in: type[Programs]) -> Iterator[Path]:
    """The home of a server with the schema, which has stopped."""
    folder = Path(tempfile.mkdtemp(prefix="v4v-", dir="/tmp"))
    folder.chmod(0o711)
    with EmbeddedPostgres(folder / "made").running() as server, programs_in(folder) as programs:
        migrated = programs.run("migrate", DATABASE_MIGRATION_URL=server.owner_url(), DATABASE_URL=server.app_url())
        _, err = migrated.communicate()
        assert migrated.returncode == 0, err
    yield folder / "made"
    shutil.rmtree(folder)


@pytest.fixture
async def postgres(made: Path, data_dir: Path) -> AsyncIterator[EmbeddedPostgres]:
    """A durable server with the schema, of this drill's own."""
    server = await asyncio.to_thread(copy_home, made, data_dir)
    await asyncio.to_thread(server.start)
    yield server
    await asyncio.to_thread(server.stop)


@pytest.fixture
async def sql(postgres: EmbeddedPostgres) -> AsyncIterator[asyncpg.Connection]:
    """The owner's connection, with what the feed says beside what the directory knows."""
    connection = await asyncpg.connect(postgres.owner_url())
    assert await connection.fetchval("show fsync") == "on"
    await connection.execute("create temporary table feed (source_record_id text primary key, title text)")
    rows = [(f"s{n}", f"Rent help {n}") for n in range(RECORDS)]
    await connection.copy_records_to_table("feed", records=rows)
    # runs are asked for here, so that none comes by itself at the next full minute
    await connection.execute("insert into connector_schedules values ($1, 1, false)", SLUG)
    yield connection
    await connection.close()


Start = Callable[[], Popen[str]]


@pytest.fixture
def start(programs: Any, postgres: EmbeddedPostgres, feed: Feed) -> Start:
    """Start a worker."""

    def start() -> Popen[str]:
        worker: Popen[str] = programs.run("worker", **surroundings(postgres, feed))
        return worker

    return start


def surroundings(postgres: EmbeddedPostgres, feed: Feed) -> dict[str, object]:
    """The settings of a worker in this drill: a publisher that is not public, and a short lease."""
    return {
        "DATABASE_URL": postgres.app_url(),
        "VIBE4VETS_SECRET_KEY": "a secret for drills, of more than 32 characters",
        "VIBE4VETS_FETCH__ALLOW": feed.address,
        f"VIBE4VETS_CONNECTORS__{SLUG.upper()}__BASE_URL": feed.url("/hsds"),
        "VIBE4VETS_JOBS__LEASE": f"PT{LEASE_SECONDS}S",
        "VIBE4VETS_JOBS__POLL": "PT0.5S",
        "VIBE4VETS_JOBS__RETRY_PAUSE": "PT1S",
    }


async def request(postgres: EmbeddedPostgres) -> UUID:
    """Queue a run as the service does."""
    engine = make_engine(make_settings(postgres.app_url()).database_url, DatabaseSettings())
    try:
        async with async_sessionmaker(engine, class_=Session).begin() as session:
            return await request_run(session, SLUG, subject="drill", actor=SYSTEM)
    finally:
        await engine.dispose()


async def until(sql: asyncpg.Connection, condition: str, seconds: float = 90) -> asyncpg.Record:
    """The newest run, once `condition` is true of it."""
    async with asyncio.timeout(seconds):
        while True:
            run = await sql.fetchrow(f"select * from ({NEWEST}) run where {condition}")
            if run is not None:
                return run
            await asyncio.sleep(0.05)


async def end(worker: Popen[str]) -> str:
    """Stop a worker in good order; what it logged."""
    worker.terminate()
    _, err = await asyncio.to_thread(worker.communicate)
    assert worker.returncode == 0, err
    return err


async def test_a_killed_worker_s_run_is_finished_by_another(
    postgres: EmbeddedPostgres, sql: asyncpg.Connection, start: Start, feed: Feed
) -> None:
    """Rows I12, I15."""
    feed.pause = 0.1
    await request(postgres)
    killed = start()
    await until(sql, "done >= 1000 and state = 'running'")
    killed.kill()
    killed.wait()
    before = time.monotonic()
    pages = len(feed.asked)
    run = await until(sql, "true")
    assert (run["state"], run["attempt"], run["stage"]) == ("running", 1, "read"), "positive control: it was not done"
    assert await sql.fetchval(DIFFERENT) == RECORDS
    other = start()
    run = await until(sql, "state <> 'running'")
    assert time.monotonic() - before < 60
    assert (run["state"], run["attempt"], run["failures"], run["done"]) == ("succeeded", 2, 1, RECORDS)
    assert await sql.fetchval(DIFFERENT) == 0
    assert min(feed.pages_asked()[pages:]) > 10, "the first half was read before"
    assert await sql.fetchval("select count(*) from resources") == RECORDS
    await sql.execute("delete from source_records where source_record_id = 's7'")
    assert await sql.fetchval(DIFFERENT) == 1, "negative control: a record that is lost is found out"
    await end(other)


async def test_a_paused_worker_writes_nothing_once_it_goes_on(
    postgres: EmbeddedPostgres, sql: asyncpg.Connection, start: Start, feed: Feed
) -> None:
    """Row I13: it sleeps past its lease, another one finishes, and then it wakes."""
    feed.pause = 0.05
    await request(postgres)
    paused = start()
    await until(sql, "done >= 600 and state = 'running'")
    paused.send_signal(signal.SIGSTOP)
    other = start()
    run = await until(sql, "state <> 'running'")
    assert (run["state"], run["attempt"]) == ("succeeded", 2)
    assert await sql.fetchval(DIFFERENT) == 0
    before = await everything(sql)
    paused.send_signal(signal.SIGCONT)
    log = await end(paused) + await end(other)
    assert await everything(sql) == before
    assert "lease lost" in log, "negative control: it was still at it, and would have written"


async def everything(sql: asyncpg.Connection) -> list[Any]:
    """What a run could have touched."""
    tables = ("resources", "published_resources", "source_records", "staged_records", "quarantined_records")
    rows = [await sql.fetch(f"select md5(string_agg(t::text, '' order by t::text)) from {table} t") for table in tables]
    runs = await sql.fetch("select id, state, attempt, done, staged, applied_through from connector_runs order by id")
    return [*rows, runs]


async def test_twenty_triggers_at_once_are_one_run(
    postgres: EmbeddedPostgres, sql: asyncpg.Connection, start: Start, feed: Feed
) -> None:
    """Row H6, with two workers that would both like to have it."""
    workers = [start(), start()]
    answers = await asyncio.gather(*(request(postgres) for _ in range(20)), return_exceptions=True)
    made = [answer for answer in answers if isinstance(answer, UUID)]
    assert len(made) == 1
    assert [answer.run_id for answer in answers if isinstance(answer, RunUnderWay)] == made * 19
    run = await until(sql, "finished_at is not null")
    assert (run["state"], run["attempt"]) == ("succeeded", 1)
    assert feed.pages_asked() == list(range(1, 21)), "each page was asked for once"
    assert await sql.fetchval(DIFFERENT) == 0
    await request(postgres)  # negative control: one after the other, there are two
    run = await until(sql, f"finished_at is not null and id <> '{made[0]}'")
    assert (run["state"], run["unchanged"]) == ("succeeded", RECORDS)
    for worker in workers:
        await end(worker)


async def test_a_worker_that_is_told_to_stop_leaves_the_rest_to_another(
    postgres: EmbeddedPostgres, sql: asyncpg.Connection, start: Start, feed: Feed
) -> None:
    """Row I16: at the next batch, with exit code 0; the run waits in the queue, and no failure is counted."""
    feed.pause = 0.1
    await request(postgres)
    stopped = start()
    await until(sql, "done >= 500 and state = 'running'")
    await end(stopped)
    run = await until(sql, "true")
    assert (run["state"], run["attempt"], run["failures"]) == ("queued", 1, 0)
    assert 500 <= run["done"] < RECORDS
    other = start()
    run = await until(sql, "finished_at is not null")
    assert (run["state"], run["attempt"], run["failures"]) == ("succeeded", 2, 0)
    assert len(feed.asked) <= 21, "no page was asked for again but perhaps the one that was under way"
    assert await sql.fetchval(DIFFERENT) == 0
    await end(other)


async def test_a_second_sigterm_ends_a_worker_at_once(
    postgres: EmbeddedPostgres, sql: asyncpg.Connection, start: Start
) -> None:
    """Row I16: even one that waits for a lock; the lease of its run ends by itself."""
    await request(postgres)
    await sql.execute("set lock_timeout = 0")
    worker = start()
    async with sql.transaction():
        await sql.execute("lock table staged_records in access exclusive mode")
        await until(sql, "exists (select from pg_locks where not granted)")
        worker.terminate()
        await asyncio.sleep(0.3)
        worker.terminate()
        before = time.monotonic()
        await asyncio.to_thread(worker.communicate)
        assert time.monotonic() - before < 10
    assert worker.returncode == 143
    other = start()
    run = await until(sql, "finished_at is not null")
    assert run["state"] == "succeeded"
    assert await sql.fetchval(DIFFERENT) == 0
    await end(other)


async def drip(writer: asyncio.StreamWriter) -> None:
    """A byte now and then, for as long as anybody listens."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n")
    with contextlib.suppress(OSError):
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.2)


async def endless(writer: asyncio.StreamWriter) -> None:
    """As fast as it goes, without an end."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n")
    with contextlib.suppress(OSError):
        while True:
            writer.write(b" " * 1_000_000)
            await writer.drain()


def sent(answer: bytes) -> Callable[[asyncio.StreamWriter], Awaitable[None]]:
    """An answer as its bytes."""

    async def send(writer: asyncio.StreamWriter) -> None:
        writer.write(answer)

    return send


async def bomb(writer: asyncio.StreamWriter) -> None:
    """300 MB in 300 kB."""
    writer.write(http(await asyncio.to_thread(gzip.compress, bytes(300_000_000)), content_encoding="gzip"))


EMPTY = {"total_items": RECORDS, "total_pages": 20, "page_number": 3, "contents": []}
HOSTILE = {
    "500": (sent(http(b"{}", "500 Internal Server Error")), "queued"),  # may pass, so it is tried again
    "truncated JSON": (sent(http(b'{"contents": [{"id": ')), "failed"),
    "empty list": (sent(http(json.dumps(EMPTY).encode())), "failed"),
    "a way inside": (sent(http(status="302 Found", location="http://169.254.169.254/latest/meta-data/")), "failed"),
    "bomb": (bomb, "failed"),
    "endless": (endless, "failed"),
    "a promise": (sent(http(content_length=str(10 * 1024**3))), "failed"),
    "login page": (sent(http(b"<html>Sign in</html>", content_type="text/html")), "failed"),
}


async def test_a_hostile_publisher_changes_nothing(
    postgres: EmbeddedPostgres, sql: asyncpg.Connection, start: Start, feed: Feed
) -> None:
    """Rows F3 to F6, F10: whatever page 3 is, nothing is retired, nothing doubled, and the run says what to do."""
    worker = start()
    await request(postgres)
    run = await until(sql, "finished_at is not null")
    assert run["state"] == "succeeded", "positive control"
    kept = (await everything(sql))[:3]
    for name, (answer, state) in HOSTILE.items():
        feed.special = {"3": answer}
        await sql.execute("delete from fetch_hosts")
        run_id = await request(postgres)
        run = await until(sql, "state <> 'running' and attempt > 0 and error is not null", seconds=120)
        assert (run["id"], run["state"]) == (run_id, state), f"{name}: {run['error']} {run['advice']}"
        assert run["advice"], name
        assert (await everything(sql))[:3] == kept, name
        await cancel(postgres, run_id)
        assert await sql.fetchval("select count(*) from staged_records") == 0, name
    feed.special = {"3": drip}  # the fetcher gives up after 20 s, five times; nobody has to wait for that
    run_id = await request(postgres)
    await until(sql, "state = 'running' and done = 200")
    await cancel(postgres, run_id)
    assert (await until(sql, "finished_at is not null", seconds=15))["state"] == "cancelled"
    assert (await everything(sql))[:3] == kept
    assert worker.poll() is None, "the worker lives"
    feed.special = {}
    await request(postgres)
    run = await until(sql, "finished_at is not null and state = 'succeeded'")
    assert (run["unchanged"], await sql.fetchval(DIFFERENT)) == (RECORDS, 0)
    await sql.execute("update resources set title = 'changed' where source_record_id = 's1'")
    assert (await everything(sql))[:3] != kept, "negative control: a change is found out"
    await end(worker)


async def cancel(postgres: EmbeddedPostgres, run_id: UUID) -> None:
    """Cancel a run that waits for its next try; one that has failed stays as it is."""
    engine = make_engine(make_settings(postgres.app_url()).database_url, DatabaseSettings())
    with contextlib.suppress(RunEnded):
        async with async_sessionmaker(engine, class_=Session).begin() as session:
            await cancel_run(session, run_id, actor=SYSTEM)
    await engine.dispose()
