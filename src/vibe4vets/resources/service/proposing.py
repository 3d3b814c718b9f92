"""Proposals: what somebody wants changed, stored apart from what the public sees until a reviewer decides."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select, text

from vibe4vets.core.audit import Actor, Target, record_event
from vibe4vets.core.database import Session
from vibe4vets.core.errors import InvalidRequest, Violation
from vibe4vets.core.pagination import Cursors, Listing, Order, Slice
from vibe4vets.core.security import new_token, token_hash
from vibe4vets.resources.exceptions import ProposalNotFound, ResourceNotFound, SuggestionNotFound
from vibe4vets.resources.models import FeedbackKind, Origin, ProposalKind, ProposalState, proposals
from vibe4vets.resources.schemas import (
    Contact,
    FeedbackCreate,
    FieldChange,
    ProposalCreate,
    ProposalQuery,
    ProposalRead,
    SuggestionCreate,
    SuggestionReceipt,
    SuggestionStatus,
)
from vibe4vets.resources.service.content import content_of, differences, is_empty, settled
from vibe4vets.resources.service.publishing import read_resources
from vibe4vets.resources.service.risk import PRIORITIES, risk_of

P = proposals.c
_LATEST = Order((P.created_at, P.id), (datetime.fromisoformat, UUID), descending=True)
SUGGESTED = {"source": "suggestions", "source_record_id": "-"}
"""Stands for the identity that a proposed resource gets once it is approved."""
_PURPOSE = "suggestion token"

_PROPOSE = text("""
insert into proposals as p (kind, origin, state, version, resource_id, base_version, changes, feedback, note, risk,
  priority, fingerprint, submitter_kind, submitter_id)
values (:kind, :origin, 'open', 1, :resource_id, :base_version, cast(:changes as jsonb), :feedback, :note, :risk,
  :priority, :fingerprint, :submitter_kind, :submitter_id)
on conflict (fingerprint) where state = 'open' do update set updated_at = now()
returning id, xmax = 0 as is_new
""")
_SUBMIT = text("insert into submissions (proposal_id, token_hash) values (:proposal_id, :hash) returning id")
_CONTACT = text("""
insert into submitter_contacts (submission_id, name, email, phone) values (:submission_id, :name, :email, :phone)
""")
_STATUS = text("""
select p.state, p.public_reason as reason, s.created_at as submitted_at, p.decided_at,
  (select id from published_resources where id = p.resource_id) as resource_id
from submissions s join proposals p on p.id = s.proposal_id
where s.token_hash = :hash
""")
_ERASE = text("""
delete from submitter_contacts c using submissions s join proposals p on p.id = s.proposal_id
where c.submission_id = s.id and p.decided_at < now() - interval '30 days'
""")
_PUBLIC = text("select exists (select from published_resources where id = :id)")


@dataclass(frozen=True, slots=True)
class Submitter:
    """Who proposes: the door, the proven actor, and the account that may see it later (none for the public)."""

    origin: Origin
    actor: Actor
    user_id: str | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """A proposal before it is compared with what it changes."""

    kind: ProposalKind
    resource_id: UUID | None
    fields: Mapping[str, Any]
    feedback: FeedbackKind | None = None
    note: str | None = None


async def propose(session: Session, draft: Draft, submitter: Submitter) -> UUID:
    """Queue `draft` and return its id; the same open change is queued once and keeps the id it has.

    Raises ResourceNotFound unless it is about something published, InvalidRequest when nothing would change.
    """
    base, version = await _base(session, draft)
    changes = {
        change.field: change.model_dump(exclude={"field"}) for change in differences(base, _proposed(draft, base))
    }
    if draft.kind is ProposalKind.CHANGE and not changes:
        raise InvalidRequest(errors=[Violation(pointer="/body/resource", code="no_change", message=_NO_CHANGE)])
    risk = risk_of(draft.kind, base, changes)
    row = (
        await session.execute(
            _PROPOSE,
            {
                "kind": draft.kind.value,
                "origin": submitter.origin.value,
                "resource_id": draft.resource_id,
                "base_version": version,
                "changes": json.dumps(changes),
                "feedback": draft.feedback and draft.feedback.value,
                "note": draft.note,
                "risk": risk.value,
                "priority": PRIORITIES[risk],
                "fingerprint": _fingerprint(draft, changes),
                "submitter_kind": submitter.actor.kind.value,
                "submitter_id": submitter.user_id,
            },
        )
    ).one()
    if row.is_new:
        target = Target("proposal", str(row.id))
        await record_event(session, "proposal.created", actor=submitter.actor, target=target, after=changes)
    proposal_id: UUID = row.id
    return proposal_id


_NO_CHANGE = "This is what the directory says already; name the fields that are wrong with their right values"


async def _base(session: Session, draft: Draft) -> tuple[Mapping[str, Any], int | None]:
    """The content that a proposal is made against, and its version; what is not published does not exist here."""
    if draft.resource_id is None:
        return {}, None
    if not (await session.execute(_PUBLIC, {"id": draft.resource_id})).scalar_one():
        raise ResourceNotFound
    resource = (await read_resources(session, [draft.resource_id]))[draft.resource_id]
    return content_of(resource), resource.version


def _proposed(draft: Draft, base: Mapping[str, Any]) -> Mapping[str, Any]:
    if draft.kind is ProposalKind.CREATE:
        title = draft.fields.get("title")
        whole = settled(SUGGESTED, {"organization": title, "scope": "local", **draft.fields})
        return {name: value for name, value in whole.items() if not is_empty(value)}
    if draft.kind is ProposalKind.CHANGE:
        after = settled(SUGGESTED, {**base, **draft.fields})
        return {name: after[name] for name in draft.fields}
    return {}


def _fingerprint(draft: Draft, changes: Mapping[str, Any]) -> str:
    after = {field: change["after"] for field, change in changes.items()}
    note = draft.note if draft.kind is ProposalKind.REPORT else None
    parts = [draft.kind, str(draft.resource_id), after, draft.feedback, note]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


async def take_suggestion(
    session: Session, given: SuggestionCreate, key: bytes, submitter: Submitter
) -> SuggestionReceipt:
    """Take a suggestion of the public; the receipt's token shows what becomes of it."""
    kind = ProposalKind.CREATE if given.resource_id is None else ProposalKind.CHANGE
    draft = Draft(kind, given.resource_id, given.resource.content(), note=given.note)
    return await _receive(session, draft, given.contact, key, submitter)


