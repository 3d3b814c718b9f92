"""The published read model: what the public sees, written in the transaction that publishes it."""

import asyncio
import json
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import text

from vibe4vets.core.database import Session
from vibe4vets.core.documents import etag_of, json_array
from vibe4vets.resources.schemas import ResourceRead
from vibe4vets.resources.service.changes import renumber_changes
from vibe4vets.resources.service.naming import count_name_words, store_names
from vibe4vets.resources.service.opening import open_hours, open_week, possible_zones
from vibe4vets.resources.service.places.areas import areas_of
from vibe4vets.resources.service.search import Indexed, count_words, index_resources, load_lexicon

DOCUMENT_VERSION = 4
"""Raised whenever `ResourceRead` or the columns below change: `reindex` renders what an older one rendered."""

_PUBLISH = text("""
update resources set status = 'published', version = version + 1, updated_at = now()
where id = any(cast(:ids as uuid[])) and status <> 'published'
""")

_LOCK = text("select id from resources where id = any(cast(:ids as uuid[])) order by id for no key update")

TRUST = """
  select 1.2 - 0.2 * s.tier as reliability, greatest(0.1, power(0.5::float8,
    greatest(0, extract(epoch from now() - coalesce(r.verified_at, r.as_of, r.created_at)))::float8 / (365 * 86400)
  ))::numeric as freshness
"""
"""By the contract: the tier's reliability, and a freshness that halves every 365 days; of the rows `r` and `s`."""

RENDERED = f"""
select r.id, r.version, json_build_object(
  'id', r.id, 'version', r.version, 'title', r.title, 'summary', r.summary, 'description', r.description,
  'eligibility', r.eligibility, 'how_to_apply', r.how_to_apply,
  'organization', json_build_object('id', o.id, 'name', o.name, 'website', o.website),
  'categories', r.categories, 'tags', r.tags, 'scope', r.scope, 'states', r.states,
  'phone', r.phone, 'phone_extension', r.phone_extension, 'email', r.email, 'website', r.website,
  'hours', json_build_object('text', r.hours_text, 'weekly', r.hours_weekly),
  'languages', r.languages, 'cost', r.cost, 'locations', coalesce(l.places, '[]'),
  'source', json_build_object('slug', s.slug, 'name', s.name, 'tier', s.tier, 'record_id', r.source_record_id,
    'url', r.source_url, 'licence', s.licence, 'attribution', s.attribution),
  'trust', json_build_object('score', round(t.reliability * t.freshness, 4), 'reliability', t.reliability,
    'freshness', round(t.freshness, 4), 'verified_at', r.verified_at),
  'status', r.status, 'created_at', r.created_at, 'updated_at', r.updated_at)::text as document
from resources r
join organizations o on o.id = r.organization_id
join sources s on s.id = r.source_id
cross join lateral ({TRUST}) t
left join lateral (
  select json_agg(json_build_object('id', id, 'name', name, 'street', street, 'city', city, 'county', county,
    'state', state, 'postal_code', postal_code, 'latitude', latitude, 'longitude', longitude,
    'time_zone', time_zone) order by position) as places
  from locations where resource_id = r.id
) l on true
where r.id = any(cast(:ids as uuid[]))
"""  # noqa: S608  two texts of ours
"""The working rows `ids`, of any status, each as the JSON of a `ResourceRead`."""

_RENDER = text(RENDERED)

_STORE = text("""
insert into published_resources (
  id, document, document_version, etag, title_key, organization_id, categories, tags, states, languages,
  cities, areas, open_hours, time_zones, open_week, scope, source, trust_score, updated_at)
select r.id, p.document, :document_version, p.etag,
  fold(r.title), r.organization_id, r.categories, r.tags, l.states, r.languages, l.cities, p.areas,
  p.open_hours, p.time_zones, p.open_week, r.scope, s.slug, p.trust_score, r.updated_at
from jsonb_to_recordset(cast(:documents as jsonb)) as p(
  id uuid, document text, etag text, trust_score double precision, areas integer[], open_hours integer[],
  time_zones text[], open_week int4multirange)
join resources r on r.id = p.id
join organizations o on o.id = r.organization_id
join sources s on s.id = r.source_id
cross join lateral (
  select coalesce(array_agg(distinct fold(city)) filter (where city is not null), '{}') as cities,
    array(select unnest(r.states) union select state from locations where resource_id = r.id and state is not null
      order by 1) as states
  from locations where resource_id = r.id
) l
order by r.id
on conflict (id) do update set
  document = excluded.document, document_version = excluded.document_version, etag = excluded.etag,
  title_key = excluded.title_key, organization_id = excluded.organization_id,
  categories = excluded.categories, tags = excluded.tags, states = excluded.states, languages = excluded.languages,
  cities = excluded.cities, areas = excluded.areas, open_hours = excluded.open_hours,
  time_zones = excluded.time_zones, open_week = excluded.open_week, scope = excluded.scope,
  source = excluded.source, trust_score = excluded.trust_score, updated_at = excluded.updated_at
""")

