"""What an attempt does for its run: read, plan, apply, each going on where the attempt before it has come to."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass
from typing import Final, TypeAlias

from vibe4vets.connectors.base import (
    About,
    Page,
    Rejection,
    Resumable,
    Source,
    SourceError,
    Unmodified,
    Version,
    Versioned,
)
from vibe4vets.connectors.models import ConnectorRun, Outcome, Policy, RunState, Stage
from vibe4vets.connectors.service import staging
from vibe4vets.connectors.service.applying import apply_batch
from vibe4vets.connectors.service.leases import Lease
from vibe4vets.connectors.service.planning import Plan, plan_run
from vibe4vets.connectors.service.preparing import Prepared, prepare
from vibe4vets.connectors.service.runs import Ending, end_run
from vibe4vets.core.database import Session
from vibe4vets.resources import service as resources

Progress: TypeAlias = Callable[[str, int, int | None], None]
"""Called with the stage (`read` or `apply`), how many records are done, and of how many when that is known."""
BATCH: Final = 2000
MOST_WARNINGS: Final = 50


class BeginAnew(Exception):
    """What was read so far is of no use: its stage went with a crash of the server, or its source has changed."""


@dataclass(frozen=True, slots=True)
class Opening:
    """What a run reads: who publishes it, and how a reading begins."""

    about: About
    open: Callable[[], AbstractAsyncContextManager[Source]]
    keep: Callable[[Session, Version], Awaitable[None]] | None = None
    """Remembers the version that was applied, where a later reading can ask for a newer one only."""


async def carry_out(lease: Lease, opening: Opening, progress: Progress) -> None:
    """Do what is left of a run, until it has ended or waits for a person.

    Raises what the source raises, BeginAnew, and Interrupted when the run is to be left.
    """
    stage = await _resume(lease)
    version = None
    if stage is Stage.READ:
        try:
            async with opening.open() as source:
                await _read(lease, source, progress)
                version = source.version if isinstance(source, Versioned) else None
        except Unmodified:
            await _end_unmodified(lease)
            return
    if stage is not Stage.APPLY and not await _plan(lease, opening.about):
        return
    await _apply(lease, opening.about, progress)
    async with lease.batch() as (session, run):
        # a record that is missing is looked for once more, also where the file stays as it is
        if version is not None and opening.keep is not None and not run.vanished:
            await opening.keep(session, version)
        await end_run(session, run, Ending(RunState.SUCCEEDED))


async def _end_unmodified(lease: Lease) -> None:
    async with lease.batch() as (session, run):
        run.unchanged = await staging.known_records(session, run.connector)
        await end_run(session, run, Ending(RunState.SUCCEEDED))


async def _resume(lease: Lease) -> Stage:
    """Where to go on; a stage that has lost lines makes a new beginning."""
    async with lease.batch() as (session, run):
        run.stage = run.stage or Stage.READ
        if run.staged != await staging.staged_lines(session, run.id):
            await staging.start_over(session, run)
        return run.stage


async def _read(lease: Lease, source: Source, progress: Progress) -> None:
    is_resumed = await _begin_reading(lease, source)
    try:
        await _read_pages(lease, source, progress)
    except SourceError as error:
        if is_resumed:  # page 1 is of yesterday, and the others do not go with it
            raise BeginAnew(str(error)) from error
        raise


async def _begin_reading(lease: Lease, source: Source) -> bool:
    """Whether the reading goes on where the attempt before it came to, which not every source can."""
    async with lease.batch() as (session, run):
        if run.checkpoint is not None and isinstance(source, Resumable):
            with suppress(ValueError):  # a checkpoint of an older version of this source
                source.resume(run.checkpoint)
                return True
        await staging.start_over(session, run)
        return False


async def _read_pages(lease: Lease, source: Source, progress: Progress) -> None:
    batch: list[Prepared | Rejection] = []
    done = 0
    pages = source.pages()
    progress("read", 0, source.total())
    while (page := await lease.heed(anext(pages, None))) is not None:
        batch += [item if isinstance(item, Rejection) else prepare(item) for item in page.items]
        done = page.done
        if len(batch) >= BATCH or page.checkpoint is not None:
            async with lease.batch() as (session, run):
                await _stage(session, run, batch, source, page)
            batch.clear()
        progress("read", done, source.total())
        await asyncio.sleep(0)  # heartbeats, and the other runs of this worker
    async with lease.batch() as (session, run):
        await _stage(session, run, batch, source, Page((), done))
        run.stage, run.complete, run.warnings = Stage.PLAN, source.complete, [*run.warnings, *source.warnings()]
    progress("read", source.total() or done, source.total())


async def _stage(
    session: Session, run: ConnectorRun, batch: Sequence[Prepared | Rejection], source: Source, page: Page
) -> None:
    """Write what was read through `page`, and beside it where a later attempt goes on."""
    await staging.stage(session, run.id, batch)
    run.warnings = [*run.warnings, *staging.oddities(batch)][:MOST_WARNINGS]
    run.staged += sum(isinstance(item, Prepared) for item in batch)
    run.done, run.total, run.checkpoint = page.done, source.total(), page.checkpoint


async def _plan(lease: Lease, about: About) -> bool:
    """Whether the plan may be applied now: else the run has ended with it, or waits for a person."""
    async with lease.batch() as (session, run):
        await _require_stage(session, run)
        await staging.quarantine_repeated(session, run.id)
        plan = await plan_run(session, run, about, complete=run.complete)
        run.sqlmodel_update({kind.value: plan.counts[kind] for kind in Outcome})
        run.plan, run.staged, run.stage = plan.document, plan.staged, Stage.APPLY
        run.done, run.total = 0, plan.to_apply
        await session.flush()
        return await _decide(session, run, plan)


async def _decide(session: Session, run: ConnectorRun, plan: Plan) -> bool:
    if plan.failure is not None:
        await end_run(session, run, Ending(RunState.FAILED, "PlanRefused", plan.failure))
    elif run.dry_run:
        await end_run(session, run, Ending(RunState.SUCCEEDED))
    elif plan.hold is not None:
        run.state, run.lease_until, run.held_because = RunState.HELD, None, plan.hold[:500]
    else:
        return True
    return False


async def _apply(lease: Lease, about: About, progress: Progress) -> None:
    is_left = True
    while is_left:
        async with lease.batch() as (session, run):
            await _require_stage(session, run)
            applied = await apply_batch(session, run, about, after=run.applied_through, size=BATCH)
            run.applied_through, run.done = applied.last, run.done + applied.count
            is_left = applied.count > 0
        progress("apply", run.done, run.total)
    if run.policy is not Policy.DRAFT and run.total:
        async with lease.batch() as (session, _):
            await resources.learn_places(session)
        async with lease.batch() as (session, _):
            await resources.count_words(session, unless_current=True)


async def _require_stage(session: Session, run: ConnectorRun) -> None:
    """A stage that a crash has emptied would look like a publisher who has nothing any more."""
    if run.staged != await staging.staged_lines(session, run.id):
        message = "the server has crashed meanwhile"
        raise BeginAnew(message)
