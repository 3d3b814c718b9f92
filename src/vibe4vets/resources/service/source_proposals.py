"""What a source would change and may not by itself: at most one open proposal for a resource, kept up to date."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text

from vibe4vets.core.audit import Actor, Target, record_event
from vibe4vets.core.database import Session
from vibe4vets.core.documents import json_array
from vibe4vets.resources.models import ProposalKind
from vibe4vets.resources.service.risk import PRIORITIES, risk_of

_OPEN = "select id, fingerprint, kind, changes from proposals where state = 'open' and fingerprint = any(:fingerprints)"
_READ = text(_OPEN)
_LOCK = text(f"{_OPEN} order by id for no key update")
_PUT = text("""
insert into proposals as p (kind, origin, state, version, resource_id, base_version, changes, note, risk, priority,
  fingerprint, submitter_kind, submitter_id)
select r.kind, 'connector', 'open', 1, known.id, case when r.kind <> 'create' then known.version end, r.changes, r.note,
  r.risk, r.priority, r.fingerprint, cast(:actor_kind as text), cast(:actor_id as text)
from jsonb_to_recordset(cast(:proposals as jsonb)) as r(kind text, resource_id uuid, changes jsonb, note text,
  risk text, priority smallint, fingerprint text)
join resources known on known.id = r.resource_id
order by known.id
on conflict (fingerprint) where state = 'open' do update set
  kind = excluded.kind, base_version = excluded.base_version, changes = excluded.changes, note = excluded.note,
  risk = excluded.risk, priority = excluded.priority, submitter_id = excluded.submitter_id, version = p.version + 1,
  updated_at = now()
  where (p.kind, p.changes, p.note) is distinct from (excluded.kind, excluded.changes, excluded.note)
returning id, changes
""")
_CLOSE = text("""
update proposals set state = 'rejected', public_reason = :reason, decided_at = now(), updated_at = now(),
  version = version + 1
where id = any(cast(:ids as uuid[])) and state = 'open' returning id
""")


@dataclass(frozen=True, slots=True)
class OpenProposal:
    """What a source's open proposal asks for."""

    id: UUID
    kind: ProposalKind
    changes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SourceProposal:
    """What a source would do with a resource, and what stands there."""

    kind: ProposalKind
    resource_id: UUID
    base: Mapping[str, Any]
    changes: Mapping[str, Any]
    """Of each field `before`, what the source said until now, and `after`, what it says."""
    note: str


async def read_source_proposals(
    session: Session, resource_ids: Sequence[UUID], *, lock: bool = False
) -> dict[UUID, OpenProposal]:
    """The open proposals of the sources of these resources, by resource; with `lock` they stay as they are.

    A reviewer locks the proposal before its resource: whoever locks both does so too.
    """
    if not resource_ids:
        return {}
    whose = {_fingerprint(id_): id_ for id_ in resource_ids}
    rows = await session.execute(_LOCK if lock else _READ, {"fingerprints": list(whose)})
    return {whose[row.fingerprint]: OpenProposal(row.id, ProposalKind(row.kind), row.changes) for row in rows}


async def put_source_proposals(
    session: Session, given: Sequence[SourceProposal], *, actor: Actor, target: Target
) -> None:
    """Queue what sources would do, with one event whose target is the run.

    An open one is brought up to date: whoever has read it is told so when deciding.
    """
    if not given:
        return
    documents = json_array(map(_document, given))
    who = {"actor_kind": actor.kind.value, "actor_id": actor.id}
    rows = (await session.execute(_PUT, {"proposals": documents, **who})).all()
    if rows:
        after = {str(row.id): row.changes for row in rows}
        count = {"proposals": str(len(rows))}
        await record_event(session, "directory.propose", actor=actor, target=target, after=after, details=count)


async def close_source_proposals(session: Session, ids: Sequence[UUID], reason: str, *, actor: Actor) -> None:
    """Take back what a source no longer asks for, or what has been done; `reason` is told."""
    if not ids:
        return
    for id_ in (await session.execute(_CLOSE, {"ids": ids, "reason": reason})).scalars():
        await record_event(session, "proposal.closed", actor=actor, target=Target("proposal", str(id_)))


def _document(given: SourceProposal) -> str:
    risk = risk_of(given.kind, given.base, given.changes)
    return json.dumps(
        {
            "kind": given.kind,
            "resource_id": str(given.resource_id),
            "changes": given.changes,
            "note": given.note,
            "risk": risk,
            "priority": PRIORITIES[risk],
            "fingerprint": _fingerprint(given.resource_id),
        }
    )


def _fingerprint(resource_id: UUID) -> str:
    """One for each resource, so that the index on open ones lets no second in."""
    return hashlib.sha256(f"the source of {resource_id}".encode()).hexdigest()
