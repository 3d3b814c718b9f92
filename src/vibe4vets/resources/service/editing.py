"""Acts of editors on a resource. Each takes the row's lock, makes one version, one revision and one event."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text

from vibe4vets.core.audit import Actor, Target, record_event
from vibe4vets.core.database import Session
from vibe4vets.core.errors import InvalidRequest, Violation
from vibe4vets.core.preconditions import IfMatch
from vibe4vets.resources.exceptions import ResourceNotFound, ResourceStateConflict
from vibe4vets.resources.models import Change, Status
from vibe4vets.resources.schemas import (
    ResourceCreate,
    ResourceRead,
    ResourceUpdate,
    Rollback,
    SourceIntake,
    Verification,
)
from vibe4vets.resources.service.content import content_of, intake_of
from vibe4vets.resources.service.history import Deed, get_revision, record_revisions
from vibe4vets.resources.service.intake import upsert_resources, upsert_sources
from vibe4vets.resources.service.publishing import (
    publish_resources,
    read_resources,
    render_resources,
    withdraw_resources,
)

EDITORS = SourceIntake(slug="editors", name="The editors of this directory", tier=3)

_LOCK = text("""
select r.id, r.version, r.status, r.as_of, r.source_url, s.slug as source, r.source_record_id
from resources r join sources s on s.id = r.source_id
where r.id = :id for no key update of r
""")
_SOURCE_EXISTS = text("select exists (select from sources where slug = :slug)")
_VERIFY = text("update resources set verified_at = now(), version = version + 1, updated_at = now() where id = :id")
_UNARCHIVE = text("""
update resources set version = version + 1, updated_at = now(), status = case
  when exists (select from withdrawn_resources w where w.id = :id) then 'published' else 'draft' end
