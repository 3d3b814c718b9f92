"""What reviewers see of links: those that are flagged, and which resources name them."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    CompoundSelect,
    DateTime,
    TextualSelect,
    Uuid,
    func,
    or_,
    select,
    text,
    union_all,
)

from vibe4vets.connectors.link_models import links
from vibe4vets.connectors.schemas.links import MOST_USES, LinkFlag, LinkQuery, LinkRead
from vibe4vets.core.database import Session
from vibe4vets.core.pagination import Cursors, Listing, Order, Slice
from vibe4vets.resources.models import Status, organizations, resources, sources

L, R, O = links.c, resources.c, organizations.c  # noqa: E741  as in the statement
_IS_FLAGGED = or_(L.broken_at.is_not(None), L.suspicion.is_not(None))
_FLAGGED_AT = func.coalesce(L.broken_at, L.suspected_at)
_LONGEST_FLAGGED = Order((_FLAGGED_AT, L.key), (datetime.fromisoformat, str))
_FLAGS = {LinkFlag.BROKEN: L.broken_at.is_not(None), LinkFlag.SUSPECT: L.suspicion.is_not(None)}
_SHOWN = (
    L.url, L.broken_at, L.failures, L.first_failed_at, L.suspicion, L.suspected_at, L.checked_at, L.finding, L.status,
    L.final_url,
)  # fmt: skip

_USES = text("""
select url, field, id, title, organization, uses from (
  select u.*, count(*) over (partition by url) as uses,
    row_number() over (partition by url order by title, id) as place
  from (
    select r.website as url, 'website' as field, r.id, r.title, o.name as organization
    from resources r join organizations o on o.id = r.organization_id
    where r.status = 'published' and r.website = any(cast(:urls as text[]))
    union all
    select o.website, 'organization.website', r.id, r.title, o.name
    from resources r join organizations o on o.id = r.organization_id
    where r.status = 'published' and o.website = any(cast(:urls as text[])) and r.website is distinct from o.website
  ) u
) placed
where place <= :most order by url, place
""")


FLAGGED_RESOURCES = """
select used.resource_id, min(coalesce(l.broken_at, l.suspected_at)) as flagged_at,
  bool_or(l.broken_at is not null) as is_broken
from links l join (
  select id as resource_id, website as url from resources where status = 'published'
  union all
  select r.id, o.website from resources r join organizations o on o.id = r.organization_id where r.status = 'published'
) used on used.url = l.url
where l.broken_at is not null or l.suspicion is not null
group by used.resource_id
"""
"""The published resources with a flagged link, their own or their organization's, once each; to be joined."""


async def list_links(session: Session, query: LinkQuery, cursors: Cursors) -> Slice:
    """Return one page of the flagged links that match `query`, those first that have been flagged for the longest."""
    listing = Listing(select(*_SHOWN).where(*_conditions(query)), _LONGEST_FLAGGED)
    found = await listing.read(session, query, cursors)
    uses = await _uses(session, [row.url for row in found.rows])
    return found.slice(lambda row: _document(row, uses[row.url]))


def flagged_resources() -> TextualSelect:
    """`FLAGGED_RESOURCES`, to join by `.subquery()`: who verified one after its `flagged_at` has seen what is wrong."""
    return text(FLAGGED_RESOURCES).columns(resource_id=Uuid, flagged_at=DateTime(timezone=True), is_broken=Boolean)


def _used() -> CompoundSelect[Any]:
    """Every published resource with each web site that it or its organization names."""
    published = R.status == Status.PUBLISHED
    of_organization = select(R.id, O.website).join_from(resources, organizations, O.id == R.organization_id)
    return union_all(
        select(R.id.label("resource_id"), R.website.label("url")).where(published, R.website.is_not(None)),
        of_organization.where(published, O.website.is_not(None)),
    )


def _conditions(query: LinkQuery) -> list[ColumnElement[bool]]:
    conditions = [_IS_FLAGGED, _used_by(query)]
    if query.flag:
        conditions.append(or_(*(_FLAGS[flag] for flag in query.flag)))
    if query.finding:
        conditions.append(L.finding.in_(query.finding))
    return conditions


def _used_by(query: LinkQuery) -> ColumnElement[bool]:
    """Somebody may have corrected or archived the last resource that named it since links were collected."""
    used = _used().subquery("used")
    urls = select(used.c.url)
    if query.source:
        of_source = select(R.id).join_from(resources, sources, sources.c.id == R.source_id)
        urls = urls.where(used.c.resource_id.in_(of_source.where(sources.c.slug.in_(query.source))))
    if query.resource_id is not None:
        urls = urls.where(used.c.resource_id == query.resource_id)
    return L.url.in_(urls)


async def _uses(session: Session, urls: Sequence[str]) -> dict[str, list[Any]]:
    uses: defaultdict[str, list[Any]] = defaultdict(list)
    for row in await session.execute(_USES, {"urls": urls, "most": MOST_USES}):
        uses[row.url].append(row)
    return uses


def _document(row: Any, uses: Sequence[Any]) -> str:  # noqa: ANN401  a row of SQLAlchemy's or of the driver's
    shown = {column.name: getattr(row, column.name) for column in _SHOWN}
    count = uses[0].uses if uses else 0  # none when the last one went just now
    return LinkRead.model_validate({**shown, "resource_count": count, "resources": uses}).model_dump_json()
