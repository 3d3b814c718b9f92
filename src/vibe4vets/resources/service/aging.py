"""Trust ages by itself: what is published is rendered anew where it shows, and nothing else of it changes."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text

from vibe4vets.core.database import Database, Session, own_transaction
from vibe4vets.core.documents import etag_of, json_array
from vibe4vets.core.schemas import Output
from vibe4vets.resources.service.publishing import TRUST, read_resources

_BATCH = 500
_BEGINNING = UUID(int=0)

# By the number of rows looked at, not of those that have aged: one batch must stay quick where few have.
_NEXT = text(f"""
select p.id,
  p.trust_score <> cast(round(t.reliability * t.freshness, 4) as float8)
    or cast(cast(p.document as json) #>> '{{trust,freshness}}' as numeric) <> round(t.freshness, 4) as has_aged
from (select * from published_resources where id > :after order by id limit :size) p
join resources r on r.id = p.id
join sources s on s.id = r.source_id
cross join lateral ({TRUST}) t
order by p.id
""")  # noqa: S608  two texts of ours
# Whoever holds a row is about to render it; waiting for an import would only delay the rest.
_LOCK = text("""
select id from resources where id = any(cast(:ids as uuid[])) order by id for no key update skip locked
""")
_STORE = text("""
update published_resources p set document = aged.document, etag = aged.etag, trust_score = aged.trust_score
from jsonb_to_recordset(cast(:aged as jsonb)) as aged(id uuid, document text, etag text, trust_score double precision)
where p.id = aged.id
""")
_RANK = text("""
update published_names n set standing = (p.scope = 'national')::integer + p.trust_score
from published_resources p where p.id = n.id and p.id = any(cast(:ids as uuid[]))
""")


class _Aged(Output):
    id: UUID
    document: str
    etag: str
    trust_score: float


async def refresh_trust(database: Database) -> int:
    """Bring the trust of every published document up to this day; return how many were written.

    Neither `version` and `updated_at` nor the feed of changes tell of it; the ETag does, since the body differs. Each
    batch is a transaction of its own, and what is up to date is passed over: killed half way, run it again.
    """
    written, after = 0, _BEGINNING
    while True:
        async with own_transaction(database) as session:
            rows = (await session.execute(_NEXT, {"after": after, "size": _BATCH})).all()
            written += await _age(session, [row.id for row in rows if row.has_aged])
        if len(rows) < _BATCH:
            return written
        after = rows[-1].id


async def _age(session: Session, ids: Sequence[UUID]) -> int:
    if not ids:
        return 0
    locked = list((await session.execute(_LOCK, {"ids": ids})).scalars())
    rendered = (await read_resources(session, locked)).values()
    aged = []
    for resource in rendered:
        document = resource.model_dump_json()
        aged.append(_Aged(id=resource.id, document=document, etag=etag_of(document), trust_score=resource.trust.score))
    await session.execute(_STORE, {"aged": json_array(row.model_dump_json() for row in aged)})
    await session.execute(_RANK, {"ids": locked})
    return len(aged)
