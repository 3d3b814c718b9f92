"""What is stored of links: which there are, and what visits found; a statement each, whatever their number."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import DateTime, bindparam, text

from vibe4vets.connectors.link_models import FAILURES, LEAST_FAILURES, LEAST_SPAN, Finding
from vibe4vets.connectors.service.links.visiting import Visit
from vibe4vets.core.database import Session
from vibe4vets.core.documents import json_array

AFTER_A_FAILURE: Final = timedelta(days=1)
_POSTPONED: Final = timedelta(hours=1)
NOW: Final = bindparam("now", type_=DateTime(timezone=True))
_LONGEST_URL: Final = 2000
_MOST_FAILURES: Final = 1000

_ALONE = text("select pg_try_advisory_xact_lock(hashtext('vibe4vets links'))")
_USED = """
select website as url from resources where status = 'published' and website is not null
union
select o.website from organizations o
where o.website is not null
  and exists (select from resources r where r.organization_id = o.id and r.status = 'published')
"""
_GAIN = text(f"""
insert into links (key, url, host, next_check_at)
select encode(sha256(convert_to(url, 'UTF8')), 'hex'), url,
  left(lower(coalesce(substring(url from '^[^:]+://([^/?#:]+)'), '')), 255), :now
from ({_USED}) used
where not exists (select from links where links.url = used.url)
on conflict (key) do nothing
""").bindparams(NOW)  # noqa: S608  no value is in it
_LOSE = text(f"""
delete from links where key in (
  select key from links l where not exists (select from ({_USED}) used where used.url = l.url)
  for update of l skip locked
)
""")  # noqa: S608  no value is in it

# Only a visit that reached the page ends a series of failures; what is unclear says nothing either way.
_RECORD = text("""
update links l set lease = null, checked_at = :now, finding = v.finding, status = v.status, final_url = v.final_url,
  (sha256, etag, last_modified, suspicion, suspected_at) = (
    select case when v.came then v.sha256 else l.sha256 end, case when v.came then v.etag else l.etag end,
      case when v.came then v.last_modified else l.last_modified end,
      case when v.came then v.suspicion else l.suspicion end,
      case when not v.came then l.suspected_at when v.suspicion is not null then coalesce(l.suspected_at, :now) end),
  failures = case when v.reached then 0 else least(l.failures + v.failed, :most) end,
  first_failed_at = case when v.reached then null when v.failed = 1 then coalesce(l.first_failed_at, :now)
    else l.first_failed_at end,
  broken_at = case when v.reached then null
    when v.failed = 1 and l.failures + 1 >= :least and l.first_failed_at <= :now - cast(:span as interval)
    then coalesce(l.broken_at, :now) else l.broken_at end,
  next_check_at = :now + case when v.failed = 1 or (l.failures > 0 and not v.reached)
    then cast(:soon as interval) else cast(:every as interval) end
from jsonb_to_recordset(cast(:visits as jsonb)) as v(
  key text, finding text, status smallint, final_url text, reached boolean, failed int, came boolean, sha256 text,
  etag text, last_modified text, suspicion text)
where l.key = v.key and l.lease = :lease
""").bindparams(NOW)
_POSTPONE = text("""
update links l set lease = null, next_check_at = :now + v.seconds * interval '1 second'
from jsonb_to_recordset(cast(:visits as jsonb)) as v(key text, seconds double precision)
where l.key = v.key and l.lease = :lease
""").bindparams(NOW)


async def collect_links(session: Session, now: datetime) -> None:
    """Know the web sites of what is published now, and forget all others; one worker at a time does it."""
    if (await session.execute(_ALONE)).scalar_one():
        await session.execute(_GAIN, {"now": now})
        await session.execute(_LOSE)


async def record_visits(
    session: Session, lease: UUID, visits: Mapping[str, Visit], *, now: datetime, every: timedelta
) -> None:
    """Store what the visits found, by the key of their links; those whose lease is another's by now stay as they are.

    A link that fails is looked at again after a day, so that three failures take two; one that nobody visited, after
    an hour or as long as its host asked for.
    """
    found = [_found(key, visit, visit.finding) for key, visit in visits.items() if visit.finding is not None]
    values = {"lease": lease, "now": now, "every": every, "soon": min(AFTER_A_FAILURE, every)}
    flags = {"least": LEAST_FAILURES, "span": LEAST_SPAN, "most": _MOST_FAILURES}
    await session.execute(_RECORD, {**values, **flags, "visits": json_array(found)})
    left = [
        json.dumps({"key": key, "seconds": max(visit.wait, _POSTPONED).total_seconds()})
        for key, visit in visits.items()
        if visit.finding is None
    ]
    await session.execute(_POSTPONE, {"lease": lease, "now": now, "visits": json_array(left)})


def _found(key: str, visit: Visit, finding: Finding) -> str:
    row: dict[str, Any] = {
        "key": key,
        "finding": finding.value,
        "status": visit.status,
        "final_url": visit.final_url if visit.final_url and len(visit.final_url) <= _LONGEST_URL else None,
        "reached": finding is Finding.REACHED,
        "failed": int(finding in FAILURES),
        "came": visit.page is not None,
    }
    if visit.page is not None:
        row |= {
            "sha256": visit.page.sha256,
            "etag": visit.page.validators.etag,
            "last_modified": visit.page.validators.last_modified,
            "suspicion": visit.page.suspicion,
        }
    return json.dumps(row)
