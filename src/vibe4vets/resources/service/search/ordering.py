"""Keeping the search rows of one region together, where there are so many that it matters."""

from typing import Final

from sqlalchemy import text

from vibe4vets.core.database import Session
from vibe4vets.resources.service.search import weights

_ORDERLY: Final = 0.9
"""The correlation of region and place in the table, from -1 to 1, from which on nothing is to be gained."""
_IS_NEEDED = text("""
select state.resources >= :border and coalesce(stats.correlation < :orderly, true)
from search_state state left join pg_stats stats
  on stats.schemaname = current_schema() and stats.tablename = 'search_rows' and stats.attname = 'region'
""")
_ORDER = text("select order_search_rows()")


async def order_rows(session: Session) -> None:
    """Write the search rows of a large directory anew in the order of regions, unless they are nearly so.

    Searches go on; whoever publishes waits, about a second for 15,000 resources, and is told to try again after
    the lock timeout.
    """
    if (await session.execute(_IS_NEEDED, {"border": weights.SAMPLED_FROM, "orderly": _ORDERLY})).scalar_one():
        await session.execute(_ORDER)
