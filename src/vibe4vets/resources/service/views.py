"""How often each resource is read: counted in memory, stored now and then. Nothing is kept about who reads."""

import json
from uuid import UUID

from sqlalchemy import text

from vibe4vets.core.database import Session

MOST_RESOURCES = 20_000
DAYS = 30

# What was purged meanwhile has no row to count for. In one order, so that two processes cannot wait for one another.
_STORE = text("""
insert into resource_views as known (resource_id, day, views)
select r.id, cast(now() at time zone 'UTC' as date), cast(value as integer)
from json_each_text(cast(:views as json)) join resources r on r.id = cast(key as uuid)
order by r.id
on conflict (resource_id, day) do update set views = known.views + excluded.views
""")
_FORGET = text(f"""
delete from resource_views where day <= cast(now() at time zone 'UTC' as date) - {DAYS}
""")  # noqa: S608  a number of ours


class Views:
    """What one process has counted since it last stored; a crash loses some minutes of it.

    A request counts, whoever makes it: a person, a robot, a mirror. At most `most` resources are told apart until
    the next storing, and what comes beyond them is not counted.
    """

    def __init__(self, most: int = MOST_RESOURCES) -> None:
        self._most = most
        self._counts: dict[UUID, int] = {}

    def count(self, resource_id: UUID) -> None:
        """Count one reading of a resource that is published."""
        known = self._counts.get(resource_id)
        if known is not None or len(self._counts) < self._most:
            self._counts[resource_id] = (known or 0) + 1

    async def store(self, session: Session) -> None:
        """Add what was counted to the table, and begin anew; what cannot be stored is counted on."""
        if not self._counts:
            return
        counts, self._counts = self._counts, {}
        try:
            await session.execute(_STORE, {"views": json.dumps({str(id_): views for id_, views in counts.items()})})
        except BaseException:
            self._counts = counts | {id_: views + counts.get(id_, 0) for id_, views in self._counts.items()}
            raise


async def forget_views(session: Session) -> None:
    """Forget the days that no worklist asks for any more."""
    await session.execute(_FORGET)
