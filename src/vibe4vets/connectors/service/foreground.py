"""Runs that a command does itself, without a worker: the import of a file, a reading while a person watches."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker
from sqlmodel import col, select

from vibe4vets.connectors.base import Source
from vibe4vets.connectors.exceptions import RunTaken
from vibe4vets.connectors.models import ConnectorRun, Outcome, Policy, QuarantinedRecord, RunState
from vibe4vets.connectors.service.endings import failure
from vibe4vets.connectors.service.leases import CancelRequested, Lease, LeaseLost, Sessions
from vibe4vets.connectors.service.runs import INTERRUPTED, Ending, begin_run, end_run
from vibe4vets.connectors.service.stages import Opening, Progress, carry_out
from vibe4vets.core.audit import SYSTEM
from vibe4vets.core.config import JobSettings
from vibe4vets.core.database import Session

LEASE: Final = JobSettings().lease


@dataclass(frozen=True, slots=True)
class RunReport:
    """What a run did, or with `dry_run` would do."""

    run_id: UUID
    state: RunState
    counts: Mapping[Outcome, int]
    warnings: Sequence[str]
    quarantined: Sequence[QuarantinedRecord]
    held_because: str | None = None
    """Why a person has to confirm it before anything changes."""

    @property
    def changed(self) -> int:
        """How many records changed the directory."""
        changes = (Outcome.CREATED, Outcome.UPDATED, Outcome.PUBLISHED, Outcome.RETIRED)
        return sum(self.counts[kind] for kind in changes)


async def run_source(  # noqa: PLR0913  what a person says of an import
    engine: AsyncEngine, source: Source, *, publish: bool, dry_run: bool, progress: Progress, lease: timedelta = LEASE
) -> RunReport:
    """Bring every record of a file into the directory; without `publish`, new ones stay drafts.

    Raises RunUnderWay while another run of the same source has not ended, and RunTaken when it was cancelled.
    """
    policy = Policy.PUBLISH if publish else Policy.DRAFT
    return await _run_here(engine, source, policy, dry_run=dry_run, progress=progress, length=lease)


async def run_connector(
    engine: AsyncEngine, source: Source, *, dry_run: bool, progress: Progress, lease: timedelta = LEASE
) -> RunReport:
    """Read a publisher as a worker would: what is risky waits for a person. It is tried once.

    Raises RunUnderWay while another run of the connector has not ended, and RunTaken when it was cancelled.
    """
    return await _run_here(engine, source, Policy.REVIEW, dry_run=dry_run, progress=progress, length=lease)


async def _run_here(  # noqa: PLR0913
    engine: AsyncEngine, source: Source, policy: Policy, *, dry_run: bool, progress: Progress, length: timedelta
) -> RunReport:
    sessions = async_sessionmaker(engine, class_=Session, expire_on_commit=False)
    async with sessions.begin() as session:
        run_id = await begin_run(
            session,
            source.about.slug,
            subject=source.subject,
            policy=policy,
            actor=SYSTEM,
            dry_run=dry_run,
            lease=length,
        )
    lease = Lease(sessions, run_id, 1, length)
    try:
        async with lease.kept():
            await carry_out(lease, Opening(source.about, lambda: nullcontext(source)), progress)
    except LeaseLost:
        raise RunTaken from None
    except CancelRequested:
        await _end(lease, Ending(RunState.CANCELLED))
        raise RunTaken from None
    except asyncio.CancelledError:
        await asyncio.shield(_end(lease, INTERRUPTED))
        raise
    except Exception as error:
        await _end(lease, failure(error))
        raise
    return await _report(sessions, run_id)


async def _end(lease: Lease, ending: Ending) -> None:
    """Write how it ended; when the database is the reason, its lease ends by itself and the next run writes it."""
    with suppress(OSError, SQLAlchemyError, LeaseLost):
        async with lease.batch(last=True) as (session, run):
            await end_run(session, run, ending)


async def _report(sessions: Sessions, run_id: UUID) -> RunReport:
    async with sessions.begin() as session:
        run = await session.get_one(ConnectorRun, run_id)
        by_line = select(QuarantinedRecord).where(QuarantinedRecord.run_id == run_id)
        refused = (await session.exec(by_line.order_by(col(QuarantinedRecord.line)))).all()
    counts = {kind: int(getattr(run, kind.value)) for kind in Outcome}
    return RunReport(run_id, run.state, counts, run.warnings, refused, run.held_because)
