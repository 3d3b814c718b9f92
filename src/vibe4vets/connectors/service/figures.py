"""Numbers about runs for whoever watches the service: per connector, as the rows say when they are asked for."""

from sqlalchemy import text

from vibe4vets.connectors.models import Outcome
from vibe4vets.core.database import Session
from vibe4vets.core.metrics import Figure

_RUNS = text("select connector, state, count(*) as runs from connector_runs group by connector, state")
_LAST = text("""
select distinct on (connector, state) connector, state, extract(epoch from finished_at) as at,
  extract(epoch from finished_at - coalesce(started_at, created_at)) as seconds, created, updated, published,
  unchanged, proposed, withheld, vanished, retired, quarantined
from connector_runs where state in ('succeeded', 'failed') and not dry_run
order by connector, state, finished_at desc
""")


async def count_runs(session: Session) -> list[Figure]:
    """How many runs of each connector are in which state, when it last succeeded and failed, and what came of it."""
    counted = (await session.execute(_RUNS)).all()
    last = (await session.execute(_LAST)).all()
    good = [row for row in last if row.state == "succeeded"]
    return [
        Figure(
            "vibe4vets_connector_runs",
            "Runs of a connector by their state.",
            ("connector", "state"),
            {(row.connector, row.state): row.runs for row in counted},
        ),
        Figure(
            "vibe4vets_connector_last_run_timestamp_seconds",
            "When a run of a connector last ended so.",
            ("connector", "state"),
            {(row.connector, row.state): float(row.at) for row in last},
        ),
        Figure(
            "vibe4vets_connector_last_run_seconds",
            "How long the last run of a connector took that ended so, its pauses included.",
            ("connector", "state"),
            {(row.connector, row.state): float(row.seconds) for row in last},
        ),
        Figure(
            "vibe4vets_connector_records",
            "What became of the records of a connector's last run that succeeded.",
            ("connector", "outcome"),
            {(row.connector, kind.value): getattr(row, kind.value) for row in good for kind in Outcome},
        ),
    ]
