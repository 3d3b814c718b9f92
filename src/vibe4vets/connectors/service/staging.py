"""The stage: records on their way in, compared as a set with what is known."""

import json
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text

from vibe4vets.connectors.base import Rejection
from vibe4vets.connectors.models import QuarantinedRecord, StagedRecord
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

_CLEAR = text("""
delete from staged_records s using connector_runs r where r.id = s.run_id and r.finished_at is not null
""")


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


async def quarantine_repeated(session: Session, run_id: UUID) -> None:
    """Keep the first record of each identity on the stage; the others are told, not lost."""
    repeated = {row.line: row.first for row in await session.execute(_REPEATED, {"run_id": run_id})}
    if repeated:
        values = {"run_id": run_id, "lines": list(repeated), "firsts": json.dumps(repeated), "repeated": REPEATED}
        await session.execute(_REFUSE, values)


async def clear_finished(session: Session) -> None:
    """Empty the stage of runs that have ended."""
    await session.execute(_CLEAR)


def _identity(item: Rejection) -> tuple[str | None, str | None]:
    return (
        _storable(item.source)[:64] if item.source else None,
        _storable(item.record_id)[:200] if item.record_id else None,
    )


def _storable(text_: str) -> str:
    """PostgreSQL stores neither NUL nor lone surrogates; a refused record may hold both."""
    return text_.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()
