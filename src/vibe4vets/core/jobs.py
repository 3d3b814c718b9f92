"""The one place that knows the queue: pgqueuer carries the jobs.

A job only wakes a worker; the truth is in the rows of a domain. So a job may be doubled or lost without harm: whoever
handles it looks at the row first, and a chore of the domain wakes what has been forgotten (`wake_forgotten`).
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, Final, TypeAlias, TypeVar

import asyncpg
import structlog
from pgqueuer import PgQueuer
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment, QueryQueueBuilder, QuerySchedulerBuilder
from pgqueuer.db import AsyncpgDriver, AsyncpgPoolDriver, Driver
from pgqueuer.domain.settings import DBSettings
from pgqueuer.errors import RetryRequested
from pgqueuer.models import Job
from pgqueuer.queries import Queries
from pgqueuer.types import Channel
from sqlalchemy import text

from vibe4vets.core.config import Settings
from vibe4vets.core.database import Database, NoDatabaseError, Session, make_pool
from vibe4vets.core.errors import Unavailable, to_app_error
from vibe4vets.core.fetch import Fetcher
from vibe4vets.core.metrics import Figure

T = TypeVar("T")
LONGEST_WAIT: Final = timedelta(minutes=15)
"""No job waits longer: one that seems to was queued by a clock that has been set back since."""
_PAUSE_SECONDS: Final = 1.0
# named here, for pgqueuer would take the name of a table from a variable such as CHANNEL
_NAMES: Final = DBSettings(
    channel=Channel("ch_pgqueuer"), function="fn_pgqueuer_changed", statistics_table="pgqueuer_statistics",
    queue_status_type="pgqueuer_status", queue_table="pgqueuer", queue_table_log="pgqueuer_log",
    trigger="tg_pgqueuer_changed", schedules_table="pgqueuer_schedules", prefix="", db_schema=None,
)  # fmt: skip
_NOTHING: Final = text("select")
_FORGOTTEN: Final = text("""
select wanted from unnest(cast(:payloads as text[])) wanted
where not exists (
  select from pgqueuer j where j.entrypoint = :entrypoint and j.payload = convert_to(wanted, 'utf8') and (
    j.status = 'queued' and j.execute_after < now() + cast(:longest as interval)
    or j.status = 'picked' and j.heartbeat
      between now() - 2 * cast(:lease as interval) and now() + cast(:lease as interval)))
""")
_STATE: Final = text("""
select count(*) filter (where status = 'queued') as waiting, count(*) filter (where status = 'picked') as working,
  coalesce(extract(epoch from now() - min(execute_after) filter (where status = 'queued' and execute_after < now())), 0)
    as overdue_seconds
from pgqueuer
""")
_FORGET: Final = (
    text("delete from pgqueuer_log where created < now() - interval '30 days'"),
    text("delete from pgqueuer_statistics where created < now() - interval '30 days'"),
)
_MAY_QUEUE: Final = text("""
select bool_and(has_table_privilege(name, privilege))
from unnest(array['pgqueuer', 'pgqueuer_log', 'pgqueuer_schedules', 'pgqueuer_statistics']) name,
  unnest(array['select', 'insert', 'update', 'delete']) privilege
