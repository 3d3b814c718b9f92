"""The search rows of what is published, and the words of the directory: written where the documents are."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from sqlalchemy import text

from vibe4vets.core.database import Session
from vibe4vets.resources.folding import fold
from vibe4vets.resources.geography import STATES
from vibe4vets.resources.models import EntryKind, Scope
from vibe4vets.resources.schemas import ResourceRead
from vibe4vets.resources.service.search import codes
from vibe4vets.resources.service.search.conversation import COMMON, EVERYDAY
from vibe4vets.resources.service.search.lexicon import Lexicon

# In static order: of what is equally good a cap keeps what comes first.
_STORE = text("""
insert into search_rows as known (id, title, organization, categories, tags, derived_tags, states, scope, cities,
  counties, latitudes, longitudes, completeness, region, words)
select id, title, organization, categories, tags, derived_tags, states, scope, cities, counties, latitudes, longitudes,
  completeness, region,
  setweight(to_tsvector('vibe4vets', title), 'A')
    || setweight(to_tsvector('vibe4vets', labels), 'B')
    || setweight(to_tsvector('vibe4vets', fold(description)), 'C')
    || setweight(to_tsvector('vibe4vets', place), 'D')
    || array_to_tsvector(facts)
from jsonb_to_recordset(cast(:rows as jsonb)) as r(
  id uuid, title text, organization text, labels text, description text, place text, facts text[],
  categories text[], tags text[], derived_tags text[], states text[], scope text, cities text[], counties text[],
  latitudes real[], longitudes real[], completeness real, region text)
order by region collate "C", completeness desc, id
on conflict (id) do update set
  title = excluded.title, organization = excluded.organization, categories = excluded.categories,
  tags = excluded.tags, derived_tags = excluded.derived_tags, states = excluded.states, scope = excluded.scope,
  cities = excluded.cities, counties = excluded.counties, latitudes = excluded.latitudes,
  longitudes = excluded.longitudes, completeness = excluded.completeness, region = excluded.region,
  words = excluded.words
""")

# A word that somebody publishes is known from that moment on; how frequent it is can wait for the next count.
_WORD_OF = """
select word,
  case when word ~ '^[a-z]+$' then coalesce((ts_lexize('english_stem', word))[1], '') else word end as lexeme,
