"""Which connectors are due, by what admins have set or else by what their source declares."""

from datetime import timedelta

from sqlalchemy import text

from vibe4vets.connectors.exceptions import RunUnderWay
from vibe4vets.connectors.models import Trigger
from vibe4vets.connectors.registry import Connector, connectors
from vibe4vets.connectors.service.leases import Sessions
from vibe4vets.connectors.service.runs import request_run
from vibe4vets.core.audit import SYSTEM
from vibe4vets.core.jobs import Workbench

# One statement, so that of several workers one has it: a connector is due from the first time on, and once its time
# has come it stays due until a run is queued.
_CLAIM = text("""
with known as (
  update connector_schedules s set due_at = now() + coalesce(s.every, cast(:every as interval))
  where connector = :connector and is_enabled and coalesce(s.every, cast(:every as interval)) is not null
    and (due_at is null or due_at <= now())
  returning 1
), new as (
  insert into connector_schedules (connector, version, is_enabled, due_at)
  select :connector, 1, true, now() + cast(:every as interval) where cast(:every as interval) is not null
  on conflict (connector) do nothing
  returning 1
)
select exists (select from known) or exists (select from new)
""")


async def request_due(bench: Workbench) -> list[str]:
    """Queue a run of each connector that is due; the ones that it was done for."""
    ready = {slug: one for slug, one in connectors(bench.settings).items() if one.obstacle is None}
    sessions = bench.database.write_sessions
    return [slug for slug, connector in ready.items() if await _request_if_due(sessions, slug, connector)]


async def _request_if_due(sessions: Sessions, slug: str, connector: Connector) -> bool:
    every: timedelta | None = connector.about.schedule
    try:
        async with sessions.begin() as session:
            if not (await session.execute(_CLAIM, {"connector": slug, "every": every})).scalar_one():
                return False
            subject = connector.about.name
            await request_run(session, slug, subject=subject, trigger=Trigger.SCHEDULE, actor=SYSTEM)
    except RunUnderWay:  # rolled back, so it is due again once that run has ended
        return False
    return True
