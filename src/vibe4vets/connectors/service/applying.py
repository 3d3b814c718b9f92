"""Applying what a run has planned, a batch a transaction, through the services of the directory.

Each known record is decided on anew under its lock: what a person has done since the plan stands.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text

from vibe4vets.connectors.base import About
from vibe4vets.connectors.known_sources import as_intake, describe_source
from vibe4vets.connectors.models import ConnectorRun, Outcome
from vibe4vets.connectors.service.comparing import (
    Decision,
    Known,
    Rules,
    changes_of,
    decide,
    proposed_whole,
    read_known,
    rules_of,
)
from vibe4vets.connectors.service.planning import TO_APPLY
from vibe4vets.connectors.service.vanishing import miss
from vibe4vets.connectors.service.work import Work
from vibe4vets.core.audit import Actor, ActorKind, Target, record_event
from vibe4vets.core.database import Session
from vibe4vets.resources import service as resources
from vibe4vets.resources.models import Change, ProposalKind, Status

_BATCH = text(f"""
select s.line, s.source, s.source_record_id as record_id, s.outcome, s.content, k.resource_id,
  k.content_hash as before
from (
  select * from staged_records where run_id = :run_id and line > :after and {TO_APPLY} order by line limit :size
) s
left join source_records k on k.source = s.source and k.source_record_id = s.source_record_id
order by s.line
""")  # noqa: S608  two texts of ours

_LOCK = text("select id from resources where id = any(cast(:ids as uuid[])) order by id for no key update")

# `updated_at` is when the source's word was last taken: of what only waits for a reviewer, and of what a person has
# verified since, it stays.
_KEEP = text("""
insert into source_records as k (
  source, source_record_id, resource_id, content_hash, content, provenance, run_id, updated_at)
select t.source, t.source_record_id, r.id, t.content_hash, t.content, t.provenance, t.run_id,
  case when t.line = any(cast(:untaken as int[])) then '-infinity' else now() end
from staged_records t
join sources s on s.slug = t.source
join resources r on r.source_id = s.id and r.source_record_id = t.source_record_id
where t.run_id = :run_id and t.line = any(cast(:lines as int[]))
on conflict (source, source_record_id) do update set
  resource_id = excluded.resource_id, content_hash = excluded.content_hash, content = excluded.content,
  provenance = excluded.provenance, run_id = excluded.run_id, missed = 0,
  updated_at = greatest(k.updated_at, excluded.updated_at)
returning source, source_record_id as record_id, resource_id, content_hash as after
""")

_REWRITE = text("""
update staged_records s set outcome = d.outcome
from jsonb_to_recordset(cast(:decisions as jsonb)) as d(line integer, outcome text)
where s.run_id = :run_id and s.line = d.line
""")
_COUNT: Final = {
    kind: text(f"update connector_runs set {kind.value} = {kind.value} + :size where id = :run_id")  # noqa: S608
    for kind in Outcome
}
_MISSING: Final = "missing from two complete readings in a row"


@dataclass(frozen=True, slots=True)
class Kept:
    """What is known of a record now: its resource, and the hash of its content before and after."""

    resource_id: UUID
    before: str | None
    after: str


@dataclass(frozen=True, slots=True)
class Applied:
    """What one batch has done."""

    count: int
    """How many planned records it went through; 0 when nothing is left."""
    last: int
    """The line through which everything is applied: the next batch's `after`."""


async def apply_batch(session: Session, run: ConnectorRun, about: About, *, after: int, size: int) -> Applied:
    """Apply the next `size` planned records after the line `after`, with one audit event of their content.

    The caller owns the transaction, the fence and the checkpoint (`applied_through`).
    """
    rows = (await session.execute(_BATCH, {"run_id": run.id, "after": after, "size": size})).all()
    if not rows:
        return Applied(0, after)
    sources = {row.source for row in rows}
    described = [about if slug == about.slug else describe_source(slug) for slug in sorted(sources)]
    await resources.upsert_sources(session, [as_intake(source) for source in described])
    rules = rules_of(run, about, sources)
    decided = await _decide(session, run, rules, rows)
    work = Work()
    for row in rows:
        if row.resource_id is None:
            work.add_new(row, rules)
    for known, decision in decided:
        work.add_known(known, decision, rules)
    await _write(session, run, rows, work, {source.slug: source.name for source in described})
    await _correct(session, run, rows, {known.line: decision.outcome for known, decision in decided})
    return Applied(len(rows), rows[-1].line)