""")
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Workbench:
    """What a worker has to work with."""

    settings: Settings
    database: Database
    fetcher: Fetcher
    stopping: asyncio.Event
    """Set when it is to stop: work that takes long ends soon, and is queued again."""


Handler: TypeAlias = Callable[[Workbench, str], Awaitable[timedelta | None]]
"""Does the job of a payload; how long until it is to be tried again, or None when it is done with."""


@dataclass(frozen=True, slots=True)
class Chore:
    """Work that comes round by itself; of all workers one does it, and a round that was missed is made up for."""

    name: str
    cron: str
    """Minute, hour, day, month, weekday in UTC; a sixth field has the seconds."""
    work: Callable[[Workbench], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class QueueState:
    """How many jobs wait and how many are being done, and for how long the oldest could have been begun."""

    waiting: int
    working: int
    overdue: timedelta


async def enqueue(session: Session, entrypoint: str, payload: str, *, after: timedelta = timedelta(0)) -> None:
    """Queue a job in the transaction of `session`: with its commit workers know of it, with its rollback it is gone."""
    await session.execute(_NOTHING)  # the driver goes past SQLAlchemy, which has not sent BEGIN yet
    raw = await (await session.connection()).get_raw_connection()
    driver: Any = raw.driver_connection
    await _queries(AsyncpgDriver(driver)).enqueue(entrypoint, payload.encode(), execute_after=after)


async def wake_forgotten(session: Session, entrypoint: str, payloads: Sequence[str], lease: timedelta) -> int:
    """Queue a job for each of `payloads` that has none alive, neither waiting nor with a worker; how many had none."""
    values = {"entrypoint": entrypoint, "payloads": list(payloads), "longest": 2 * LONGEST_WAIT, "lease": lease}
    forgotten = (await session.execute(_FORGOTTEN, values)).scalars().all()
    for payload in forgotten:
        await enqueue(session, entrypoint, payload)
    return len(forgotten)


async def queue_state(session: Session) -> QueueState:
    """What is in the queue."""
    row = (await session.execute(_STATE)).one()
    return QueueState(row.waiting, row.working, timedelta(seconds=float(row.overdue_seconds)))


async def count_jobs(session: Session) -> list[Figure]:
    """The same for whoever watches the service."""
    state = await queue_state(session)
    jobs: dict[tuple[str, ...], float] = {("waiting",): state.waiting, ("working",): state.working}
    overdue = "For how long the oldest job could have been begun; alert when it is minutes, for then no worker runs."
    return [
        Figure("vibe4vets_jobs", "Jobs that wait, or that a worker is at.", ("state",), jobs),
        Figure("vibe4vets_jobs_overdue_seconds", overdue, (), {(): state.overdue.total_seconds()}),
    ]


async def queue_fault(session: Session) -> str | None:
    """Why no job could be queued, with the remedy; None when one could. A missing worker is no fault: jobs wait."""
    if (await session.execute(_MAY_QUEUE)).scalar_one():
        return None
    return "The role of DATABASE_URL may not use the queue: grant it select, insert, update, delete on pgqueuer*."


async def forget_jobs(session: Session) -> None:
    """Clear away what the queue has noted of jobs that ended a month ago."""
    for statement in _FORGET:
        await session.execute(statement)


async def work(bench: Workbench, handlers: Mapping[str, Handler], chores: Sequence[Chore]) -> None:
    """Do jobs and chores until told to stop and what is under way has ended; a database that is down is awaited."""
    settings = bench.settings.jobs
    while not bench.stopping.is_set():
        try:
            async with _pool(bench.settings) as pool:
                app = _build(bench, _PatientDriver(pool, bench.stopping), handlers, chores)
                # pgqueuer sets this event itself when it breaks off: that must not tell the worker to stop
                app.shutdown = app.qm.shutdown = app.sm.shutdown = asyncio.Event()
                async with _relayed(bench.stopping, app.shutdown):
                    await app.run(
                        dequeue_timeout=settings.poll,
                        batch_size=1,
                        max_concurrent_tasks=settings.concurrency,
                        heartbeat_timeout=settings.lease,
                    )
        except Exception as error:  # noqa: BLE001  whatever it is, a worker goes on
            _log.warning("worker interrupted", exc_info=error)
            await _pause(bench.stopping)


@asynccontextmanager
async def _relayed(event: asyncio.Event, other: asyncio.Event) -> AsyncIterator[None]:
    """Set `other` as soon as `event` is set."""

    async def relay() -> None:
        await event.wait()
        other.set()

    relaying = asyncio.create_task(relay())
    try:
        yield
    finally:
        relaying.cancel()


@asynccontextmanager
async def _pool(settings: Settings) -> AsyncIterator["asyncpg.Pool[asyncpg.Record]"]:
    if settings.database_url is None:
        raise NoDatabaseError
    pool = make_pool(settings.database_url, settings.database, size=4)
    await pool
    try:
        yield pool
    finally:
        pool.terminate()


def _build(bench: Workbench, driver: Driver, handlers: Mapping[str, Handler], chores: Sequence[Chore]) -> PgQueuer:
    app = PgQueuer(driver, channel=_NAMES.channel, queries=_queries(driver))
    for name, handler in handlers.items():
        app.entrypoint(name, accepts_context=False)(partial(_do, bench, handler))
    for chore in chores:
        app.schedule(chore.name, chore.cron, accepts_context=False)(partial(_do_chore, bench, chore))
    return app


async def _do(bench: Workbench, handler: Handler, job: Job) -> None:
    try:
        again = await handler(bench, (job.payload or b"").decode())
    except Exception as error:  # noqa: BLE001  the row tells what became of it; until then the job stays
        _log.warning("job interrupted", job=job.entrypoint, exc_info=error)
        again = bench.settings.jobs.lease
    if again is not None:
        raise RetryRequested(min(again, LONGEST_WAIT))


async def _do_chore(bench: Workbench, chore: Chore, _schedule: object) -> None:
    try:
        await chore.work(bench)
    except Exception as error:  # noqa: BLE001  the next round must come
        _log.warning("chore failed", chore=chore.name, exc_info=error)


def may_pass(error: Exception) -> bool:
    """Whether it is the database that cannot answer right now, and the same may succeed a little later."""
    return isinstance(to_app_error(error), Unavailable)


class _PatientDriver(AsyncpgPoolDriver):
    """Waits for a database that is away, so that the runs of a worker outlive its restart."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", stopping: asyncio.Event) -> None:
        super().__init__(pool)
        self._stopping = stopping

    async def fetch(self, query: str, *args: object) -> list[dict[str, object]]:
        """Rows as dicts, as soon as there is an answer."""
        return await self._insist(partial(super().fetch, query, *args))

    async def execute(self, query: str, *args: object) -> str:
        """The status, as soon as there is an answer."""
        return await self._insist(partial(super().execute, query, *args))

    async def _insist(self, ask: Callable[[], Awaitable[T]]) -> T:
        told = False
        while True:
            try:
                return await ask()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                if self._stopping.is_set() or not may_pass(error):
                    raise
                if not told:
                    _log.warning("worker waits for the database", exc_info=error)
                told = True
            await _pause(self._stopping)


async def _pause(stopping: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(_PAUSE_SECONDS):
            await stopping.wait()
    except TimeoutError:
        pass


def _queries(driver: Driver) -> Queries:
    return Queries(
        driver,
        qbe=QueryBuilderEnvironment(_NAMES),
        qbq=QueryQueueBuilder(_NAMES),
        qbs=QuerySchedulerBuilder(_NAMES),
    )
