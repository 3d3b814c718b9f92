"""Proposals: what somebody wants changed, stored apart from what the public sees until a reviewer decides."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Text, Uuid, any_, bindparam, select, text

from vibe4vets.core.audit import Actor, Target, record_event
from vibe4vets.core.database import Session
from vibe4vets.core.errors import InvalidRequest, Violation
from vibe4vets.core.pagination import Cursors, Listing, Order, Slice
from vibe4vets.core.security import new_token, token_hash
from vibe4vets.resources.exceptions import ProposalNotFound, ResourceGone, ResourceNotFound, SuggestionNotFound
from vibe4vets.resources.models import FeedbackKind, Origin, ProposalKind, ProposalState, proposals, submissions
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

P, S = proposals.c, submissions.c
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
_SEND = text("""
insert into submissions (proposal_id, submitter_id) values (:proposal_id, :submitter_id)
on conflict (submitter_id, proposal_id) do nothing
""")
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
_ERASE_ONE = text("""
with sent as (
  select id, proposal_id from submissions where token_hash = :hash
), erased as (
  delete from submitter_contacts c using sent where c.submission_id = sent.id returning c.submission_id
)
select proposal_id, exists (select from erased) as had_contact from sent
""")
_PUBLIC = text("""
select p.id is not null as is_public, w.id is not null as is_gone, w.successor_id
from (select cast(:id as uuid) as id) asked
left join published_resources p using (id) left join withdrawn_resources w using (id)
""")


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

    Raises ResourceNotFound or ResourceGone unless it is about something published, InvalidRequest when nothing would
    change.
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
    if submitter.user_id is not None:
        await session.execute(_SEND, {"proposal_id": row.id, "submitter_id": submitter.user_id})
    proposal_id: UUID = row.id
    return proposal_id


_GIVEN = ("body", "resource")
_NO_CHANGE = "This is what the directory says already; name the fields that are wrong with their right values"


async def _base(session: Session, draft: Draft) -> tuple[Mapping[str, Any], int | None]:
    """The content that a proposal is made against, and its version; what is not published does not exist here."""
    if draft.resource_id is None:
        return {}, None
    found = (await session.execute(_PUBLIC, {"id": draft.resource_id})).one()
    if not found.is_public:
        raise (
            ResourceGone(successor=found.successor_id and str(found.successor_id))
            if found.is_gone
            else ResourceNotFound
        )
    resource = (await read_resources(session, [draft.resource_id]))[draft.resource_id]
    return content_of(resource), resource.version


def _proposed(draft: Draft, base: Mapping[str, Any]) -> Mapping[str, Any]:
    if draft.kind is ProposalKind.CREATE:
        title = draft.fields.get("title")
        whole = settled(SUGGESTED, {"organization": title, "scope": "local", **draft.fields}, within=_GIVEN)
        return {name: value for name, value in whole.items() if not is_empty(value)}
    if draft.kind is ProposalKind.CHANGE:
        after = settled(SUGGESTED, {**base, **draft.fields}, within=_GIVEN)
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
    """Queue what a partner proposes; see `propose`. A change that another has queued already is both's from then on."""
    draft = Draft(given.kind, given.resource_id, given.resource.content(), note=given.note)
    proposal_id = await propose(session, draft, submitter)
    return await get_own_proposal(session, str(submitter.user_id), proposal_id)


_USER = bindparam("user_id", type_=Text)
_SENT = select(*P).where(P.id.in_(select(S.proposal_id).where(S.submitter_id == _USER)))
_ONE_SENT = _SENT.where(P.id == bindparam("id", type_=Uuid))
_ALL_SENT = Listing(_SENT, _LATEST)
_SENT_IN_STATE = Listing(_SENT.where(P.state == any_(bindparam("state", type_=ARRAY(Text)))), _LATEST)


async def get_own_proposal(session: Session, user_id: str, proposal_id: UUID) -> ProposalRead:
    """Return a proposal that this account has sent; raises ProposalNotFound, also for one of another's."""
    row = (await session.execute(_ONE_SENT, {"user_id": user_id, "id": proposal_id})).one_or_none()
    if row is None:
        raise ProposalNotFound
    return _own(row, user_id)


async def list_own_proposals(session: Session, user_id: str, query: ProposalQuery, cursors: Cursors) -> Slice:
    """Return one page of the proposals that this account has sent, the latest first."""
    listing = _SENT_IN_STATE if query.state else _ALL_SENT
    found = await listing.read(session, query, cursors, {"user_id": user_id, "state": query.state})
    return found.slice(lambda row: _own(row, user_id).model_dump_json())


def _own(row: Any, user_id: str) -> ProposalRead:  # noqa: ANN401  a row
    shown = {name: getattr(row, name) for name in ("id", "kind", "state", "resource_id", "created_at", "decided_at")}
    changes = [FieldChange(field=field, **values) for field, values in row.changes.items()]
    note = row.note if row.submitter_id == user_id else None  # of whoever sent it first, and for reviewers
    return ProposalRead(**shown, changes=changes, note=note, reason=row.public_reason)


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


async def erase_contact(session: Session, token: str, key: bytes, *, actor: Actor) -> None:
    """Erase how to reach whoever holds this token, at once; raises SuggestionNotFound. Again, it changes nothing."""
    row = (await session.execute(_ERASE_ONE, {"hash": token_hash(key, _PURPOSE, token).hex()})).one_or_none()
    if row is None:
        raise SuggestionNotFound
    if row.had_contact:
        target = Target("proposal", str(row.proposal_id))
        await record_event(session, "contact.erased", actor=actor, target=target)


async def erase_contacts(session: Session) -> None:
    """Erase how to reach submitters, 30 days after the decision (reliability row K9)."""
    await session.execute(_ERASE)
