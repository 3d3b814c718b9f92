"""Applying what a run has planned, a batch a transaction, through the services of the directory."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from vibe4vets.connectors.base import About
from vibe4vets.connectors.known_sources import as_intake, describe_source
from vibe4vets.connectors.models import ConnectorRun, Policy
from vibe4vets.core.audit import Actor, ActorKind, Target, record_event
from vibe4vets.core.database import Session
from vibe4vets.resources import service as resources
from vibe4vets.resources.models import Change, Status

_SOURCES = text("select distinct source from staged_records where run_id = :run_id")

_BATCH = text("""
select line, outcome, content from staged_records
where run_id = :run_id and line > :after and outcome in ('created', 'updated', 'published')
order by line limit :size
""")

_KNOWN = text("""
with batch as (
  select * from staged_records where run_id = :run_id and line = any(cast(:lines as int[]))
), before as (
  select k.source, k.source_record_id, k.content_hash
  from source_records k join batch using (source, source_record_id)
), merged as (
  insert into source_records as k (source, source_record_id, resource_id, content_hash, content, provenance, run_id)
  select t.source, t.source_record_id, r.id, t.content_hash, t.content, t.provenance, t.run_id
  from batch t
  join sources s on s.slug = t.source
  join resources r on r.source_id = s.id and r.source_record_id = t.source_record_id
  on conflict (source, source_record_id) do update set
    resource_id = excluded.resource_id, content_hash = excluded.content_hash, content = excluded.content,
    provenance = excluded.provenance, run_id = excluded.run_id, updated_at = now()
  returning source, source_record_id, resource_id, content_hash
)
select m.resource_id, b.content_hash as before, m.content_hash as after
from merged m left join before b using (source, source_record_id)
""")


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
    if after == 0:
        await _describe_sources(session, run.id, about)
    rows = (await session.execute(_BATCH, {"run_id": run.id, "after": after, "size": size})).all()
    if not rows:
        return Applied(0, after)
    publish = run.policy is not Policy.DRAFT
    # begun as what they become: publishing a thousand drafts would write a thousand rows twice
    status = Status.PUBLISHED if publish else Status.DRAFT
    await resources.upsert_resources(
        session, [row.content for row in rows if row.outcome != "published"], status=status
    )
    lines = [row.line for row in rows]
    known = (await session.execute(_KNOWN, {"run_id": run.id, "lines": lines})).all()
    ids = [row.resource_id for row in known]
    if publish:
        await resources.publish_resources(session, ids)
    actor = Actor(ActorKind.SYSTEM, str(run.id))
    await resources.record_revisions(session, ids, resources.Deed(Change.IMPORTED, actor))
    await record_event(
        session,
        "directory.import",
        actor=actor,
        target=Target("connector_run", str(run.id)),
        before={str(row.resource_id): row.before for row in known if row.before} or None,
        after={str(row.resource_id): row.after for row in known},
        details={"records": str(len(known)), "first_line": str(lines[0]), "last_line": str(lines[-1])},
    )
    return Applied(len(rows), lines[-1])


async def _describe_sources(session: Session, run_id: UUID, about: About) -> None:
    """Make the run's sources known to the directory: the one that was read, and others that its records name."""
    slugs = (await session.execute(_SOURCES, {"run_id": run_id})).scalars()
    described = [about if slug == about.slug else describe_source(slug) for slug in slugs]
    await resources.upsert_sources(session, [as_intake(source) for source in described])
