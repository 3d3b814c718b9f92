"""The stage: records on their way in, compared as a set with what is known."""

import json
from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import text

from vibe4vets.connectors.base import Rejection
from vibe4vets.connectors.models import ConnectorRun, Outcome, QuarantinedRecord, Stage, StagedRecord
from vibe4vets.connectors.service.preparing import Prepared
from vibe4vets.core.database import Session, copy_rows

KEPT_CONTENT = 10_000
REPEATED = "source_record_id: the same source and id as line "

# The stage is emptied after every run, so the planner often takes it for empty: both statements below are
# written so that their plan stays good whatever it believes.

_REPEATED = text("""
select line, first from (
  select line, first_value(line) over (partition by source, source_record_id order by line) as first
  from staged_records where run_id = :run_id
) same
where line <> first
""")

_REFUSE = text("""
with refused as (
  delete from staged_records s
  where run_id = :run_id and line = any(cast(:lines as int[]))
  returning line, source, source_record_id, content
)
insert into quarantined_records (run_id, line, reason, source, source_record_id, content)
select :run_id, line, cast(:repeated as text) || (cast(:firsts as jsonb) ->> line::text),
  source, source_record_id, content
from refused
""")

# The outcomes of lines that are applied are facts; those of later lines are only planned.
_APPLIED = text("""
select outcome, count(*) as size from staged_records
where run_id = :run_id and line <= :through and outcome is not null group by outcome
union all select 'quarantined', count(*) from quarantined_records where run_id = :run_id
""")

_KNOWN = text("select count(*) from source_records where source = :source")
_SIZE = text("select count(*) from staged_records where run_id = :run_id")

_CLEAR = text("delete from staged_records where run_id = :run_id")

_CLEAR_REFUSED = text("delete from quarantined_records where run_id = :run_id")


async def stage(session: Session, run_id: UUID, items: Sequence[Prepared | Rejection]) -> None:
    """Write what was read: prepared records to the stage, refused ones to the quarantine."""
    ready = [
        (run_id, item.line, item.source, item.record_id, item.content_hash, item.content, item.provenance)
        for item in items
        if isinstance(item, Prepared)
    ]
    refused = [
        (run_id, item.line, _storable(item.reason), *_identity(item), _storable(item.content)[:KEPT_CONTENT])
        for item in items
        if isinstance(item, Rejection)
    ]
    staged_columns = ("run_id", "line", "source", "source_record_id", "content_hash", "content", "provenance")
    await copy_rows(session, StagedRecord.__tablename__, staged_columns, ready)
    refused_columns = ("run_id", "line", "reason", "source", "source_record_id", "content")
    await copy_rows(session, QuarantinedRecord.__tablename__, refused_columns, refused)


def oddities(items: Iterable[Prepared | Rejection]) -> list[str]:
    """What was left out of records that are taken otherwise."""
    return [oddity for item in items if isinstance(item, Prepared) for oddity in item.oddities]


async def quarantine_repeated(session: Session, run_id: UUID) -> None:
    """Keep the first record of each identity on the stage; the others are told, not lost."""
    repeated = {row.line: row.first for row in await session.execute(_REPEATED, {"run_id": run_id})}
    if repeated:
        values = {"run_id": run_id, "lines": list(repeated), "firsts": json.dumps(repeated), "repeated": REPEATED}
        await session.execute(_REFUSE, values)


async def staged_lines(session: Session, run_id: UUID) -> int:
    """How many lines of the run are on the stage."""
    lines: int = (await session.execute(_SIZE, {"run_id": run_id})).scalar_one()
    return lines


async def known_records(session: Session, source: str) -> int:
    """How many records of a source the directory knows."""
    known: int = (await session.execute(_KNOWN, {"source": source})).scalar_one()
    return known


async def count_applied(session: Session, run: ConnectorRun) -> dict[Outcome, int]:
    """What the run has done so far, by outcome."""
    rows = await session.execute(_APPLIED, {"run_id": run.id, "through": run.applied_through})
    counted = {row.outcome: row.size for row in rows}
    return {kind: counted.get(kind.value, 0) for kind in Outcome}


async def clear(session: Session, run_id: UUID) -> None:
    """Empty the stage of a run."""
    await session.execute(_CLEAR, {"run_id": run_id})


async def start_over(session: Session, run: ConnectorRun) -> None:
    """Let the run read its source from the beginning, as if it had read nothing."""
    await clear(session, run.id)
    await session.execute(_CLEAR_REFUSED, {"run_id": run.id})
    run.stage, run.checkpoint, run.confirmed = Stage.READ, None, False
    run.staged = run.done = run.applied_through = 0
    run.warnings = []


def _identity(item: Rejection) -> tuple[str | None, str | None]:
    return (
        _storable(item.source)[:64] if item.source else None,
        _storable(item.record_id)[:200] if item.record_id else None,
    )


def _storable(text_: str) -> str:
    """PostgreSQL stores neither NUL nor lone surrogates; a refused record may hold both."""
    return text_.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()
