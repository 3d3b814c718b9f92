"""Writing records into the working directory, set-wise: one statement a table, whatever the number of rows."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text

from vibe4vets.core.database import Session
from vibe4vets.core.documents import json_array
from vibe4vets.resources.models import Status
from vibe4vets.resources.schemas import SourceIntake

_SOURCES = text("""
insert into sources as s (slug, name, tier, url, licence, attribution)
select slug, name, tier, url, licence, attribution
from jsonb_to_recordset(cast(:sources as jsonb))
  as r(slug text, name text, tier smallint, url text, licence text, attribution text)
order by slug
on conflict (slug) do update
  set name = excluded.name, tier = excluded.tier, url = excluded.url, licence = excluded.licence,
      attribution = excluded.attribution, updated_at = now()
  where (s.name, s.tier, s.url, s.licence, s.attribution)
    is distinct from (excluded.name, excluded.tier, excluded.url, excluded.licence, excluded.attribution)
""")

_ORGANIZATIONS = text("""
insert into organizations (source_id, name, name_key)
select distinct on (id, key) id, name, key
from (
  select s.id, r.organization as name, fold(r.organization) as key
  from (
    select distinct source, organization
    from jsonb_to_recordset(cast(:records as jsonb)) as r(source text, organization text)
  ) r
  join sources s on s.slug = r.source
) named
order by id, key, name
on conflict (source_id, name_key) do nothing
""")

_RESOURCES = text("""
insert into resources as known (
  source_id, source_record_id, source_url, organization_id, version, status, title, summary, description,
  eligibility, how_to_apply, categories, tags, scope, states, phone, phone_extension, email, website,
  hours_text, hours_weekly, languages, cost, as_of)
select s.id, r.source_record_id, r.source_url, o.id, 1, :status, r.title, r.summary, r.description,
  r.eligibility, r.how_to_apply, r.categories, r.tags, r.scope, r.states, r.phone, r.phone_extension, r.email,
  r.website, r.hours_text, nullif(r.hours_weekly, 'null'::jsonb), r.languages, r.cost, r.as_of
from jsonb_to_recordset(cast(:records as jsonb)) as r(
  source text, source_record_id text, source_url text, organization text, title text, summary text,
  description text, eligibility text[], how_to_apply text, categories text[], tags text[], scope text,
  states text[], phone text, phone_extension text, email text, website text, hours_text text,
  hours_weekly jsonb, languages text[], cost text, as_of date)
join sources s on s.slug = r.source
join organizations o on o.source_id = s.id and o.name_key = fold(r.organization)
order by s.id, r.source_record_id
on conflict (source_id, source_record_id) do update set
  source_url = excluded.source_url, organization_id = excluded.organization_id, version = known.version + 1,
  title = excluded.title, summary = excluded.summary, description = excluded.description,
  eligibility = excluded.eligibility, how_to_apply = excluded.how_to_apply, categories = excluded.categories,
  tags = excluded.tags, scope = excluded.scope, states = excluded.states, phone = excluded.phone,
  phone_extension = excluded.phone_extension, email = excluded.email, website = excluded.website,
  hours_text = excluded.hours_text, hours_weekly = excluded.hours_weekly, languages = excluded.languages,
  cost = excluded.cost, as_of = excluded.as_of, updated_at = now()
returning id
""")

_LOCATIONS = text("""
with incoming as (
  select known.id as resource_id, l.*, l.at - 1 as position
  from jsonb_to_recordset(cast(:records as jsonb)) as r(source text, source_record_id text, locations jsonb)
  join sources s on s.slug = r.source
  join resources known on known.source_id = s.id and known.source_record_id = r.source_record_id
  cross join lateral rows from (jsonb_to_recordset(r.locations) as (
    name text, street text, city text, county text, state text, postal_code text,
    latitude double precision, longitude double precision, time_zone text)) with ordinality
    as l(name, street, city, county, state, postal_code, latitude, longitude, time_zone, at)
), surplus as (
  delete from locations old using unnest(cast(:ids as uuid[])) as given(id)
  where old.resource_id = given.id
    and not exists (select from incoming i where i.resource_id = old.resource_id and i.position = old.position)
)
insert into locations as old (
  resource_id, position, name, street, city, county, state, postal_code, latitude, longitude, time_zone)
select resource_id, position, name, street, city, county, state, postal_code, latitude, longitude, time_zone
from incoming
on conflict (resource_id, position) do update set
  name = excluded.name, street = excluded.street, city = excluded.city, county = excluded.county,
  state = excluded.state, postal_code = excluded.postal_code, latitude = excluded.latitude,
  longitude = excluded.longitude, time_zone = excluded.time_zone, updated_at = now()
""")


async def upsert_sources(session: Session, sources: Sequence[SourceIntake]) -> None:
    """Make the sources known, or bring what is known of them up to date; the slug decides which is which."""
    await session.execute(_SOURCES, {"sources": json_array(s.model_dump_json() for s in sources)})


async def upsert_resources(session: Session, records: Sequence[str], *, status: Status = Status.DRAFT) -> list[UUID]:
    """Write `records`, each a `ResourceIntake` as JSON, as working rows; return their ids, in no order.

    A new identity begins with `status`; a known one gets the new content and the next version. Their sources
    must be known. Nothing is shown here: whoever begins with `published` goes on to publish the ids.
    """
    batch = {"records": json_array(records)}
    await session.execute(_ORGANIZATIONS, batch)
    ids = list((await session.execute(_RESOURCES, {**batch, "status": status.value})).scalars())
    await session.execute(_LOCATIONS, {**batch, "ids": ids})
    return ids
