"""What staff read: resources of any status, from the working rows."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select

from vibe4vets.core.database import Session
from vibe4vets.core.pagination import Cursors, Listing, Order, Slice
from vibe4vets.resources.models import resources, sources
from vibe4vets.resources.schemas import WorkingQuery, WorkingSort
from vibe4vets.resources.service.publishing import read_resources

W = resources.c
_KEYS = (W.updated_at, W.id)
_READ = (datetime.fromisoformat, UUID)
_ORDERS = {
    WorkingSort.UPDATED: Order(_KEYS, _READ, descending=True),
    WorkingSort.OLDEST: Order(_KEYS, _READ),
}


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
