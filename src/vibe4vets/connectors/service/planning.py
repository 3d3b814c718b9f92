"""The plan: what becomes of every staged record, decided before anything changes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from vibe4vets.connectors.base import About
from vibe4vets.connectors.models import ConnectorRun, Outcome, Policy
from vibe4vets.core.database import Session

# The stage is emptied after every run, so the planner often takes it for empty: this statement is written so that
# its plan stays good whatever it believes. An archived resource stays archived.
_CLASSIFY = text("""
update staged_records s set outcome = coalesce((
  select case
    when r.status = 'archived' then 'withheld'
    when k.content_hash = s.content_hash and r.status = 'draft' and :policy = 'publish' then 'published'
    when k.content_hash = s.content_hash then 'unchanged'
    when r.status = 'published' and :policy = 'draft' then 'withheld'
    else 'updated' end
  from source_records k join resources r on r.id = k.resource_id
  where k.source = s.source and k.source_record_id = s.source_record_id
), 'created')
where run_id = :run_id
""")

_COUNT = text("""
select outcome, count(*) as size from staged_records where run_id = :run_id group by outcome
union all select 'quarantined', count(*) from quarantined_records where run_id = :run_id
""")


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run will do, and whether it may."""

    counts: Mapping[Outcome, int]
    document: dict[str, Any]
    """For `run.plan`: the counts, the fields that change, and samples of each kind."""
    staged: int
    """How many lines are on the stage now: repeated ones have left it, vanished ones have come."""
    to_apply: int
    """How many of them `apply_batch` will go through."""
    hold: str | None = None
    """Why a person has to confirm it first."""
    failure: str | None = None
    """Why nothing of it may be applied."""


async def plan_run(session: Session, run: ConnectorRun, about: About, *, complete: bool) -> Plan:  # noqa: ARG001
    """Decide what becomes of every record on the stage of `run`, and write it there; nothing else changes.

    `complete` says that the reading held all that the publisher has. It can be called again until something is
    applied. The caller owns the transaction, and keeps `staged` and the document on the run.
    """
    await session.execute(_CLASSIFY, {"run_id": run.id, "policy": Policy(run.policy).value})
    counted = {row.outcome: row.size for row in await session.execute(_COUNT, {"run_id": run.id})}
    counts = {kind: counted.get(kind.value, 0) for kind in Outcome}
    to_apply = sum(counts[kind] for kind in (Outcome.CREATED, Outcome.UPDATED, Outcome.PUBLISHED))
    staged = sum(counts.values()) - counts[Outcome.QUARANTINED]
    return Plan(counts, {"counts": {kind.value: size for kind, size in counts.items()}}, staged, to_apply)
