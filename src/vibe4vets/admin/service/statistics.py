"""How the directory is doing: the queue, the decisions, the age of what is shown, and what it covers."""

from sqlalchemy import text

from vibe4vets.admin.schemas import DayStats, QueueStats, Stats, VerificationStats
from vibe4vets.core.database import Session

_QUEUE = text("""
select kind, risk, count(*) as open, min(created_at) as oldest from proposals where state = 'open' group by kind, risk
""")
_DECISIONS = text("""
select cast(created_at at time zone 'UTC' as date) as day,
  count(*) filter (where state = 'approved') as approved, count(*) filter (where state = 'rejected') as rejected
from review_decisions where created_at > now() - interval '30 days' group by 1 order by 1 desc
""")
_VERIFICATION = text("""
select count(*) filter (where verified_at is null) as never, min(verified_at) as oldest_at
from resources where status = 'published'
""")
_COVERAGE = text("""
select kind, value, uses from published_terms where kind in ('category', 'state') and uses > 0 order by kind, value
""")
_COVERAGE_BY_STATE = text("""
select state, json_object_agg(category, uses order by category) as uses from (
  select state, category, count(*) as uses
  from published_resources cross join unnest(states) state cross join unnest(categories) category
  group by state, category
) counted group by state order by state
""")


async def get_stats(session: Session) -> Stats:
    """Count what reviewers and admins steer by."""
    queue = (await session.execute(_QUEUE)).all()
    by_kind: dict[str, int] = {}
    by_risk: dict[str, int] = {}
    for row in queue:
        by_kind[row.kind] = by_kind.get(row.kind, 0) + row.open
        by_risk[row.risk] = by_risk.get(row.risk, 0) + row.open
    coverage: dict[str, dict[str, int]] = {"category": {}, "state": {}}
    for row in await session.execute(_COVERAGE):
        coverage[row.kind][row.value] = row.uses
    return Stats(
        queue=QueueStats(
            open=sum(by_kind.values()),
            by_kind=by_kind,
            by_risk=by_risk,
            oldest_at=min((row.oldest for row in queue), default=None),
        ),
        decisions=[DayStats.model_validate(row) for row in await session.execute(_DECISIONS)],
        verification=VerificationStats.model_validate((await session.execute(_VERIFICATION)).one()),
        coverage=coverage,
        coverage_by_state={row.state: row.uses for row in await session.execute(_COVERAGE_BY_STATE)},
    )
