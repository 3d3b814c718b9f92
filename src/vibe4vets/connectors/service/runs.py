"""Runs as rows: asked for, begun, cancelled, confirmed, ended. Who does them is elsewhere (`working`, `foreground`)."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, not_, or_, text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from vibe4vets.connectors.exceptions import RunEnded, RunNotFound, RunNotHeld, RunUnderWay
from vibe4vets.connectors.models import ConnectorRun, Outcome, Policy, RunState, Trigger
from vibe4vets.connectors.service import staging
from vibe4vets.core.audit import Actor, Target, record_event
from vibe4vets.core.database import Session
from vibe4vets.core.errors import AppError
from vibe4vets.core.jobs import enqueue
from vibe4vets.core.models import utc_now

RUN_JOB: Final = "connector.run"
ACTIVE: Final = "state in ('queued', 'running', 'held')"


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended, for its row."""

    state: RunState
    error: str | None = None
    advice: str | None = None


INTERRUPTED: Final = Ending(
    RunState.FAILED, "Interrupted", "The command that did it has ended before its end; start it again."
)


def is_live(lease: timedelta) -> ColumnElement[bool]:
    """Whether a run's lease has not ended, by the clock of the database.

    One further off than any is given was written before that clock was set back.
    """
    now, until = func.clock_timestamp(), col(ConnectorRun.lease_until)
    return and_(until > now, until <= now + 2 * lease)


async def request_run(  # noqa: PLR0913  a request is all of these
    session: Session,
    connector: str,
    *,
    subject: str,
    policy: Policy = Policy.REVIEW,
    trigger: Trigger = Trigger.REQUEST,
    actor: Actor,
    dry_run: bool = False,
) -> UUID:
    """Queue a run and the job that wakes a worker, in the transaction of `session`; returns the run's id.

    Raises RunUnderWay, which names the run, while another one of the connector has not ended.
    """
    values = {"policy": policy, "trigger": trigger, "dry_run": dry_run, "state": RunState.QUEUED}
    run_id = await _insert(session, connector, subject, actor, values)
    await enqueue(session, RUN_JOB, str(run_id))
    return run_id


async def begin_run(  # noqa: PLR0913  a request is all of these
    session: Session,
    connector: str,
    *,
    subject: str,
    policy: Policy,
    actor: Actor,
    dry_run: bool,
    lease: timedelta,
) -> UUID:
    """Open a run that its caller does itself, under a lease; first one that died in the same way is failed.

    Raises RunUnderWay, which names the run, while another one of the connector has not ended.
    """
    abandoned = select(ConnectorRun).where(
        ConnectorRun.connector == connector,
        ConnectorRun.state == RunState.RUNNING,
        ConnectorRun.trigger == Trigger.COMMAND,
        not_(col(ConnectorRun.confirmed)),
        not_(is_live(lease)),
    )
    for run in (await session.exec(abandoned.with_for_update(skip_locked=True))).all():
        await end_run(session, run, INTERRUPTED)
    now = utc_now()
    values = {"policy": policy, "trigger": Trigger.COMMAND, "dry_run": dry_run, "state": RunState.RUNNING}
    leased = {
        "attempt": 1,
        "started_at": now,
        "lease_until": func.clock_timestamp() + lease,
    }
    return await _insert(session, connector, subject, actor, values | leased)


async def _insert(session: Session, connector: str, subject: str, actor: Actor, values: dict[str, Any]) -> UUID:
    run = ConnectorRun(connector=connector, subject=subject[:300], actor_kind=actor.kind.value, actor_id=actor.id)
    statement = (
        insert(ConnectorRun)
        .values(run.model_dump() | values)
        .on_conflict_do_nothing(index_elements=["connector"], index_where=text(ACTIVE))
        .returning(col(ConnectorRun.id))
    )
    active = select(ConnectorRun.id).where(ConnectorRun.connector == connector, text(ACTIVE))
    while (await session.execute(statement)).scalar() is None:
        if (other := (await session.execute(active)).scalar()) is not None:
            raise RunUnderWay(other)
    await _note(session, "request", run.id, actor)
    return run.id


async def cancel_run(session: Session, run_id: UUID, *, actor: Actor) -> ConnectorRun:
    """Cancel a run: at once while it waits, at its next batch while it is being done; what is applied stays.

    Raises RunNotFound and RunEnded.
    """
    run = await _active(session, run_id)
    run.cancel_requested = True
    await _note(session, "cancel", run_id, actor)
    if run.state is not RunState.RUNNING:
        await end_run(session, run, Ending(RunState.CANCELLED))
    await session.flush()
    return run


async def confirm_run(session: Session, run_id: UUID, *, actor: Actor) -> ConnectorRun:
    """Let a held run do what its plan says: it is queued again, with a job that wakes a worker.

    Raises RunNotFound and RunNotHeld.
    """
    run = await _active(session, run_id, otherwise=RunNotHeld)
    if run.state is not RunState.HELD:
        raise RunNotHeld
    run.state, run.confirmed, run.held_because = RunState.QUEUED, True, None
    await _note(session, "confirm", run_id, actor)
    await session.flush()
    await enqueue(session, RUN_JOB, str(run_id))
    return run


async def end_run(session: Session, run: ConnectorRun, ending: Ending) -> None:
    """Give the run its last state; what it counts is then what it has done, and its stage is empty."""
    if ending.state is not RunState.SUCCEEDED:
        done = await staging.count_applied(session, run)
        run.sqlmodel_update({kind.value: done[kind] for kind in Outcome})
    run.state, run.finished_at, run.lease_until = ending.state, utc_now(), None
    run.error, run.advice = ending.error, ending.advice and ending.advice[:500]
    await session.flush()
    await staging.clear(session, run.id)


async def unattended_runs(session: Session, lease: timedelta) -> list[UUID]:
    """The runs that wait for a worker, and those whose worker has been silent for longer than its lease."""
    mine = or_(col(ConnectorRun.trigger) != Trigger.COMMAND, col(ConnectorRun.confirmed))
    waiting = or_(
        col(ConnectorRun.state) == RunState.QUEUED,
        and_(col(ConnectorRun.state) == RunState.RUNNING, mine, not_(is_live(lease))),
    )
    return list((await session.exec(select(ConnectorRun.id).where(waiting))).all())


async def _active(session: Session, run_id: UUID, otherwise: type[AppError] = RunEnded) -> ConnectorRun:
    """The run, locked against whoever would take it or change it, but not against the batch of who has it."""
    statement = select(ConnectorRun).where(ConnectorRun.id == run_id).with_for_update(key_share=True)
    run = (await session.exec(statement)).one_or_none()
    if run is None:
        raise RunNotFound
    if run.finished_at is not None:
        raise otherwise
    return run


async def _note(session: Session, verb: str, run_id: UUID, actor: Actor) -> None:
    await record_event(session, f"connector_run.{verb}", actor=actor, target=Target("connector_run", str(run_id)))
