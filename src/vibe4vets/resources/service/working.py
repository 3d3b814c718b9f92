"""What staff read: resources of any status, from the working rows."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select, text

from vibe4vets.core.database import Session
from vibe4vets.core.pagination import Cursors, Listing, Order, Slice
from vibe4vets.resources.models import Status, resources, sources
from vibe4vets.resources.schemas import WorkingQuery, WorkingSort
from vibe4vets.resources.service.content import Content, content_of_document
from vibe4vets.resources.service.publishing import RENDERED, read_resources

W = resources.c
_RENDER = text(RENDERED)
_KEYS = (W.updated_at, W.id)
_READ = (datetime.fromisoformat, UUID)
_ORDERS = {
    WorkingSort.UPDATED: Order(_KEYS, _READ, descending=True),
    WorkingSort.OLDEST: Order(_KEYS, _READ),
}


@dataclass(frozen=True, slots=True)
class Working:
    """A working row as an import compares it."""

    id: UUID
    status: Status
    content: Content


async def read_working(session: Session, ids: Sequence[UUID]) -> dict[UUID, Working]:
    """The content of the working rows `ids`, as it is stored; thousands are read in a breath."""
    rows = await session.execute(_RENDER, {"ids": ids})
    documents = ((row.id, json.loads(row.document)) for row in rows)
    return {id_: Working(id_, Status(document["status"]), content_of_document(document)) for id_, document in documents}


async def list_working(session: Session, query: WorkingQuery, cursors: Cursors) -> Slice:
    """Return one page of the resources that match `query`, the latest change first unless `sort` says otherwise."""
    listing = Listing(select(W.id).where(*_conditions(query)), _ORDERS[query.sort])
    found = await listing.read(session, query, cursors)
    shown = await read_resources(session, [row.id for row in found.rows])
    return found.slice(lambda row: shown[row.id].model_dump_json())


def _conditions(query: WorkingQuery) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if query.status:
        conditions.append(W.status.in_(query.status))
    if query.source:
        conditions.append(W.source_id.in_(select(sources.c.id).where(sources.c.slug.in_(query.source))))
    if query.category:
        conditions.append(W.categories.overlap([category.value for category in query.category]))
    if query.state:
        conditions.append(W.states.overlap(query.state))
    if query.updated_since is not None:
        conditions.append(W.updated_at >= query.updated_since)
    if query.verified_before is not None:
        conditions.append(or_(W.verified_at < query.verified_before, W.verified_at.is_(None)))
    return conditions
