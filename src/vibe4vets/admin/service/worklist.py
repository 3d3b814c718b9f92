"""What to verify first: the older, the riskier and the more often read, the sooner.

The priority of every resource that needs it is kept in a table, so that a page is read by its index;
docs/decisions/0026-worklist.md tells how it is weighed.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Text, any_, bindparam, or_, select, text

from vibe4vets.admin.models import needs
from vibe4vets.admin.schemas import WorklistItem, WorklistQuery
from vibe4vets.core.database import Database, Session, own_transaction
from vibe4vets.core.pagination import Cursors, Listing, Order, Slice
from vibe4vets.resources.models import Status, resources
from vibe4vets.resources.service import CRISIS_PHONES, CRISIS_TAGS, version_etag

N, R = needs.c, resources.c
_BATCH: Final = 1000
_BEGINNING: Final = UUID(int=0)
_URGENT_FIRST = Order((N.priority, N.resource_id), (float, UUID), descending=True)

# What stands behind a priority, of the published resources `ids`.
_FACTS = """
select r.id, r.version, r.title, r.phone, r.verified_at, r.as_of, r.created_at, p.states, p.categories, p.source,
  least(5, greatest(0, extract(epoch from now() - coalesce(r.verified_at, r.as_of, r.created_at))) / (365 * 86400))
    as years,
  coalesce(r.phone = any(cast(:crisis_phones as text[])), false)
    or (r.phone is not null and r.tags && cast(:crisis_tags as text[])) as is_crisis_line,
  r.scope = 'national' and r.phone is not null as is_national_line,
  (
    select count(*) from proposals q join submissions s on s.proposal_id = q.id
    where q.resource_id = r.id and q.state = 'open' and q.kind = 'report'
  ) as reports,
  (
    select coalesce(sum(v.views), 0) from resource_views v
    where v.resource_id = r.id and v.day > cast(now() at time zone 'UTC' as date) - 30
  ) as views,
  exists (
    select from links k
    where k.key in (encode(sha256(convert_to(r.website, 'UTF8')), 'hex'),
        encode(sha256(convert_to(o.website, 'UTF8')), 'hex'))
      and least(k.broken_at, k.suspected_at) > coalesce(r.verified_at, '-infinity')
  ) as has_flagged_link
from published_resources p join resources r on r.id = p.id join organizations o on o.id = r.organization_id
where p.id = any(cast(:ids as uuid[]))
"""
_CRISIS = {"crisis_phones": CRISIS_PHONES, "crisis_tags": CRISIS_TAGS}
_READ = text(_FACTS)
# From 1 on it is listed: a year without a look, a crisis line after three months, anything that somebody reports.
_WEIGH = text(f"""
insert into verification_needs (resource_id, priority, states, categories, source, found_at)
select id, priority, states, categories, source, now() from (
  select id, states, categories, source, 2 * least(reports, 5) + case when has_flagged_link then 2 else 0 end
    + years * (1 + log(1 + views) + case
    when is_crisis_line then 3 when is_national_line then 1 else 0 end) as priority
  from ({_FACTS}) facts
) weighed
where priority >= 1 order by id
on conflict (resource_id) do update set priority = excluded.priority, states = excluded.states,
  categories = excluded.categories, source = excluded.source, found_at = excluded.found_at
""")  # noqa: S608  texts of ours
_NEXT = text("select id from published_resources where id > :after order by id limit :size")
_NOW = text("select now()")
_FORGET = text("delete from verification_needs where found_at < :began_at")


async def refresh_worklist(database: Database) -> int:
    """Weigh anew what needs to be verified; return how many are listed. Each batch is a transaction of its own."""
    async with own_transaction(database) as session:
        began_at = (await session.execute(_NOW)).scalar_one()
    listed, after = 0, _BEGINNING
    while True:
        async with own_transaction(database) as session:
            ids = list((await session.execute(_NEXT, {"after": after, "size": _BATCH})).scalars())
            weighed: Any = await session.execute(_WEIGH, {"ids": ids, **_CRISIS})
            listed += int(weighed.rowcount)
        if len(ids) < _BATCH:
            break
        after = ids[-1]
    async with own_transaction(database) as session:
        await session.execute(_FORGET, {"began_at": began_at})
    return listed


async def list_worklist(session: Session, query: WorklistQuery, cursors: Cursors) -> Slice:
    """Return one page of what needs to be verified, the most urgent first.

    It was weighed when `refresh_worklist` ran last; what somebody has verified since, or archived, is gone at once.
    """
    given = {name: values for name in _FILTERS if (values := getattr(query, name))}
    found = await _listing(frozenset(given)).read(session, query, cursors, given)
    facts = await _read_facts(session, [row.resource_id for row in found.rows])
    return found.slice(lambda row: _item(row.priority, facts[row.resource_id]).model_dump_json())


def _texts(name: str) -> ColumnElement[Any]:
    return bindparam(name, type_=ARRAY(Text))


_FILTERS: dict[str, ColumnElement[bool]] = {
    "state": N.states.op("&&")(_texts("state")),
    "category": N.categories.op("&&")(_texts("category")),
    "source": N.source == any_(_texts("source")),
}


@lru_cache(maxsize=8)
def _listing(names: frozenset[str]) -> Listing:
    unverified = or_(R.verified_at.is_(None), R.verified_at < N.found_at)
    waiting = (
        select(N.resource_id, N.priority)
        .join(resources, R.id == N.resource_id)
        .where(R.status == Status.PUBLISHED.value, unverified, *(_FILTERS[name] for name in sorted(names)))
    )
    return Listing(waiting, _URGENT_FIRST)


async def _read_facts(session: Session, ids: Sequence[UUID]) -> dict[UUID, Any]:
    rows = await session.execute(_READ, {"ids": ids, **_CRISIS})
    return {row.id: row for row in rows}


def _item(priority: float, facts: Any) -> WorklistItem:  # noqa: ANN401  a row
    shown = {name: getattr(facts, name) for name in ("id", "version", "title", "phone", "states", "source")}
    return WorklistItem(
        **shown,
        etag=version_etag(facts.version),
        priority=round(priority, 2),
        verified_at=facts.verified_at,
        reasons=list(_reasons(facts)),
    )


def _reasons(facts: Any) -> Iterator[str]:  # noqa: ANN401  a row
    if facts.verified_at is not None:
        yield f"Last verified on {facts.verified_at.date()}"
    elif facts.as_of is not None:
        yield f"Never verified; its source's facts are as of {facts.as_of}"
    else:
        yield f"Never verified; here since {facts.created_at.date()}"
    if facts.is_crisis_line:
        yield "A crisis line"
    elif facts.is_national_line:
        yield "A national program with a telephone number"
    if facts.reports:
        yield f"{facts.reports} open {'report says' if facts.reports == 1 else 'reports say'} that something is wrong"
    if facts.has_flagged_link:
        yield "Its web site does not answer, or not as it did"
    if facts.views:
        yield f"{facts.views} {'view' if facts.views == 1 else 'views'} in 30 days"
