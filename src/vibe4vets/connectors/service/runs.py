"""Runs: read a source, stage its records with COPY, compare them set-wise with what is known, apply by batches.

A batch is one transaction with all that belongs to it. A run that dies leaves whole batches behind; the next
run finds those unchanged and does the rest.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker
from sqlmodel import col, select

from vibe4vets.connectors.base import About, Rejection, Source
from vibe4vets.connectors.exceptions import RunUnderWay
from vibe4vets.connectors.models import ConnectorRun, Outcome, Policy, QuarantinedRecord, RunState
from vibe4vets.connectors.service import staging
from vibe4vets.connectors.service.applying import Applied, apply_batch
from vibe4vets.connectors.service.planning import Plan, plan_run
from vibe4vets.connectors.service.preparing import Prepared, prepare
from vibe4vets.core.database import Session
from vibe4vets.core.models import utc_now
from vibe4vets.resources import service as resources

Sessions: TypeAlias = async_sessionmaker[Session]
Progress: TypeAlias = Callable[[str, int, int | None], None]
"""Called with the stage (`read` or `apply`), how many records are done, and of how many when that is known."""

BATCH = 2000
_LOCK = text("select pg_try_advisory_lock(hashtext('vibe4vets connector'), hashtext(:connector))")
_UNLOCK = text("select pg_advisory_unlock(hashtext('vibe4vets connector'), hashtext(:connector))")
_INTERRUPTED = text(
    "update connector_runs set state = 'failed', error = 'Interrupted', finished_at = now(), lease_until = null"
    " where connector = :connector and state = 'running'"
)


@dataclass(frozen=True, slots=True)
class RunReport:
    """What a run did, or with `dry_run` would do."""

    run_id: UUID
    counts: Mapping[Outcome, int]
    warnings: Sequence[str]
    quarantined: Sequence[QuarantinedRecord]

    @property
    def changed(self) -> int:
        """How many records changed the directory."""
        return sum(self.counts[kind] for kind in (Outcome.CREATED, Outcome.UPDATED, Outcome.PUBLISHED))


async def run_source(
    engine: AsyncEngine, source: Source, *, publish: bool, dry_run: bool, progress: Progress
) -> RunReport:
    """Bring every record of `source` into the directory; without `publish`, new ones stay drafts.

    Raises RunUnderWay while another run of the same connector is at work.
    """
    sessions = async_sessionmaker(engine, class_=Session, expire_on_commit=False)
    async with _alone(engine, sessions, source.about.slug):
        run = await _open(sessions, source, Policy.PUBLISH if publish else Policy.DRAFT)
        try:
            await _stage(sessions, run.id, source, progress)
            plan = await _plan(sessions, run, source)
            if not dry_run:
                await _apply(sessions, run, source.about, plan.to_apply, progress)
            return await _close(sessions, run, plan.counts, source.warnings(), dry_run=dry_run)
        except Exception as error:
            await _fail(sessions, run, error)
            raise


@asynccontextmanager
async def _alone(engine: AsyncEngine, sessions: Sessions, connector: str) -> AsyncIterator[None]:
    """Hold the connector's lock, which the server drops when this process dies; tidy up after one that did."""
    async with engine.connect() as connection:
        locked = (await connection.execute(_LOCK, {"connector": connector})).scalar_one()
        await connection.commit()
        if not locked:
            raise RunUnderWay
        try:
            async with sessions.begin() as session:
                await session.execute(_INTERRUPTED, {"connector": connector})
                await staging.clear_finished(session)
            yield
        finally:
            await connection.execute(_UNLOCK, {"connector": connector})
            await connection.commit()


async def _open(sessions: Sessions, source: Source, policy: Policy) -> ConnectorRun:
    run = ConnectorRun(
        connector=source.about.slug,
        subject=source.subject[:300],
        policy=policy,
        state=RunState.RUNNING,
        lease_until=utc_now() + timedelta(minutes=1),
    )
    async with sessions.begin() as session:
        session.add(run)
    return run


async def _stage(sessions: Sessions, run_id: UUID, source: Source, progress: Progress) -> None:
    batch: list[Prepared | Rejection] = []
    done = 0
    progress("read", 0, source.total())
    async for page in source.pages():
        batch += [item if isinstance(item, Rejection) else prepare(item) for item in page.items]
        done = page.done
        if len(batch) >= BATCH:
            async with sessions.begin() as session:
                await staging.stage(session, run_id, batch)
            batch.clear()
            progress("read", done, source.total())
    async with sessions.begin() as session:
        await staging.stage(session, run_id, batch)
    progress("read", source.total() or done, source.total())


async def _plan(sessions: Sessions, run: ConnectorRun, source: Source) -> Plan:
    async with sessions.begin() as session:
        await staging.quarantine_repeated(session, run.id)
        return await plan_run(session, run, source.about, complete=source.complete)


async def _apply(sessions: Sessions, run: ConnectorRun, about: About, total: int, progress: Progress) -> None:
    done, applied = 0, Applied(0, 0)
    while done < total:
        async with sessions.begin() as session:
            applied = await apply_batch(session, run, about, after=applied.last, size=BATCH)
        done += applied.count
        progress("apply", done, total)
    if run.policy is not Policy.DRAFT and total:
        async with sessions.begin() as session:
            await resources.learn_places(session)
        async with sessions.begin() as session:
            await resources.count_words(session, unless_current=True)


async def _close(
    sessions: Sessions, run: ConnectorRun, counts: Mapping[Outcome, int], warnings: Sequence[str], *, dry_run: bool
) -> RunReport:
    async with sessions.begin() as session:
        by_line = select(QuarantinedRecord).where(QuarantinedRecord.run_id == run.id)
        refused = (await session.exec(by_line.order_by(col(QuarantinedRecord.line)))).all()
        stored = await session.get_one(ConnectorRun, run.id)
        if dry_run:
            await session.delete(stored)
        else:
            stored.sqlmodel_update({kind.value: counts[kind] for kind in Outcome})
            stored.state, stored.finished_at, stored.lease_until = RunState.SUCCEEDED, utc_now(), None
            await session.flush()
            await staging.clear_finished(session)
    return RunReport(run.id, counts, warnings, refused)


async def _fail(sessions: Sessions, run: ConnectorRun, error: Exception) -> None:
    async with sessions.begin() as session:
        stored = await session.get_one(ConnectorRun, run.id)
        stored.state, stored.finished_at, stored.lease_until = RunState.FAILED, utc_now(), None
        stored.error = type(error).__name__[:100]
        await session.flush()
        await staging.clear_finished(session)
