"""The runs that workers do: taken by a job, tried again when what failed may pass, given up in the end."""

from datetime import timedelta
from uuid import UUID

import structlog

from vibe4vets.connectors.models import ConnectorRun, RunState
from vibe4vets.connectors.service import staging
from vibe4vets.connectors.service.endings import advice_on, failure, may_pass, pause_after
from vibe4vets.connectors.service.leases import (
    MOST_FAILURES,
    CancelRequested,
    Lease,
    LeaseLost,
    Stopping,
    take,
)
from vibe4vets.connectors.service.opening import find_opening
from vibe4vets.connectors.service.runs import RUN_JOB, Ending, end_run, unattended_runs
from vibe4vets.connectors.service.stages import BeginAnew, carry_out
from vibe4vets.core.database import Session
from vibe4vets.core.jobs import Workbench, wake_forgotten

_log = structlog.get_logger()


async def do_run(bench: Workbench, payload: str) -> timedelta | None:
    """Do the run whose id is `payload`, as far as it goes now.

    How long until it is to be tried again; None when no job is needed for it any more.
    """
    jobs = bench.settings.jobs
    run = await take(bench.database.write_sessions, UUID(payload), jobs.lease)
    if not isinstance(run, ConnectorRun):
        return run
    lease = Lease(bench.database.write_sessions, run.id, run.attempt, jobs.lease)
    told = {"run": payload, "connector": run.connector, "attempt": run.attempt}
    _log.info("run begun", **told)
    try:
        again = await _attempt(bench, run, lease)
    except LeaseLost:
        _log.warning("lease lost", **told)
        return jobs.lease
    async with bench.database.write_sessions() as session:
        _log.info("run left", **told, state=(await session.get_one(ConnectorRun, run.id)).state.value)
    return again


async def wake_runs(session: Session, lease: timedelta) -> int:
    """Queue a job for each run that waits for a worker and has none: whatever became of its job, the row counts."""
    waiting = [str(run_id) for run_id in await unattended_runs(session, lease)]
    return await wake_forgotten(session, RUN_JOB, waiting, lease)


async def _attempt(bench: Workbench, run: ConnectorRun, lease: Lease) -> timedelta | None:
    opening = find_opening(run, bench)
    try:
        async with lease.kept(bench.stopping):
            await carry_out(lease, opening, lambda *_: None)
    except Stopping:
        async with lease.batch(last=True) as (_, held):
            held.state, held.lease_until = RunState.QUEUED, None
        return timedelta(0)
    except CancelRequested:
        async with lease.batch(last=True) as (session, held):
            await end_run(session, held, Ending(RunState.CANCELLED))
    except LeaseLost:
        raise
    except Exception as error:  # noqa: BLE001  whatever a publisher or a bug does, the worker goes on with other runs
        return await _fail(bench, lease, error)
    return None


async def _fail(bench: Workbench, lease: Lease, error: Exception) -> timedelta | None:
    """End the run, or leave it for another try if what failed may pass."""
    passing = may_pass(error)
    told = _log.warning if passing else _log.error
    told("run failed", run=str(lease.run_id), attempt=lease.attempt, exc_info=error)
    async with lease.batch(last=True) as (session, run):
        run.failures += 1
        if not passing or run.failures >= MOST_FAILURES:
            await end_run(session, run, failure(error, tries=run.failures))
            return None
        if isinstance(error, BeginAnew):
            await staging.start_over(session, run)
        run.state, run.lease_until = RunState.QUEUED, None
        run.error, run.advice = type(error).__name__[:100], advice_on(error)[:500]
        return pause_after(error, run.failures, bench.settings.jobs.retry_pause)
