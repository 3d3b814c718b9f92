"""Who set each field of a resource, and when: read from its versions, which are complete and only ever added."""

from collections.abc import AsyncIterator
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select

from vibe4vets.core.audit import ActorKind
from vibe4vets.core.database import Session
from vibe4vets.resources.exceptions import ResourceNotFound
from vibe4vets.resources.models import revisions
from vibe4vets.resources.schemas import ActorRead, FieldProvenance, Provenance, ResourceRead, SourceRecordRead
from vibe4vets.resources.service.content import FIELDS, Content, content_of

R = revisions.c
_CHUNK: Final = 50
_VERSIONS = select(R.number, R.change, R.actor_kind, R.actor_id, R.reason, R.document, R.created_at)


async def get_provenance(session: Session, resource_id: UUID) -> Provenance:
    """Return for each field the version in which it got its value; raises ResourceNotFound."""
    found: dict[str, FieldProvenance] = {}
    newest: Any = None
    current: Content = {}
    later: Any = None
    async for row in _latest_first(session, resource_id):
        shown = ResourceRead.model_validate_json(row.document)
        content = content_of(shown)
        if newest is None:
            newest, current = row, content
        for field in FIELDS:
            if field not in found and content[field] != current[field]:
                found[field] = _provenance(field, later)
        if len(found) == len(FIELDS):
            break
        later = row
    if newest is None:
        raise ResourceNotFound
    fields = [found.get(field) or _provenance(field, later) for field in FIELDS]
    return Provenance(resource_id=resource_id, version=newest.number, fields=fields)


async def _latest_first(session: Session, resource_id: UUID) -> AsyncIterator[Any]:
    """The versions of a resource, read a few at a time: most fields are settled by the last ones."""
    below: int | None = None
    while True:
        page = _VERSIONS.where(R.resource_id == resource_id).order_by(R.number.desc()).limit(_CHUNK)
        rows = (await session.execute(page if below is None else page.where(R.number < below))).all()
        for row in rows:
            yield row
        if len(rows) < _CHUNK:
            return
        below = rows[-1].number


def _provenance(field: str, row: Any) -> FieldProvenance:  # noqa: ANN401  a row
    source = ResourceRead.model_validate_json(row.document).source
    by_a_run = row.actor_kind == ActorKind.SYSTEM
    return FieldProvenance(
        field=field,
        version=row.number,
        change=row.change,
        actor=ActorRead(kind=row.actor_kind, id=row.actor_id),
        reason=row.reason,
        at=row.created_at,
        source=SourceRecordRead(slug=source.slug, record_id=source.record_id) if by_a_run else None,
    )
