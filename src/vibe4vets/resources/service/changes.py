"""The feed of changes, for mirrors: complete and in order, whoever publishes at the same time.

A transaction that began earlier may commit later, so that a feed by time or by a counter would pass it over. This
one is in the order of transactions, and ends before the oldest that is still under way.
"""

import json
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Text, Uuid, bindparam, cast, func, select, tuple_, update

from vibe4vets.core.database import Session, Statement
from vibe4vets.core.pagination import SIZE, Cursors, InvalidCursor
from vibe4vets.resources.models import published, published_changes, withdrawn
from vibe4vets.resources.schemas import ChangesQuery

C, P, W = published_changes.c, published.c, withdrawn.c
_ENDED = cast(cast(func.pg_snapshot_xmin(func.pg_current_snapshot()), Text), BigInteger)
_LAST = tuple_(bindparam("changed_in", type_=BigInteger), bindparam("resource_id", type_=Uuid))
_CHANGES = Statement(
    select(C.changed_in, C.resource_id, C.kind, C.changed_at, P.document, W.successor_id)
    .outerjoin(published, P.id == C.resource_id)
    .outerjoin(withdrawn, W.id == C.resource_id)
    .where(tuple_(C.changed_in, C.resource_id) > _LAST, C.changed_in < _ENDED)
    .order_by(C.changed_in, C.resource_id)
    .limit(SIZE)
)
_BEGINNING = (0, UUID(int=0))
_NEWEST = select(func.coalesce(func.max(C.changed_in), 0)).scalar_subquery()
_STATE = Statement(
    select(
        _NEWEST.label("changed_in"),
        (_ENDED > _NEWEST).label("is_settled"),
        cast(func.pg_current_snapshot(), Text).label("snapshot"),
    )
)
_COMING = cast(cast(func.pg_snapshot_xmax(func.pg_current_snapshot()), Text), BigInteger)
_NUMBER = Statement(select(_COMING.label("coming")))
_RENUMBER = (
    update(published_changes)
    .where(C.changed_in >= _COMING)
    .values(changed_in=cast(cast(func.pg_current_xact_id(), Text), BigInteger))
)


async def list_changes(session: Session, query: ChangesQuery, cursors: Cursors) -> str:
    """Return the changes after `since` as JSON, the oldest first, with the cursor of the next question.

    Raises InvalidCursor for one that is not ours, or not of this server: the mirror begins anew.
    """
    changed_in, resource_id = _BEGINNING
    if query.since is not None:
        changed_in, last = cursors.decode(query.since, query="changes")
        resource_id = UUID(last)
    given = {"changed_in": changed_in, "resource_id": resource_id, "size": query.limit}
    rows = await session.rows(_CHANGES, given)
    if rows:
        changed_in, resource_id = rows[-1].changed_in, rows[-1].resource_id
    elif query.since is not None:
        (number,) = await session.rows(_NUMBER, {})
        if changed_in >= number.coming:  # of the server that this directory was moved from
            raise InvalidCursor
    cursor = cursors.encode([changed_in, resource_id], query="changes")
    items = ",".join(map(_item, rows))
    is_current = json.dumps(len(rows) < query.limit)
    return f'{{"items":[{items}],"next_cursor":"{cursor}","is_current":{is_current}}}'


async def state_of_changes(session: Session) -> str:
    """A text that is another one whenever something has been published, changed or withdrawn since.

    That is the newest change, once no older transaction can commit any more; until then no two moments are the same.
    """
    (state,) = await session.rows(_STATE, {})
    return str(state.changed_in) if state.is_settled else f"{state.changed_in} {state.snapshot}"


async def renumber_changes(session: Session) -> None:
    """Bring changes that another server has numbered, before a dump and its restore, into the order of this one."""
    await session.execute(_RENUMBER)


def _item(row: Any) -> str:  # noqa: ANN401  a row of any statement
    about = {
        "kind": row.kind,
        "id": str(row.resource_id),
        "changed_at": row.changed_at.isoformat().replace("+00:00", "Z"),
        "successor": row.successor_id and str(row.successor_id),
    }
    return f'{json.dumps(about)[:-1]},"resource":{row.document or "null"}}}'
