"""Review: the queue, leases on what is in it, and decisions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Text, any_, bindparam, literal_column, or_, select, text

from vibe4vets.admin.exceptions import ClaimedByAnother
from vibe4vets.admin.schemas import (
    Approval,
    BulkAction,
    BulkDecision,
    BulkOutcome,
    BulkResult,
    Claim,
    ClaimRead,
    ContactRead,
    DecisionRead,
    DuplicateRead,
    Refusal,
    ReviewDetail,
    ReviewQuery,
    ReviewRead,
)
from vibe4vets.auth.principals import Principal
from vibe4vets.core.audit import Target, record_event
from vibe4vets.core.database import Session
from vibe4vets.core.errors import AppError, to_app_error
from vibe4vets.core.pagination import Cursors, Listing, Order, PageQuery, Slice
from vibe4vets.core.preconditions import IfMatch
from vibe4vets.resources import service as resources
from vibe4vets.resources.exceptions import ProposalDecided
from vibe4vets.resources.models import Change, ProposalState, proposals
from vibe4vets.resources.schemas import ProposalDetail, ResourceRead, RevisionSummary

P = proposals.c
_QUEUE = Order((P.priority, P.created_at, P.id), (int, datetime.fromisoformat, UUID))
_DECIDED = Order((P.decided_at, P.id), (datetime.fromisoformat, UUID), descending=True)
_HISTORY = PageQuery(limit=5)

_CLAIMS = text("""
select proposal_id, user_id, claimed_until from review_claims
where proposal_id = any(cast(:ids as uuid[])) and claimed_until > now()
""")
_CLAIM = text("""
insert into review_claims as held (proposal_id, user_id, claimed_until)
values (:id, :user_id, now() + interval '15 minutes')
on conflict (proposal_id) do update set user_id = excluded.user_id, claimed_until = excluded.claimed_until
where held.user_id = excluded.user_id or held.claimed_until <= now() or :take_over
returning user_id, claimed_until
""")
_RELEASE = text("delete from review_claims where proposal_id = :id and user_id = :user_id")
_DECISION = text("""
insert into review_decisions (proposal_id, actor_id, state, fields, private_note)
values (:id, :actor_id, :state, :fields, :private_note)
""")
_DECIDED_AS = text("""
select actor_id, state, fields, private_note, created_at from review_decisions where proposal_id = :id
""")
_CONTACTS = text("""
select c.name, c.email, c.phone from submitter_contacts c join submissions s on s.id = c.submission_id
where s.proposal_id = :id order by s.created_at limit 100
""")
# Full text finds the candidates by index; the trigrams only order them.
_DUPLICATES = text("""
select id, title, similarity from (
  select p.id, cast(p.document as json) ->> 'title' as title, similarity(p.title_key, fold(:title)) as similarity
  from search_rows s join published_resources p on p.id = s.id
  where s.words @@ websearch_to_tsquery('vibe4vets', :title) and s.id is distinct from cast(:but as uuid)
  limit 500
) alike where similarity >= 0.4 order by similarity desc, id limit 5
""")


async def list_reviews(session: Session, query: ReviewQuery, cursors: Cursors) -> Slice:
    """Return one page of the queue: crisis lines first, then the risky, then the oldest; of decided ones the latest.

    Open and decided ones together come in the order of the queue.
    """
    given = {name: values for name in _FILTERS if (values := getattr(query, name))}
    found = await _listing(frozenset(query.state), frozenset(given)).read(session, query, cursors, given)
    shown = await _reviews(session, [row.id for row in found.rows])
    return found.slice(lambda row: shown[row.id].model_dump_json())


_FILTERS: Mapping[str, ColumnElement[bool]] = {
    name: column == any_(bindparam(name, type_=ARRAY(Text)))
    for name, column in (("kind", P.kind), ("source", P.origin), ("risk", P.risk))
}


@lru_cache(maxsize=32)
def _listing(states: frozenset[ProposalState], names: frozenset[str]) -> Listing:
    order = _QUEUE if ProposalState.OPEN in states else _DECIDED
    # as literals, so that the partial index of the open ones is seen to fit
    is_so = or_(*(P.state == literal_column(f"'{state.value}'") for state in sorted(states)))
    return Listing(select(P.id).where(is_so, *(_FILTERS[name] for name in sorted(names))), order)


async def _reviews(session: Session, ids: Sequence[UUID]) -> dict[UUID, ReviewRead]:
    found = await resources.read_proposals(session, ids)
    claims = {row.proposal_id: row for row in await session.execute(_CLAIMS, {"ids": ids})}
    return {id_: _review(proposal, claims.get(id_)) for id_, proposal in found.items()}


def _review(proposal: ProposalDetail, claim: Any) -> ReviewRead:  # noqa: ANN401  a row, if any
    held = None if claim is None else ClaimRead(user_id=claim.user_id, claimed_until=claim.claimed_until)
    return ReviewRead(**proposal.model_dump(), claim=held)


async def get_review(session: Session, proposal_id: UUID, cursors: Cursors) -> ReviewDetail:
    """Return one proposal with all that helps to decide it; raises ProposalNotFound."""
    proposal = await resources.get_proposal(session, proposal_id)
    review = (await _reviews(session, [proposal_id]))[proposal_id]
    subject: ResourceRead | None = None
    history: list[RevisionSummary] = []
    if proposal.resource_id is not None:
        subject = await resources.get_working(session, proposal.resource_id)
        page = await resources.list_revisions(session, proposal.resource_id, _HISTORY, cursors)
        history = [RevisionSummary.model_validate_json(document) for document in page.documents]
    title = next((change.after for change in proposal.changes if change.field == "title"), subject and subject.title)
    alike = await session.execute(_DUPLICATES, {"title": title or "", "but": proposal.resource_id})
    contacts = await session.execute(_CONTACTS, {"id": proposal_id})
    decision = (await session.execute(_DECIDED_AS, {"id": proposal_id})).one_or_none()
    return ReviewDetail(
        **review.model_dump(),
        resource=subject,
        history=history,
        duplicates=[DuplicateRead.model_validate(row) for row in alike],
        contacts=[ContactRead.model_validate(row) for row in contacts],
        decision=decision and DecisionRead.model_validate(decision),
    )


async def claim_review(session: Session, proposal_id: UUID, given: Claim, *, reviewer: Principal) -> ClaimRead:
    """Lease a proposal for 15 minutes; raises ProposalNotFound, ProposalDecided, ClaimedByAnother."""
    proposal = await resources.get_proposal(session, proposal_id)
    if proposal.state is not ProposalState.OPEN:
        raise ProposalDecided
    values = {"id": proposal_id, "user_id": reviewer.user_id, "take_over": given.take_over}
    row = (await session.execute(_CLAIM, values)).one_or_none()
    if row is None:
        raise ClaimedByAnother
    if given.take_over:
        target = Target("proposal", str(proposal_id))
        await record_event(session, "proposal.taken_over", actor=reviewer.actor, target=target)
    return ClaimRead.model_validate(row)


async def release_review(session: Session, proposal_id: UUID, *, reviewer: Principal) -> None:
    """Give a claim back; of somebody else's nothing happens. Raises ProposalNotFound."""
    await resources.get_proposal(session, proposal_id)
    await session.execute(_RELEASE, {"id": proposal_id, "user_id": reviewer.user_id})


