"""Who may write for a run: the attempt that has its lease. Leases are in the time of the database.

Every transaction of a run begins with the fence, a share of its row: whoever would take the run over waits for it, and
whoever has lost the run finds no row and writes nothing. The share leaves the row open to the heartbeat and to people
who cancel, however long a batch takes.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, TypeAlias, TypeVar
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, Interval, func, text, type_coerce
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel import col, select

from vibe4vets.connectors.models import ConnectorRun, RunState
from vibe4vets.connectors.service.runs import Ending, end_run, is_live
from vibe4vets.core.database import Session
from vibe4vets.core.models import utc_now

T = TypeVar("T")
Sessions: TypeAlias = async_sessionmaker[Session]
MOST_FAILURES: Final = 5
_SOON: Final = timedelta(seconds=1)
_HEARTBEATS: Final = 3
_MINE: Final = "where id = :id and attempt = :attempt and state = 'running'"
_RENEW: Final = text(f"""
update connector_runs set lease_until = clock_timestamp() + cast(:lease as interval) {_MINE} returning cancel_requested
""")  # noqa: S608  text of ours
WORKER_LOST: Final = Ending(
    RunState.FAILED,
    "WorkerLost",
    f"Its worker died {MOST_FAILURES} times while it was at it: see the worker's log and memory before it runs again.",
)
_log = structlog.get_logger()


class Interrupted(Exception):
    """The run is to be left at once; what is committed of it stays."""


class LeaseLost(Interrupted):
    """Another worker has the run, or it has ended."""


class CancelRequested(Interrupted):
    """A person has cancelled it."""


class Stopping(Interrupted):
    """The worker is to stop; another one goes on with the run."""


async def take(sessions: Sessions, run_id: UUID, lease: timedelta) -> ConnectorRun | timedelta | None:
    """Begin the next attempt of a run that waits for one, or whose worker has been silent for too long.

    How long to wait when somebody has it; None when there is nothing to do: it has ended, or waits for a person.
    """
    remaining: ColumnElement[timedelta] = type_coerce(
        col(ConnectorRun.lease_until) - func.clock_timestamp(), Interval()
    )
    statement = select(ConnectorRun, is_live(lease), remaining).where(ConnectorRun.id == run_id)
    async with sessions.begin() as session:
        row = (await session.execute(statement.with_for_update(skip_locked=True))).one_or_none()
        if row is None:
            known = await session.get(ConnectorRun, run_id)
            return None if known is None or known.finished_at is not None else _SOON
        run: ConnectorRun = row[0]
        if run.state is RunState.RUNNING and row[1]:
            wait: timedelta = row[2]
            return max(wait, _SOON)
        if run.state not in {RunState.QUEUED, RunState.RUNNING}:
            return None
        return await _begin(session, run, lease)


async def _begin(session: Session, run: ConnectorRun, lease: timedelta) -> ConnectorRun | None:
    run.failures += run.state is RunState.RUNNING
    if run.cancel_requested:
        await end_run(session, run, Ending(RunState.CANCELLED))
        return None
    if run.failures >= MOST_FAILURES:
        _log.error("run given up", run=str(run.id), connector=run.connector)
        await end_run(session, run, WORKER_LOST)
        return None
    run.attempt += 1
    run.state, run.lease_until = RunState.RUNNING, utc_now()
    run.started_at = run.started_at or utc_now()
    await session.flush()
    await session.execute(_RENEW, {"id": run.id, "attempt": run.attempt, "lease": lease})
    return run


@dataclass(frozen=True, slots=True)
class Lease:
    """One attempt's right to write for a run."""

    sessions: Sessions
    run_id: UUID
    attempt: int
    length: timedelta
    _interruption: "asyncio.Future[Interrupted]" = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    @asynccontextmanager
    async def kept(self, stopping: asyncio.Event | None = None) -> AsyncIterator[None]:
        """Keep the lease from ending while its holder waits; `stopping` interrupts the run."""
        tasks = [asyncio.create_task(self._beat())]
        if stopping is not None:
            tasks.append(asyncio.create_task(self._obey(stopping)))
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    @asynccontextmanager
    async def batch(self, *, last: bool = False) -> AsyncIterator[tuple[Session, ConnectorRun]]:
        """One transaction of the run: fenced at its beginning, the lease renewed at its end.

        Raises an Interrupted instead, unless it is the `last`, which writes how the run ended: that one only
        LeaseLost.
        """
        if self._interruption.done() and not last:
            raise self._interruption.result()
        statement = select(ConnectorRun).where(
            ConnectorRun.id == self.run_id,
            ConnectorRun.attempt == self.attempt,
            ConnectorRun.state == RunState.RUNNING,
        )
        async with self.sessions.begin() as session:
            run = (await session.exec(statement.with_for_update(read=True, key_share=True))).one_or_none()
            if run is None:
                raise LeaseLost
            if run.cancel_requested and not last:
                raise CancelRequested
            yield session, run
            await session.flush()
            await session.execute(_RENEW, self._mine)

    async def heed(self, work: Awaitable[T]) -> T:
        """Wait for what needs no database; it is cancelled when the run is interrupted."""
        task = asyncio.ensure_future(work)
        try:
            either: set[asyncio.Future[Any]] = {task, self._interruption}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise self._interruption.result()
        finally:
            if not task.done():
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
        return task.result()

    @property
    def _mine(self) -> dict[str, object]:
        return {"id": self.run_id, "attempt": self.attempt, "lease": self.length}

    async def _beat(self) -> None:
        while not self._interruption.done():
            await asyncio.sleep(self.length.total_seconds() / _HEARTBEATS)
            try:
                async with self.sessions.begin() as session:
                    cancelled = (await session.execute(_RENEW, self._mine)).scalar()
            except Exception as error:  # noqa: BLE001  the fence decides; this only keeps the lease
                _log.warning("heartbeat missed", run=str(self.run_id), exc_info=error)
                continue
            if cancelled is None:
                self._interrupt(LeaseLost())
            elif cancelled:
                self._interrupt(CancelRequested())

    async def _obey(self, stopping: asyncio.Event) -> None:
        await stopping.wait()
        self._interrupt(Stopping())

    def _interrupt(self, reason: Interrupted) -> None:
        if not self._interruption.done():
            self._interruption.set_result(reason)
