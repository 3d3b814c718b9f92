"""The names of what is published, as the suggestions read them: written in the transaction that publishes."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text

from vibe4vets.core.database import Session

# National programs first, then the most trusted: the order of equals while a person types.
_STORE_NAMES = text("""
with changed as (
  insert into published_names as known (id, title, organization, words, standing)
  select p.id, p.title_key, o.name_key,
    array_to_tsvector(array_remove(string_to_array(p.title_key || ' ' || o.name_key, ' '), '')),
    (p.scope = 'national')::integer + p.trust_score
  from published_resources p join organizations o on o.id = p.organization_id
  where p.id = any(cast(:ids as uuid[]))
  order by p.id
  on conflict (id) do update set
    title = excluded.title, organization = excluded.organization, words = excluded.words, standing = excluded.standing
  where (known.title, known.organization, known.standing)
    is distinct from (excluded.title, excluded.organization, excluded.standing)
  returning words
)
insert into published_words as known (word, uses)
select word, count(*) from changed cross join lateral unnest(tsvector_to_array(words)) word
group by word order by word
on conflict (word) do update set uses = known.uses + excluded.uses
""")
_FORGET_WORDS = text("delete from published_words")
_COUNT_WORDS = text("""
insert into published_words (word, uses)
select word, count(*) from published_names cross join lateral unnest(tsvector_to_array(words)) word group by word
""")


async def store_names(session: Session, ids: Sequence[UUID]) -> None:
    """Write the names of `ids`, which are published. Counts of words only grow: `count_name_words` sets them right."""
    await session.execute(_STORE_NAMES, {"ids": ids})


async def count_name_words(session: Session) -> None:
    """Count the words of all names anew."""
    await session.execute(_FORGET_WORDS)
    await session.execute(_COUNT_WORDS)