where id = :id returning status
""")
_ARCHIVE = text("update resources set status = 'archived', version = version + 1, updated_at = now() where id = :id")


@dataclass(frozen=True, slots=True)
class Locked:
    """A resource whose row is locked until the transaction ends, and what it held when it was."""

    id: UUID
    version: int
    status: Status
    identity: Mapping[str, Any]
    """What no editor changes: the source, its record, its address and date."""
    content: ResourceRead


def version_etag(version: int) -> str:
    """The entity tag of a working resource: it names the version, so that an act can say which one it was made on."""
    return f'"{version}"'


async def get_working(session: Session, resource_id: UUID) -> ResourceRead:
    """Return a resource of any status; raises ResourceNotFound."""
    found = (await read_resources(session, [resource_id])).get(resource_id)
    if found is None:
        raise ResourceNotFound
    return found


async def lock_resource(session: Session, resource_id: UUID) -> Locked:
    """Lock a resource against every other writer; raises ResourceNotFound."""
    row = (await session.execute(_LOCK, {"id": resource_id})).one_or_none()
    if row is None:
        raise ResourceNotFound
    content = await get_working(session, resource_id)
    identity = {name: getattr(row, name) for name in ("source", "source_record_id", "source_url", "as_of")}
    return Locked(row.id, row.version, Status(row.status), identity, content)


async def create_resource(session: Session, given: ResourceCreate, *, actor: Actor) -> ResourceRead:
    """Make a resource, published at once unless it says draft. Raises InvalidRequest for an unknown source."""
    if given.source == EDITORS.slug:
        await upsert_sources(session, [EDITORS])
    elif not (await session.execute(_SOURCE_EXISTS, {"slug": given.source})).scalar_one():
        raise InvalidRequest(errors=[Violation(pointer="/body/source", code="unknown", message="No such source")])
    intake = intake_of({"source": given.source, "source_record_id": str(uuid4())}, given.content())
    (resource_id,) = await upsert_resources(session, [intake.model_dump_json()], status=given.status)
    if given.status is Status.PUBLISHED:
        await publish_resources(session, [resource_id])
    return await _keep(session, resource_id, Deed(Change.CREATED, actor, given.reason), None)


async def update_resource(
    session: Session, resource_id: UUID, given: ResourceUpdate, match: IfMatch, *, actor: Actor
) -> ResourceRead:
    """Change the given fields; what is published shows it at once. No difference makes no version.

    Raises ResourceNotFound, PreconditionFailed, ResourceStateConflict while it is archived, InvalidRequest.
    """
    locked = await lock_resource(session, resource_id)
    match.require(version_etag(locked.version))
    return await change_content(session, locked, given.content(), Deed(Change.UPDATED, actor, given.reason))


async def change_content(session: Session, locked: Locked, fields: Mapping[str, Any], deed: Deed) -> ResourceRead:
    """Write `fields` of its content into a locked resource, and show what is published."""
    if locked.status is Status.ARCHIVED:
        raise ResourceStateConflict("It is archived: restore it first.")
    before = content_of(locked.content)
    after = intake_of(locked.identity, {**before, **fields})
    if after == intake_of(locked.identity, before):
        return locked.content
    await upsert_resources(session, [after.model_dump_json()])
    if locked.status is Status.PUBLISHED:
        await render_resources(session, [locked.id])
    return await _keep(session, locked.id, deed, locked)


async def publish_resource(
    session: Session, resource_id: UUID, match: IfMatch, *, actor: Actor, reason: str | None = None
) -> ResourceRead:
    """Show a draft to the public. Raises ResourceStateConflict unless it is a draft."""
    locked = await _lock_as(session, resource_id, match, Status.DRAFT, "Only a draft can be published.")
    await publish_resources(session, [resource_id])
    return await _keep(session, resource_id, Deed(Change.PUBLISHED, actor, reason), locked)


async def archive_resource(
    session: Session, resource_id: UUID, match: IfMatch, *, actor: Actor, reason: str | None = None
) -> ResourceRead:
    """Take a resource out of every public read; it can be restored. Raises ResourceStateConflict if it is archived."""
    locked = await lock_resource(session, resource_id)
    match.require(version_etag(locked.version))
    if locked.status is Status.ARCHIVED:
        raise ResourceStateConflict("It is archived already.")
    if locked.status is Status.PUBLISHED:
        await withdraw_resources(session, [resource_id])
    else:
        await session.execute(_ARCHIVE, {"id": resource_id})
    return await _keep(session, resource_id, Deed(Change.ARCHIVED, actor, reason), locked)


async def restore_resource(
    session: Session, resource_id: UUID, match: IfMatch, *, actor: Actor, reason: str | None = None
) -> ResourceRead:
    """Bring an archived resource back: published if the public knew it, else a draft."""
    locked = await _lock_as(session, resource_id, match, Status.ARCHIVED, "Only what is archived can be restored.")
    status = (await session.execute(_UNARCHIVE, {"id": resource_id})).scalar_one()
    if status == Status.PUBLISHED:
        await publish_resources(session, [resource_id])
    return await _keep(session, resource_id, Deed(Change.RESTORED, actor, reason), locked)


async def verify_resource(
    session: Session, resource_id: UUID, given: Verification, match: IfMatch, *, actor: Actor
) -> ResourceRead:
    """Say that a person has checked a resource today; its freshness begins anew."""
    locked = await lock_resource(session, resource_id)
    match.require(version_etag(locked.version))
    await session.execute(_VERIFY, {"id": resource_id})
    if locked.status is Status.PUBLISHED:
        await render_resources(session, [resource_id])
    reason = ": ".join(filter(None, (given.how, given.note))) or None
    return await _keep(session, resource_id, Deed(Change.VERIFIED, actor, reason), locked)


async def roll_back_resource(
    session: Session, resource_id: UUID, given: Rollback, match: IfMatch, *, actor: Actor
) -> ResourceRead:
    """Write the content of an earlier version as a new one. Raises RevisionNotFound, ResourceStateConflict."""
    locked = await lock_resource(session, resource_id)
    match.require(version_etag(locked.version))
    earlier = await get_revision(session, resource_id, given.revision)
    reason = given.reason or f"back to version {given.revision}"
    return await change_content(session, locked, content_of(earlier), Deed(Change.ROLLED_BACK, actor, reason))


async def _lock_as(session: Session, resource_id: UUID, match: IfMatch, status: Status, rule: str) -> Locked:
    locked = await lock_resource(session, resource_id)
    match.require(version_etag(locked.version))
    if locked.status is not status:
        raise ResourceStateConflict(rule)
    return locked


async def _keep(session: Session, resource_id: UUID, deed: Deed, before: Locked | None) -> ResourceRead:
    await record_revisions(session, [resource_id], deed)
    after = await get_working(session, resource_id)
    await record_event(
        session,
        f"resource.{deed.change.value}",
        actor=deed.actor,
        target=Target("resource", str(resource_id)),
        before=before and before.content.model_dump(mode="json"),
        after=after.model_dump(mode="json"),
    )
    return after
