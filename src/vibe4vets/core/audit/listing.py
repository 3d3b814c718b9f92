"""Reading events, the latest first."""

from collections.abc import Set as AbstractSet
from functools import lru_cache

from sqlalchemy import ARRAY, ColumnElement, DateTime, Text, any_, bindparam, select

from vibe4vets.core.audit.models import events
from vibe4vets.core.audit.schemas import AuditEventQuery, AuditEventRead
from vibe4vets.core.database import Session
from vibe4vets.core.pagination import Cursors, Listing, Order, Slice

E = events.c
_LATEST = Order((E.sequence,), (int,), descending=True)
_CONDITIONS: dict[str, ColumnElement[bool]] = {
    **{
        name: E[name] == any_(bindparam(name, type_=ARRAY(Text)))
        for name in ("action", "actor_kind", "actor_id", "target_kind", "target_id")
    },
    "since": E.at >= bindparam("since", type_=DateTime(timezone=True)),
    "until": E.at < bindparam("until", type_=DateTime(timezone=True)),
}


async def list_events(session: Session, query: AuditEventQuery, cursors: Cursors) -> Slice:
    """Return one page of the events that match `query`."""
    given = {name: value for name in _CONDITIONS if (value := getattr(query, name))}
    found = await _listing(frozenset(given)).read(session, query, cursors, given)
    return found.slice(lambda row: AuditEventRead.model_validate(row).model_dump_json())


@lru_cache(maxsize=64)
def _listing(names: AbstractSet[str]) -> Listing:
    return Listing(select(*E).where(*(_CONDITIONS[name] for name in sorted(names))), _LATEST)
