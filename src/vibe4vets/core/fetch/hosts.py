"""The breaker of every host, in PostgreSQL: all workers see one state, by the database's clock (row F11)."""

from datetime import timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker

from vibe4vets.core.database import Session
from vibe4vets.core.fetch.exceptions import HostResting

WINDOW: Final = timedelta(minutes=2)
REST: Final = timedelta(seconds=60)
_LEAST_CALLS: Final = 5

_STATE = text("""
select quiet_until - clock_timestamp() as quiet,
  coalesce(probed_at, opened_at) + cast(:rest as interval) - clock_timestamp() as closed_for
from fetch_hosts where host = :host
""")

# Whoever updates the row is the one that looks; after a probe that died comes another.
_PROBE = text("""
update fetch_hosts set probed_at = clock_timestamp()
where host = :host and coalesce(probed_at, opened_at) + cast(:rest as interval) <= clock_timestamp()
returning host
""")

# A success closes the breaker, whoever had it, and begins to count anew: the host answers.
_RECORD = text("""
insert into fetch_hosts as h (host, window_began_at, calls, failures)
values (:host, clock_timestamp(), 1, cast(:failed as int))
on conflict (host) do update set (window_began_at, calls, failures, opened_at, probed_at) = (
  select began_at, calls, failures, case
    when cast(:failed as int) = 1 and (h.opened_at is not null or (calls >= :least and failures * 2 >= calls))
    then clock_timestamp() end, cast(null as timestamptz)
  from (
    select case when anew then clock_timestamp() else h.window_began_at end as began_at,
      1 + case when anew then 0 else h.calls end as calls,
      cast(:failed as int) + case when anew then 0 else h.failures end as failures
    from (
      select h.window_began_at + cast(:window as interval) <= clock_timestamp()
        or (h.opened_at is not null and cast(:failed as int) = 0) as anew
    ) begun
  ) counted
)
""")

_QUIET = text("""
insert into fetch_hosts as h (host, window_began_at, calls, failures, quiet_until)
values (:host, clock_timestamp(), 0, 0, clock_timestamp() + cast(:wait as interval))
on conflict (host) do update set quiet_until = greatest(h.quiet_until, excluded.quiet_until)
""")


class PostgresHosts:
    """The register of hosts that every process shares. Each call is a transaction of its own."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._sessions = async_sessionmaker(engine, class_=Session, expire_on_commit=False)

    async def admit(self, host: str) -> None:
        """Return if `host` may be asked now; raise HostResting otherwise.

        A host at which half of at least five calls within two minutes failed is left alone for a minute; then
        one caller looks, and the others wait for how it fares.
        """
        async with self._sessions.begin() as session:
            known = (await session.execute(_STATE, {"host": host, "rest": REST})).one_or_none()
            if known is None:
                return
            if known.quiet is not None and known.quiet > timedelta():
                message = f"{host}: asked to be left alone for {known.quiet.total_seconds():.0f} s more"
                raise HostResting(message, known.quiet, asked=True)
            if known.closed_for is None:
                return
            probes = (await session.execute(_PROBE, {"host": host, "rest": REST})).one_or_none() is not None
            if not probes:
                wait = max(known.closed_for, timedelta(seconds=1))
                message = f"{host}: failed too often of late; the next try is in {wait.total_seconds():.0f} s"
                raise HostResting(message, wait, asked=False)

    async def record(self, host: str, *, failed: bool) -> None:
        """Count one call; open the breaker when too many failed, close it when one did not."""
        values = {"host": host, "failed": int(failed), "window": WINDOW, "least": _LEAST_CALLS}
        async with self._sessions.begin() as session:
            await session.execute(_RECORD, values)

    async def rest(self, host: str, wait: timedelta) -> None:
        """Leave `host` alone for so long, since it asked for it."""
        async with self._sessions.begin() as session:
            await session.execute(_QUIET, {"host": host, "wait": wait})
