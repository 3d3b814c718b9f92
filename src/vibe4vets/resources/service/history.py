"""Revisions: every version of a resource, whole, with who made it and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, bindparam, select, text

from vibe4vets.core.audit import Actor
from vibe4vets.core.database import Session
from vibe4vets.core.pagination import Cursors, Listing, Order, PageQuery, Slice
from vibe4vets.resources.exceptions import ResourceNotFound, RevisionNotFound
from vibe4vets.resources.models import Change, revisions
from vibe4vets.resources.schemas import ActorRead, ResourceRead, RevisionDiff, RevisionSummary
from vibe4vets.resources.service.content import content_of, differences
from vibe4vets.resources.service.publishing import RENDERED

R = revisions.c
_HISTORY = Listing(
    select(R.number, R.change, R.actor_kind, R.actor_id, R.reason, R.created_at).where(
        R.resource_id == bindparam("resource_id", type_=Uuid)
    ),
    Order((R.number,), (int,), descending=True),
)

_RECORD = text(f"""
insert into resource_revisions (resource_id, number, change, actor_kind, actor_id, reason, document)
select id, version, :change, :actor_kind, :actor_id, :reason, document from ({RENDERED}) rendered
""")  # noqa: S608  two texts of ours

# What was just published is rendered already; its documents are those of the working rows.
_RECORD_PUBLISHED = text("""
insert into resource_revisions (resource_id, number, change, actor_kind, actor_id, reason, document)
select r.id, r.version, :change, :actor_kind, :actor_id, :reason, p.document
from resources r join published_resources p on p.id = r.id
where r.id = any(cast(:ids as uuid[])) and r.status = 'published'
  and cast(cast(p.document as json) ->> 'version' as integer) = r.version
returning resource_id
""")

_EXISTS = text("select exists (select from resources where id = :id)")


@dataclass(frozen=True, slots=True)
class Deed:
    """What is done to a resource, by whom and why."""

    change: Change
    actor: Actor
    reason: str | None = None


async def record_revisions(session: Session, ids: Sequence[UUID], deed: Deed) -> None:
    """Keep the working rows `ids` as they now are; each has a version that was not kept before."""
    who = {"actor_kind": deed.actor.kind, "actor_id": deed.actor.id}
    deed_of = {"change": deed.change.value, "reason": deed.reason, **who}
    recorded = set((await session.execute(_RECORD_PUBLISHED, {"ids": ids, **deed_of})).scalars())
    if others := [id_ for id_ in ids if id_ not in recorded]:
        await session.execute(_RECORD, {"ids": others, **deed_of})


async def list_revisions(session: Session, resource_id: UUID, query: PageQuery, cursors: Cursors) -> Slice:
    """Return one page of a resource's history, the latest first; raises ResourceNotFound."""
    found = await _HISTORY.read(session, query, cursors, {"resource_id": resource_id})
    if not found.matches and not (await session.execute(_EXISTS, {"id": resource_id})).scalar_one():
        raise ResourceNotFound
    return found.slice(lambda row: _summary(row).model_dump_json())


def _summary(row: Any) -> RevisionSummary:  # noqa: ANN401  a row
    actor = ActorRead(kind=row.actor_kind, id=row.actor_id)
    return RevisionSummary(
        number=row.number, change=row.change, actor=actor, reason=row.reason, created_at=row.created_at
    )


async def get_revision(session: Session, resource_id: UUID, number: int) -> ResourceRead:
    """Return a resource as it was in one version; raises RevisionNotFound."""
    which = select(R.document).where(R.resource_id == resource_id, R.number == number)
    document = (await session.execute(which)).scalar_one_or_none()
    if document is None:
        raise RevisionNotFound
    return ResourceRead.model_validate_json(document)


async def compare_revisions(session: Session, resource_id: UUID, before: int, after: int) -> RevisionDiff:
    """Return the fields that differ between two versions; raises RevisionNotFound."""
    old = await get_revision(session, resource_id, before)
    new = await get_revision(session, resource_id, after)
    return RevisionDiff(before=before, after=after, changes=list(differences(_compared(old), _compared(new))))


def _compared(resource: ResourceRead) -> dict[str, Any]:
    return {**content_of(resource), "status": resource.status, "verified_at": resource.trust.verified_at}