"""
_LEARN_WORDS = text(f"""
insert into search_words (word, lexeme, resources)
{_WORD_OF} 1 from unnest(cast(:words as text[])) as word
order by word on conflict (word) do nothing
""")
_LEARN_LEXEMES = text(f"""
insert into search_lexemes (lexeme, resources)
select distinct lexeme, 1
from (
  select lexeme from ({_WORD_OF} 1 from unnest(cast(:words as text[])) as word) known
  union all select unnest(cast(:codes as text[]))
) new
where lexeme <> ''
order by lexeme on conflict (lexeme) do nothing
""")
_MERGE_WORDS = text("select merge_pending_words()")
_COUNT_WORDS = text(f"""
with counted as materialized (
  select word, ndoc from ts_stat($$
    select to_tsvector('simple', fold(concat_ws(' ', r.title, o.name, array_to_string(r.tags, ' '), r.summary,
      r.description, array_to_string(r.eligibility, ' '),
      (select string_agg(concat_ws(' ', l.city, l.county), ' ') from locations l where l.resource_id = r.id))))
    from search_rows s join resources r on r.id = s.id join organizations o on o.id = r.organization_id
  $$)
), gone as (
  delete from search_words known where not exists (select from counted where counted.word = known.word)
)
insert into search_words as known (word, lexeme, resources)
{_WORD_OF} ndoc from counted order by 1
on conflict (word) do update set resources = excluded.resources where known.resources <> excluded.resources
""")
_COUNT_LEXEMES = text("""
with counted as materialized (select word as lexeme, ndoc from ts_stat('select words from search_rows')), gone as (
  delete from search_lexemes known where not exists (select from counted where counted.lexeme = known.lexeme)
)
insert into search_lexemes as known (lexeme, resources)
select lexeme, ndoc from counted order by lexeme
on conflict (lexeme) do update set resources = excluded.resources where known.resources <> excluded.resources
""")
_RENEW = text("""
update search_state set vocabulary = gen_random_uuid(), resources = (select count(*) from search_rows)
""")
_GROWN = text("""
select (select count(*) from search_rows) > resources * 1.1 or resources > (select count(*) from search_rows) * 1.1
from search_state
""")


@dataclass(frozen=True, slots=True)
class Indexed:
    """What the search is to know of some resources."""

    rows: str
    """As JSON."""
    words: Sequence[str]
    facts: Sequence[str]

    @classmethod
    def of(cls, resources: Sequence[ResourceRead], lexicon: Lexicon) -> Self:
        """The search rows of `resources`, and all that they say."""
        rows = [search_row(resource, lexicon) for resource in resources]
        words = {word for row in rows for word in fold(row.pop("texts")).split()}
        facts = {code for row in rows for code in row["facts"]}
        return cls(json.dumps(rows), sorted(words), sorted(facts))


async def index_resources(session: Session, indexed: Indexed) -> None:
    """Write the search rows of resources whose documents are published in the same transaction."""
    await session.execute(_STORE, {"rows": indexed.rows})
    await session.execute(_LEARN_WORDS, {"words": indexed.words})
    await session.execute(_LEARN_LEXEMES, {"words": indexed.words, "codes": indexed.facts})
    await session.execute(_MERGE_WORDS)


async def count_words(session: Session, *, unless_current: bool = False) -> None:
    """Count the words of the directory anew; `unless_current`, only if it grew or shrank by a tenth since."""
    if unless_current and not (await session.execute(_GROWN)).scalar_one():
        return
    for statement in (_COUNT_WORDS, _COUNT_LEXEMES, _RENEW):
        await session.execute(statement)


def search_row(resource: ResourceRead, lexicon: Lexicon) -> dict[str, Any]:
    """What is stored of one resource, and its `texts`; they are folded, so that search and query have one spelling."""
    title, organization = fold(resource.title), fold(resource.organization.name)
    derived = derive_tags(resource, lexicon)
    labels = " ".join(label.replace("-", " ") for label in resource.tags)
    description = " ".join(part for part in (resource.summary, resource.description) if part)
    places = [
        part
        for place in resource.locations
        for part in (place.city, _county(place.county), STATES.get(place.state or ""), place.postal_code)
        if part
    ]
    points = [place for place in resource.locations if place.latitude is not None]
    states = {*resource.states, *(place.state for place in resource.locations if place.state)}
    served = [STATES[state] for state in resource.states]
    return {
        "id": str(resource.id),
        "title": title,
        "organization": organization,
        "labels": labels if organization == title else f"{organization} {labels}",
        "description": description,
        "place": fold(" ".join([*dict.fromkeys([*places, *served]), *resource.eligibility])),
        "texts": " ".join([title, organization, labels, description, *places, *resource.eligibility]),
        "facts": [*codes.facts(resource, derived), *_named_places(resource)],
        "categories": resource.categories,
        "tags": resource.tags,
        "derived_tags": derived,
        "states": sorted(states),
        "scope": resource.scope,
        "cities": _folded(place.city for place in resource.locations),
        "counties": _folded(_county(place.county, suffix="") for place in resource.locations),
        "latitudes": [place.latitude for place in points],
        "longitudes": [place.longitude for place in points],
        "completeness": _completeness(resource),
        "region": _region(resource),
    }


def _named_places(resource: ResourceRead) -> list[str]:
    """The cities and counties that it is in, as codes."""
    named = []
    for place in resource.locations:
        if place.state and place.city:
            named.append(codes.city(place.state, fold(place.city)))
        if place.state and (county := _county(place.county, suffix="")):
            named.append(codes.county(place.state, fold(county)))
    return list(dict.fromkeys(named))


def _region(resource: ResourceRead) -> str:
    """The same beginning for what is close to one another; national programs last, whom a cap may cut off first."""
    if resource.scope is Scope.NATIONAL:
        return "~"
    for place in resource.locations:
        if place.latitude is not None and place.longitude is not None:
            squares = [codes.cell(place.latitude, place.longitude, parts) for parts in codes.GRIDS]
            return " ".join([place.state or "", *squares])
    return min(resource.states, default="")


def _folded(names: Any) -> list[str]:  # noqa: ANN401
    return list(dict.fromkeys(fold(name) for name in names if name))


_COUNTY_KINDS = (" county", " parish", " borough")


def _county(name: str | None, *, suffix: str = " County") -> str | None:
    if not name:
        return None
    folded = name.lower()
    for kind in _COUNTY_KINDS:
        if folded.endswith(kind):
            return name if suffix else name[: -len(kind)]
    return f"{name}{suffix}"


def _completeness(resource: ResourceRead) -> float:
    """The part of what helps to reach it that is known."""
    places = resource.locations
    known = (
        resource.phone,
        resource.website,
        resource.hours.text,
        any(place.latitude is not None for place in places),
        any(place.street for place in places),
    )
    return sum(map(bool, known)) / len(known)


def derive_tags(resource: ResourceRead, lexicon: Lexicon) -> list[str]:
    """Tags that the text earns though the source gives them not: from phrases of several words, and acronyms.

    Single everyday words are left out: "community" in a description makes no support group.
    """
    words = fold(f"{resource.title} . {resource.summary or ''} . {resource.description}").split()
    found = [
        code
        for match in lexicon.matches(words)
        if _is_telling(words[match.start : match.end], match.meaning.kind)
        for code in match.meaning.primary
        if not code.startswith("e:")
    ]
    return [code for code in dict.fromkeys(found) if code not in resource.tags]


def _is_telling(words: Sequence[str], kind: EntryKind) -> bool:
    content = [word for word in words if word not in COMMON]
    if kind is EntryKind.ACRONYM:
        return len(words) > 1 or len(words[0]) > 3  # noqa: PLR2004  "aa" and "na" are other things, too
    return len(content) > 1 and any(word not in EVERYDAY for word in content)