async def _decide(
    session: Session, run: ConnectorRun, rules: Rules, rows: Sequence[Any]
) -> list[tuple[Known, Decision]]:
    """Decide on the known records of a batch; proposals and resources stay locked, in the order of a reviewer."""
    ids = [row.resource_id for row in rows if row.resource_id is not None]
    if not ids:
        return []
    await resources.read_source_proposals(session, ids, lock=True)
    await session.execute(_LOCK, {"ids": ids})
    lines = [row.line for row in rows if row.resource_id is not None]
    return [(known, decide(known, rules)) for known in await read_known(session, run, lines)]


async def _write(
    session: Session, run: ConnectorRun, rows: Sequence[Any], work: Work, names: Mapping[str, str]
) -> None:
    actor, target = Actor(ActorKind.SYSTEM, str(run.id)), Target("connector_run", str(run.id))
    await resources.revive_resources(session, work.revive)
    # begun as what they become: publishing a thousand drafts would write a thousand rows twice
    for records, status in ((work.shown, Status.PUBLISHED), (work.hidden, Status.DRAFT)):
        if records:
            await resources.upsert_resources(session, records, status=status)
    kept = await _keep(session, run, rows, work)
    if work.publish:
        await resources.publish_resources(session, [kept[line].resource_id for line in work.publish])
    returned = set(work.returned)
    for change, lines in (
        (Change.IMPORTED, [line for line in work.revise if line not in returned]),
        (Change.RESTORED, work.returned),
    ):
        deed = resources.Deed(change, actor)
        if lines:
            await resources.record_revisions(session, [kept[line].resource_id for line in lines], deed)
    await resources.retire_resources(session, work.retire, resources.Deed(Change.ARCHIVED, actor, _MISSING))
    await miss(session, run.id, work.missing)
    await resources.put_source_proposals(session, list(_proposals(work, kept, names)), actor=actor, target=target)
    for reason, ids in work.close.items():
        await resources.close_source_proposals(session, ids, reason, actor=actor)
    await _tell(session, work, kept, actor, target)


async def _keep(session: Session, run: ConnectorRun, rows: Sequence[Any], work: Work) -> dict[int, Kept]:
    """Remember what the source says now; what is known of it, by line.

    The lines are found here: the planner takes the stage for empty, and would compare each record with each.
    """
    if not work.keep:
        return {}
    staged = {(row.source, row.record_id): row for row in rows}
    values = {"run_id": run.id, "lines": work.keep, "untaken": work.untaken}
    found = ((row, staged[row.source, row.record_id]) for row in await session.execute(_KEEP, values))
    return {before.line: Kept(row.resource_id, before.before, row.after) for row, before in found}


def _proposals(work: Work, kept: Mapping[int, Kept], names: Mapping[str, str]) -> Iterator[resources.SourceProposal]:
    """What reviewers are asked."""
    for row in work.offer:
        changes = proposed_whole(resources.content_of_intake(row.content))
        note = f"New at {names[row.source]}: record {row.record_id}."
        yield resources.SourceProposal(ProposalKind.CREATE, kept[row.line].resource_id, {}, changes, note)
    for known, decision in work.propose:
        if decision.kind is ProposalKind.ARCHIVE:
            changes, note = {}, f"{names[known.source]}: record {known.record_id} is {_MISSING}."
        else:
            changes, note = changes_of(known, decision), f"Read at {names[known.source]}: record {known.record_id}."
        if decision.kind is not None:
            yield resources.SourceProposal(decision.kind, known.resource.id, known.now, changes, note)


async def _tell(session: Session, work: Work, kept: Mapping[int, Kept], actor: Actor, target: Target) -> None:
    """One event for what was written, and one for what was retired."""
    written = [kept[line] for line in work.revise]
    if written:
        await record_event(
            session,
            "directory.import",
            actor=actor,
            target=target,
            before={str(row.resource_id): row.before for row in written if row.before} or None,
            after={str(row.resource_id): row.after for row in written},
            details={
                "records": str(len(written)),
                "first_line": str(min(work.revise)),
                "last_line": str(max(work.revise)),
            },
        )
    if work.retire:
        gone = sorted(map(str, work.retire))
        details = {"records": str(len(gone))}
        await record_event(session, "directory.retire", actor=actor, target=target, before=gone, details=details)


async def _correct(session: Session, run: ConnectorRun, rows: Sequence[Any], outcomes: Mapping[int, Outcome]) -> None:
    """Count as it was what a person has made otherwise since the plan."""
    others = {row.line: outcomes[row.line] for row in rows if outcomes.get(row.line, row.outcome) != row.outcome}
    if not others:
        return
    decided = json.dumps([{"line": line, "outcome": outcome} for line, outcome in others.items()])
    await session.execute(_REWRITE, {"run_id": run.id, "decisions": decided})
    moved = Counter(others.values())
    moved.subtract(Outcome(row.outcome) for row in rows if row.line in others)
    for outcome, size in moved.items():
        await session.execute(_COUNT[outcome], {"run_id": run.id, "size": size})