_FORGET_LOCATIONS = text("delete from published_locations where resource_id = any(cast(:ids as uuid[]))")
_STORE_LOCATIONS = text("""
insert into published_locations (resource_id, position, latitude, longitude)
select resource_id, position, latitude, longitude
from locations where resource_id = any(cast(:ids as uuid[])) and latitude is not null
order by resource_id, position
""")

_WITHDRAW = text("""
with gone as (
  update resources set status = 'archived', version = version + 1, updated_at = now()
  where id = any(cast(:ids as uuid[])) and status = 'published' returning id
), removed as (
  delete from published_resources p using gone where p.id = gone.id
)
insert into withdrawn_resources (id, successor_id, withdrawn_at) select id, :successor_id, now() from gone
""")

_BACK = text("delete from withdrawn_resources where id = any(cast(:ids as uuid[]))")


async def publish_resources(session: Session, ids: Sequence[UUID]) -> None:
    """Show the working content of `ids` to the public, in this transaction; their rows stay locked until it ends."""
    await session.execute(_LOCK, {"ids": ids})
    await session.execute(_PUBLISH, {"ids": ids})
    await session.execute(_BACK, {"ids": ids})
    await render_resources(session, ids)


async def read_resources(session: Session, ids: Sequence[UUID]) -> dict[UUID, ResourceRead]:
    """The working rows of `ids`, whatever their status, in no order; unknown ids are left out."""
    rows = await session.execute(_RENDER, {"ids": ids})
    return {row.id: ResourceRead.model_validate_json(row.document) for row in rows}


async def render_resources(session: Session, ids: Sequence[UUID]) -> None:
    """Write the read model of `ids`, which are published, anew from their working rows."""
    rendered = list((await read_resources(session, ids)).values())
    lexicon = await load_lexicon(session)
    # of a batch it takes half a second to read the texts: time in which the database writes the documents
    indexed = asyncio.create_task(asyncio.to_thread(Indexed.of, rendered, lexicon))
    documents = json_array(map(_stored, rendered))
    await session.execute(_STORE, {"documents": documents, "document_version": DOCUMENT_VERSION})
    await session.execute(_FORGET_LOCATIONS, {"ids": ids})
    await session.execute(_STORE_LOCATIONS, {"ids": ids})
    await store_names(session, ids)
    await index_resources(session, await indexed)


def _stored(resource: ResourceRead) -> str:
    document, zones = resource.model_dump_json(), possible_zones(resource)
    return json.dumps(
        {
            "id": str(resource.id),
            "document": document,
            "etag": etag_of(document),
            "trust_score": resource.trust.score,
            "areas": areas_of(resource),
            "open_hours": open_hours(resource.hours.weekly, zones),
            "time_zones": zones,
            "open_week": open_week(resource.hours.weekly),
        }
    )


async def withdraw_resources(session: Session, ids: Sequence[UUID], *, successor_id: UUID | None = None) -> None:
    """Archive what is published of `ids`: out of every public read, with a tombstone that names the successor."""
    await session.execute(_WITHDRAW, {"ids": ids, "successor_id": successor_id})


_NEXT = text("""
select id from resources where status = 'published' and (cast(:after as uuid) is null or id > :after)
order by id limit :size
""")

# The triggers keep these counts; after a damage they are counted anew, while nobody publishes.
_QUIET = text("lock table published_resources in share row exclusive mode")
_FORGET_TERMS = text("delete from published_terms")
_COUNT_TERMS = text("""
insert into published_terms (kind, value, uses)
select kind, value, count(*)
from published_resources cross join lateral (
  select 'category', unnest(categories) union all select 'tag', unnest(tags) union all select 'state', unnest(states)
) term(kind, value)
group by kind, value
""")

_COUNT = text("select count(*) from resources where status = 'published'")

_STRAY = text("""
delete from published_resources p
where not exists (select from resources r where r.id = p.id and r.status = 'published')
""")
# A trigger deletes these with their resource; no foreign key watches over them.
_STRAY_PARTS: Final = [
    text(f"delete from {table} part where not exists (select from published_resources where id = part.{column})")  # noqa: S608
    for table, column in (("published_locations", "resource_id"), ("published_names", "id"), ("search_rows", "id"))
]


async def reindex_batch(session: Session, *, after: UUID | None, size: int = 1000) -> list[UUID]:
    """Render the next `size` published resources after the id `after`; return their ids, empty at the end."""
    ids = list((await session.execute(_NEXT, {"after": after, "size": size})).scalars())
    if ids:
        await session.execute(_LOCK, {"ids": ids})
        await render_resources(session, ids)
    return ids


async def remove_strays(session: Session) -> None:
    """Delete from the read model whatever is not published, count its terms and words anew, and order its changes."""
    await session.execute(_QUIET)
    for stray in (_STRAY, *_STRAY_PARTS):
        await session.execute(stray)
    await session.execute(_FORGET_TERMS)
    await session.execute(_COUNT_TERMS)
    await count_words(session)
    await count_name_words(session)
    await renumber_changes(session)


async def count_published(session: Session) -> int:
    """How many resources are published, counted on the working rows."""
    return int((await session.execute(_COUNT)).scalar_one())
