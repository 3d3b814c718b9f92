"""What staff read: resources of any status, from the working rows."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, DateTime, Text, any_, bindparam, or_, select, text

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


_FILTERS: Mapping[str, ColumnElement[bool]] = {
    "status": W.status == any_(bindparam("status", type_=ARRAY(Text))),
    "source": W.source_id.in_(
        select(sources.c.id).where(sources.c.slug == any_(bindparam("source", type_=ARRAY(Text))))
    ),
    "category": W.categories.op("&&")(bindparam("category", type_=ARRAY(Text))),
    "state": W.states.op("&&")(bindparam("state", type_=ARRAY(Text))),
    "updated_since": W.updated_at >= bindparam("updated_since", type_=DateTime(timezone=True)),
    "verified_before": or_(
        W.verified_at < bindparam("verified_before", type_=DateTime(timezone=True)), W.verified_at.is_(None)
    ),
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
    given = {name: value for name in _FILTERS if (value := getattr(query, name))}
    found = await _listing(query.sort, frozenset(given)).read(session, query, cursors, given)
    shown = await read_resources(session, [row.id for row in found.rows])
    return found.slice(lambda row: shown[row.id].model_dump_json())


@lru_cache(maxsize=64)
def _listing(sort: WorkingSort, names: frozenset[str]) -> Listing:
    return Listing(select(W.id).where(*(_FILTERS[name] for name in sorted(names))), _ORDERS[sort])
