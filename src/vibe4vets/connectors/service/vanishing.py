"""Records that a complete reading does not hold: put on the stage, so that they are applied as all others are."""

from uuid import UUID

from sqlalchemy import text

from vibe4vets.connectors.models import ConnectorRun, Policy
from vibe4vets.core.database import Session

_UNNAMED = text("""
select count(*) from quarantined_records where run_id = :run_id and (source is null or source_record_id is null)
""")
# What has no content on the stage is a record that did not come. One that was refused has come. What was missing twice
# was decided on then, and an editor may have brought it back since.
_MISSING = text("""
insert into staged_records (run_id, line, source, source_record_id, content_hash, content, outcome, changes)
select :run_id, read.last + row_number() over (order by k.source_record_id), k.source, k.source_record_id,
  k.content_hash, '', case when k.missed = 0 then 'vanished' else 'retired' end, '{}'
from source_records k
join resources r on r.id = k.resource_id
cross join (
  select greatest((select max(line) from staged_records where run_id = :run_id),
    (select max(line) from quarantined_records where run_id = :run_id), 0) as last
) read
where k.source = :source and k.missed < 2 and r.status <> 'archived'
  and not exists (select from staged_records s
    where s.run_id = :run_id and s.source = k.source and s.source_record_id = k.source_record_id)
  and not exists (select from quarantined_records q
    where q.run_id = :run_id and q.source = k.source and q.source_record_id = k.source_record_id)
""")
_MISS = text("""
update source_records k set missed = k.missed + 1
from staged_records s
where s.run_id = :run_id and s.line = any(cast(:lines as int[]))
  and k.source = s.source and k.source_record_id = s.source_record_id
""")


async def stage_missing(session: Session, run: ConnectorRun, source: str, *, complete: bool) -> str | None:
    """Stage the records of `source` that did not come; in words why they are not looked for, if so.

    An operator's import never retires, and from a reading that is not whole nothing is concluded.
    """
    if Policy(run.policy) is not Policy.REVIEW or not complete:
        return "The reading does not have to hold every record, so missing ones are not looked for."
    unnamed = (await session.execute(_UNNAMED, {"run_id": run.id})).scalar_one()
    if unnamed:
        return f"{unnamed:,} refused lines do not say which record they are, so missing ones are not looked for."
    await session.execute(_MISSING, {"run_id": run.id, "source": source})
    return None


async def miss(session: Session, run_id: UUID, lines: list[int]) -> None:
    """Count that these records were missing once more."""
    await session.execute(_MISS, {"run_id": run_id, "lines": lines})