async def approve_review(
    session: Session, proposal_id: UUID, given: Approval, match: IfMatch, *, reviewer: Principal
) -> ReviewRead:
    """Apply a proposal and publish it, in this transaction; see `resources.approve_proposal` for what it raises."""
    proposal = await _lock(session, proposal_id, match, reviewer)
    decider = _decider(reviewer, given.reason)
    await resources.approve_proposal(session, proposal, decider, fields=given.fields, edits=given.edits)
    chosen = given.fields if given.fields is not None else [change.field for change in proposal.changes]
    edited = given.edits.content() if given.edits is not None else {}
    decision = _Decision(ProposalState.APPROVED, given.private_note, sorted({*chosen, *edited}))
    return await _keep(session, proposal_id, decision, reviewer)


async def reject_review(
    session: Session, proposal_id: UUID, given: Refusal, match: IfMatch, *, reviewer: Principal
) -> ReviewRead:
    """Refuse a proposal; nothing but its state changes."""
    proposal = await _lock(session, proposal_id, match, reviewer)
    await resources.reject_proposal(session, proposal, _decider(reviewer, given.reason))
    return await _keep(session, proposal_id, _Decision(ProposalState.REJECTED, given.private_note), reviewer)


async def decide_many(session: Session, given: Sequence[BulkDecision], *, reviewer: Principal) -> BulkResult:
    """Decide each on its own: what stands in the way of one does not touch the others."""
    return BulkResult(outcomes=[await _decide_one(session, decision, reviewer) for decision in given])


async def _decide_one(session: Session, decision: BulkDecision, reviewer: Principal) -> BulkOutcome:
    match = IfMatch(frozenset({resources.version_etag(decision.version)}))
    try:
        async with session.begin_nested():
            if decision.action is BulkAction.APPROVE:
                approval = Approval(reason=decision.reason)
                await approve_review(session, decision.id, approval, match, reviewer=reviewer)
                return BulkOutcome(id=decision.id, state="approved", problem=None)
            refusal = Refusal(reason=decision.reason or "")
            await reject_review(session, decision.id, refusal, match, reviewer=reviewer)
            return BulkOutcome(id=decision.id, state="rejected", problem=None)
    except AppError as error:
        return BulkOutcome(id=decision.id, state=None, problem=to_app_error(error).type)


async def _lock(session: Session, proposal_id: UUID, match: IfMatch, reviewer: Principal) -> ProposalDetail:
    proposal = await resources.lock_proposal(session, proposal_id, match, str(reviewer.user_id))
    claims = (await session.execute(_CLAIMS, {"ids": [proposal_id]})).all()
    if any(claim.user_id != reviewer.user_id for claim in claims):
        raise ClaimedByAnother
    return proposal


def _decider(reviewer: Principal, reason: str | None) -> resources.Decider:
    return resources.Decider(resources.Deed(Change.UPDATED, reviewer.actor, reason), reason)


@dataclass(frozen=True, slots=True)
class _Decision:
    """What is kept of a decision beside the proposal: which fields were applied, and what staff alone may read."""

    state: ProposalState
    private_note: str | None
    fields: Sequence[str] = ()


async def _keep(session: Session, proposal_id: UUID, decision: _Decision, reviewer: Principal) -> ReviewRead:
    values = {
        "id": proposal_id,
        "actor_id": reviewer.actor.id,
        "state": decision.state.value,
        "fields": [*decision.fields],
        "private_note": decision.private_note,
    }
    await session.execute(_DECISION, values)
    await session.execute(_RELEASE, {"id": proposal_id, "user_id": reviewer.user_id})
    return (await _reviews(session, [proposal_id]))[proposal_id]
