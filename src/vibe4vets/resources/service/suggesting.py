"""Suggestions while a person types: names that begin so, then names with such words, then those of repaired words.

Each step reads only when the one before has not filled the page, and no step reads more than a few thousand
narrow rows: a key pressed costs the same in a directory of a million.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from string import ascii_lowercase
from typing import Any, Final

from sqlalchemy import ARRAY, Integer, Text, bindparam, text

from vibe4vets.core.database import Session, Statement
from vibe4vets.resources.folding import fold
from vibe4vets.resources.schemas import PlaceRead, SuggestionKind, SuggestQuery
from vibe4vets.resources.service.places import LivePlaces, Place
from vibe4vets.resources.terms import tag_name

_MOST_READ: Final = 5_000
"""Where every word is in more names than this, those of the best standing are looked through instead."""
_FEW: Final = {SuggestionKind.RESOURCE: 3, SuggestionKind.ORGANIZATION: 1}
"""Who has fewer than this may have slipped."""
_TELLING: Final = 3
"""So many letters are looked for within the names of organizations; fewer begin too many words."""
_SHORTEST, _MOST_REPAIRED = 4, 4
_SHARE_OF_OTHERS: Final = 4
"""One in so many places of a full page is kept for organizations, tags and places."""

# "!" and "~" sort directly before and after what follows a space in folded text.
_FIRST_OF_ONE: Final = "select cast(:first as text) as low, cast(:first as text) || '~' as high"
_FIRST_OF_SEVERAL: Final = """
with recursive known(word) as (
  (select split_part(title, ' ', 1) from published_names
   where title >= cast(:first as text) and title < cast(:first as text) || '~' order by title limit 1)
  union all
  select (select split_part(title, ' ', 1) from published_names
   where title >= known.word || '!' and title < cast(:first as text) || '~' order by title limit 1)
  from known where known.word is not null
)
select word || ' ' || cast(:second as text) as low, word || ' ' || cast(:second as text) || '~' as high
from (select word from known where word is not null limit 16) words
"""
_SUGGEST: Final = """
with ranges as materialized (FIRST),
starts as materialized (
  select found.* from ranges cross join lateral (
    select * from (
      select id, title, organization, standing from published_names
      where title >= low and title < high order by title limit 2000
    ) scanned where title ~ ('^' || cast(:pattern as text)) limit 200
  ) found
  where 'resource' = any(cast(:kinds as text[]))
  limit 400
),
rarest as materialized (
  select given, sum(uses) as uses from unnest(cast(:words as text[])) given
  join published_words on word >= given and word < given || '~'
  group by given order by 2, 1 limit 1
),
within as materialized (
  select id, title, organization, standing from published_names
  where (select count(*) from starts) < cast(:size as integer) and 'resource' = any(cast(:kinds as text[]))
    and (select uses from rarest) <= cast(:most as integer)
    and words @@ (select cast('''' || given || ''':*' as tsquery) from rarest)
    and ts_match_vq(words, cast(cast(:query as text) as tsquery))
  limit 400
),
foremost as materialized (
  select id, title, organization, standing from (
    select * from published_names order by standing desc, id limit cast(:most as integer)
  ) best_known
  where (select count(*) from starts) < cast(:size as integer) and 'resource' = any(cast(:kinds as text[]))
    and (select uses from rarest) > cast(:most as integer)
    and ts_match_vq(words, cast(cast(:query as text) as tsquery))
  limit 400
),
best as (
  select id, row_number() over (order by
    title ~ ('^' || cast(:pattern as text)) desc, title ~ ('(^| )' || cast(:pattern as text)) desc,
    (select bool_and(title ~ ('(^| )' || word)) from unnest(cast(:words as text[])) word) desc,
    standing desc, length(title), id) as place
  from (select * from starts union select * from within union select * from foremost) found
  order by place limit cast(:size as integer)
)
select 'resource' as kind, d ->> 'title' as text, place, null as value, json_build_object(
  'id', d -> 'id', 'title', d -> 'title', 'organization', d -> 'organization' -> 'name',
  'city', d -> 'locations' -> 0 -> 'city',
  'state', coalesce(d -> 'locations' -> 0 -> 'state',
    case when json_array_length(d -> 'states') = 1 then d -> 'states' -> 0 end),
  'source', json_build_object('slug', d -> 'source' -> 'slug', 'record_id', d -> 'source' -> 'record_id')
  )::text as resource
from best join published_resources p on p.id = best.id cross join lateral (select p.document::json as d) document
union all
(select 'organization', name, row_number() over (order by place, length(name_key), name_key), id, null
 from (
  (select name_key, min(name) as name, cast((array_agg(id order by id))[1] as text) as id, 1 as place
   from organizations o
   where 'organization' = any(cast(:kinds as text[])) and name_key like cast(:text as text) || '%'
     and exists (select from published_resources p where p.organization_id = o.id)
   group by name_key order by name_key limit cast(:size as integer))
  union all
  (select name_key, min(name), cast((array_agg(id order by id))[1] as text), 2
   from (
    select * from organizations
    where 'organization' = any(cast(:kinds as text[])) and length(cast(:text as text)) >= cast(:telling as integer)
      and to_tsvector('simple', name_key) @@ cast(cast(:query as text) as tsquery)
      and name_key not like cast(:text as text) || '%'
    limit 400
   ) o
   where exists (select from published_resources p where p.organization_id = o.id)
   group by name_key order by length(name_key), name_key limit cast(:size as integer))
 ) organizations
 order by place, length(name_key), name_key limit cast(:size as integer))
union all
(select 'tag', value, row_number() over (order by uses desc, value), value, null
 from published_terms
 where 'tag' = any(cast(:kinds as text[])) and kind = 'tag' and uses > 0
   and (value like cast(:tag as text) || '%' or value like '%-' || cast(:tag as text) || '%')
 order by uses desc, value limit cast(:size as integer))
order by kind, place
"""


def _statement(first: str) -> Statement:
    second = ["second"] if ":second" in first else []
    typed = text(_SUGGEST.replace("FIRST", first)).bindparams(
        *(bindparam(name, type_=Text) for name in ("first", "pattern", "query", "text", "tag", *second)),
        *(bindparam(name, type_=ARRAY(Text)) for name in ("kinds", "words")),
        *(bindparam(name, type_=Integer) for name in ("size", "most", "telling")),
    )
    return Statement(typed.columns())


_KNOWN: Final = Statement(
    text("""
select given, variant
from rows from (unnest(cast(:givens as text[])), unnest(cast(:variants as text[]))) with ordinality
  as tried(given, variant, place)
cross join lateral (
  select min(word) as word, sum(uses) as uses from published_words where word >= variant and word < variant || '~'
) known
where word is not null
order by uses * (1 + (word = variant)::int) desc, place
""")
    .bindparams(*(bindparam(name, type_=ARRAY(Text)) for name in ("givens", "variants")))
    .columns()
)
_ONE_WORD, _SEVERAL_WORDS = _statement(_FIRST_OF_ONE), _statement(_FIRST_OF_SEVERAL)


async def suggest(session: Session, query: SuggestQuery, places: LivePlaces) -> str:
    """Return what the fragment may become, as JSON; nothing when it has no letter or digit."""
    words = fold(query.q).split()
    if not words:
        return '{"items":[]}'
    kinds = query.kind or list(SuggestionKind)
    found = await _find(session, words, kinds, query.limit)
    scarce = [kind for kind, few in _FEW.items() if kind in kinds and len(found[kind]) < min(few, query.limit)]
    if scarce and (repaired := await _repair(session, words)) != words:
        meant = await _find(session, repaired, scarce, query.limit)
        for kind in scarce:
            found[kind] = list(dict.fromkeys([*found[kind], *meant[kind]]))
    if SuggestionKind.PLACE in kinds:
        gazetteer = await places.current(session)
        found[SuggestionKind.PLACE] = [_place_item(place) for place in gazetteer.complete(query.q, query.limit)]
    return f'{{"items":[{",".join(_mixed(found, query.limit))}]}}'


async def _find(session: Session, words: list[str], kinds: Sequence[str], limit: int) -> dict[str, list[str]]:
    """The items of each kind, as JSON."""
    statement = _SEVERAL_WORDS if len(words) > 1 else _ONE_WORD
    found: dict[str, list[str]] = {kind: [] for kind in SuggestionKind}
    for row in await session.rows(statement, _parameters(words, kinds, limit)):
        found[row.kind].append(_item(row))
    return found


async def _repair(session: Session, words: list[str]) -> list[str]:
    """The words, each that no name has replaced by one that a single slip of the finger away some name has."""
    tried = [(word, variant) for word in words[:_MOST_REPAIRED] for variant in _slips(word)]
    if not tried:
        return words
    givens, variants = zip(*tried, strict=True)
    rows = await session.rows(_KNOWN, {"givens": [*givens], "variants": [*variants]})
    meant: dict[str, str] = {}
    for row in rows:
        meant.setdefault(row.given, row.variant)
    return [meant.get(word, word) for word in words]


def _slips(word: str) -> Iterator[str]:
    """The word itself, and what one swapped, wrong, missing or added letter makes of it, the likeliest first."""
    if len(word) < _SHORTEST or not word.isalpha():
        return
    parts = [(word[:at], word[at:]) for at in range(len(word) + 1)]
    yield word
    yield from (head + tail[1] + tail[0] + tail[2:] for head, tail in parts if len(tail) > 1)
    yield from (head + letter + tail for head, tail in parts[1:] for letter in ascii_lowercase)
    yield from (head + tail[1:] for head, tail in parts[1:] if tail)
    yield from (head + letter + tail[1:] for head, tail in parts[1:] if tail for letter in ascii_lowercase)


def _parameters(words: Sequence[str], kinds: Sequence[str], limit: int) -> dict[str, Any]:
    return {
        "first": words[0],
        "second": words[1] if len(words) > 1 else "",
        "pattern": "[a-z0-9]* ".join(words),
        "query": " & ".join(f"'{word}':*" for word in words),
        "text": " ".join(words),
        "tag": "-".join(words),
        "words": [*words],
        "kinds": [*kinds],
        "size": limit,
        "most": _MOST_READ,
        "telling": _TELLING,
    }


def _item(row: Any) -> str:  # noqa: ANN401  a row of any statement
    name = tag_name(row.value) if row.kind == SuggestionKind.TAG else row.text
    organization = row.value if row.kind == SuggestionKind.ORGANIZATION else None
    tag = row.value if row.kind == SuggestionKind.TAG else None
    return _json(row.kind, name, resource=row.resource, organization_id=organization, tag=tag)


def _place_item(place: Place) -> str:
    known = PlaceRead(name=place.name, latitude=place.latitude, longitude=place.longitude)
    return _json(SuggestionKind.PLACE, place.name, place=known.model_dump_json())


def _json(  # noqa: PLR0913  what the four kinds carry
    kind: str,
    name: str,
    *,
    resource: str | None = None,
    organization_id: str | None = None,
    tag: str | None = None,
    place: str | None = None,
) -> str:
    return (
        f'{{"kind":"{kind}","text":{json.dumps(name)},"resource":{resource or "null"},'
        f'"organization_id":{json.dumps(organization_id)},"tag":{json.dumps(tag)},"place":{place or "null"}}}'
    )


def _mixed(found: Mapping[str, Sequence[str]], limit: int) -> list[str]:
    """Resources, then the best of each other kind in turn, which have at least a quarter of the page."""
    resources = found[SuggestionKind.RESOURCE]
    others = [
        item
        for turn in zip_longest(*(items for kind, items in found.items() if kind != SuggestionKind.RESOURCE))
        for item in turn
        if item is not None
    ]
    room = max(limit - len(resources), limit // _SHARE_OF_OTHERS)
    kept = others[:room]
    return [*resources[: limit - len(kept)], *kept]