async def report(
    session: Session, resource_id: UUID, given: FeedbackCreate, key: bytes, submitter: Submitter
) -> SuggestionReceipt:
    """Take what a visitor says is wrong about a published resource."""
    draft = Draft(ProposalKind.REPORT, resource_id, {}, given.kind, given.note)
    return await _receive(session, draft, given.contact, key, submitter)


async def propose_as_partner(session: Session, given: ProposalCreate, submitter: Submitter) -> ProposalRead:
    """Queue what a partner proposes; see `propose`. A change that another has queued already stays that one's own."""
    draft = Draft(given.kind, given.resource_id, given.resource.content(), note=given.note)
    return await _read_proposal(session, await propose(session, draft, submitter))


async def get_own_proposal(session: Session, user_id: str, proposal_id: UUID) -> ProposalRead:
    """Return a proposal of this account; raises ProposalNotFound, also for one of another's."""
    return await _read_proposal(session, proposal_id, P.submitter_id == user_id)


async def list_own_proposals(session: Session, user_id: str, query: ProposalQuery, cursors: Cursors) -> Slice:
    """Return one page of the proposals of this account, the latest first."""
    theirs = select(*P).where(P.submitter_id == user_id)
    if query.state:
        theirs = theirs.where(P.state.in_(query.state))
    found = await Listing(theirs, _LATEST).read(session, query, cursors)
    return found.slice(lambda row: _own(row).model_dump_json())


async def _read_proposal(session: Session, proposal_id: UUID, *conditions: ColumnElement[bool]) -> ProposalRead:
    row = (await session.execute(select(*P).where(P.id == proposal_id, *conditions))).one_or_none()
    if row is None:
        raise ProposalNotFound
    return _own(row)


def _own(row: Any) -> ProposalRead:  # noqa: ANN401  a row
    shown = {name: getattr(row, name) for name in ("id", "kind", "state", "resource_id", "note", "created_at")}
    changes = [FieldChange(field=field, **values) for field, values in row.changes.items()]
    return ProposalRead(**shown, changes=changes, reason=row.public_reason, decided_at=row.decided_at)


async def _receive(
    session: Session, draft: Draft, contact: Contact | None, key: bytes, submitter: Submitter
) -> SuggestionReceipt:
    proposal_id = await propose(session, draft, submitter)
    token = new_token("sug_")
    values = {"proposal_id": proposal_id, "hash": token_hash(key, _PURPOSE, token).hex()}
    submission_id = (await session.execute(_SUBMIT, values)).scalar_one()
    if contact is not None:
        await session.execute(_CONTACT, {"submission_id": submission_id, **contact.model_dump()})
    return SuggestionReceipt(token=token, state=ProposalState.OPEN)


async def get_suggestion(session: Session, token: str, key: bytes) -> SuggestionStatus:
    """Return what became of the suggestion with this token; raises SuggestionNotFound."""
    row = (await session.execute(_STATUS, {"hash": token_hash(key, _PURPOSE, token).hex()})).one_or_none()
    if row is None:
        raise SuggestionNotFound
    return SuggestionStatus.model_validate(row)


async def erase_contacts(session: Session) -> None:
    """Erase how to reach submitters, 30 days after the decision (reliability row K9)."""
    await session.execute(_ERASE)
