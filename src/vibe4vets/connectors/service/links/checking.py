"""Checking links: a batch at a time, the oldest check first, by as many workers as there are (row F12).

A worker claims links by a lease, visits them outside any transaction, and records what it found while the lease is
still its own. One that dies leaves links whose lease runs out; one that was paused records nothing.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias
from uuid import UUID, uuid4

import structlog
from sqlalchemy import Row, text

from vibe4vets.connectors.link_models import FAILURES
from vibe4vets.connectors.service.links import recording
from vibe4vets.connectors.service.links.visiting import Visit, visit
from vibe4vets.core.config import LinkSettings
from vibe4vets.core.database import Database, Session, own_transaction
from vibe4vets.core.fetch import LINK, Fetcher, FetchError, Validators

Clock: TypeAlias = Callable[[Session], Awaitable[datetime]]

BATCH: Final = 100
PER_HOST: Final = 4
_HOSTS_AT_ONCE: Final = 8
_LEASE: Final = timedelta(minutes=15)
_CONTROL: Final = replace(LINK, same_site=True)
_log = structlog.get_logger()

_CLAIM = text("""
with turns as (
  select key, row_number() over (partition by host order by next_check_at > :now desc, next_check_at, key) as turn
  from links where next_check_at <= :now or lease is not null
)
update links set lease = :lease, next_check_at = :now + cast(:term as interval)
from (
  select key from links
  where next_check_at <= :now and key in (select key from turns where turn <= :per_host)
  order by next_check_at, key limit :size for update skip locked
) due
where links.key = due.key
returning links.key, links.url, links.host, links.etag, links.last_modified
""").bindparams(recording.NOW)


async def database_clock(session: Session) -> datetime:
    """The one clock that all workers share."""
    now: datetime = (await session.execute(text("select clock_timestamp()"))).scalar_one()
    return now


async def check_links(
    database: Database, fetcher: Fetcher, settings: LinkSettings, *, clock: Clock = database_clock
) -> int:
    """Check the links whose time has come, up to `BATCH`; return how many were visited.

    Nothing is checked, and no failure counted, while our own way out does not work: the control URL says so, before
    the batch, and after it when something failed.
    """
    if not settings.enabled or not await _gets_out(fetcher, settings):
        return 0
    async with own_transaction(database) as session:
        await recording.collect_links(session, await clock(session))
    lease = uuid4()
    claimed = await _claim(database, lease, clock)
    visits = await _visit_all(fetcher, claimed)
    if any(found.finding in FAILURES for found in visits.values()) and not await _gets_out(fetcher, settings):
        visits = {key: _uncounted(found) for key, found in visits.items()}
    async with own_transaction(database) as session:
        await recording.record_visits(session, lease, visits, now=await clock(session), every=settings.every)
    return sum(found.finding is not None for found in visits.values())


async def _gets_out(fetcher: Fetcher, settings: LinkSettings) -> bool:
    try:
        await fetcher.get(settings.control_url, limits=_CONTROL)
    except FetchError as error:
        _log.warning("links not checked", error=type(error).__name__)
        return False
    return True


async def _claim(database: Database, lease: UUID, clock: Clock) -> Sequence[Row[Any]]:
    values = {"lease": lease, "term": _LEASE, "per_host": PER_HOST, "size": BATCH}
    async with own_transaction(database) as session:
        return (await session.execute(_CLAIM, {**values, "now": await clock(session)})).all()


async def _visit_all(fetcher: Fetcher, claimed: Sequence[Row[Any]]) -> Mapping[str, Visit]:
    """Visit the links of a host one after another: who waits for a turn would seem slow."""
    by_host: defaultdict[str, list[Row[Any]]] = defaultdict(list)
    for row in claimed:
        by_host[row.host].append(row)
    free = asyncio.Semaphore(_HOSTS_AT_ONCE)
    visits: dict[str, Visit] = {}

    async def visit_host(rows: Sequence[Row[Any]]) -> None:
        async with free:
            for row in rows:
                visits[row.key] = await visit(fetcher, row.url, Validators(row.etag, row.last_modified))

    async with asyncio.TaskGroup() as group:
        for rows in by_host.values():
            group.create_task(visit_host(rows))
    return visits


def _uncounted(found: Visit) -> Visit:
    return Visit(None) if found.finding in FAILURES else found
