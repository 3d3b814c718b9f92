"""Decisions on proposals: once each, on the version that was read, applied in the transaction that decides."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import text

from vibe4vets.core.audit import Target, record_event
from vibe4vets.core.database import Session
from vibe4vets.core.errors import InvalidRequest, Violation, violations
from vibe4vets.core.preconditions import IfMatch
from vibe4vets.resources.exceptions import (
    OwnProposal,
    ProposalConflicts,
    ProposalDecided,
    ProposalNotFound,
    ResourceStateConflict,
)
from vibe4vets.resources.models import ProposalKind, ProposalState, Status
from vibe4vets.resources.schemas import FieldReview, ProposalDetail, ResourceCreate, ResourceFields, SourceIntake
from vibe4vets.resources.service.content import content_of, without
from vibe4vets.resources.service.editing import (
    archive_resource,
    change_content,
    create_resource,
    lock_resource,
    publish_resource,
    version_etag,
)
from vibe4vets.resources.service.history import Deed
from vibe4vets.resources.service.intake import upsert_sources
from vibe4vets.resources.service.publishing import read_resources

SUGGESTIONS = SourceIntake(slug="suggestions", name="Suggested by visitors and partners, reviewed", tier=4)
_SHOWN = (
    "id", "version", "kind", "origin", "state", "risk", "resource_id", "base_version", "feedback", "note",
    "submissions", "created_at", "decided_at",
)  # fmt: skip
_NEEDED = {"title", "organization", "categories", "scope"}
"""What no resource is without."""
_ANY_VERSION = IfMatch(frozenset({"*"}))

_SELECT = """
select p.*, (select count(*) from submissions s where s.proposal_id = p.id) as submissions,
  array(select submitter_id from submissions s where s.proposal_id = p.id and submitter_id is not null) as senders
from proposals p where p.id = any(cast(:ids as uuid[]))
"""
_READ = text(_SELECT)
_LOCK = text(f"{_SELECT} for no key update of p")
_DECIDE = text("""
update proposals set state = :state, public_reason = :reason, decided_at = now(), updated_at = now(),
  version = version + 1, resource_id = coalesce(resource_id, :resource_id),
  base_version = case when kind = 'create' then null else base_version end
where id = :id
""")


@dataclass(frozen=True, slots=True)
class Decider:
    """Who decides, and what the submitter is told."""

    deed: Deed
    public_reason: str | None = None


async def read_proposals(session: Session, ids: Sequence[UUID]) -> dict[UUID, ProposalDetail]:
    """Proposals with each field as proposed, as it was and as it is now; unknown ids are left out."""
    return await _details(session, (await session.execute(_READ, {"ids": ids})).all())


async def get_proposal(session: Session, proposal_id: UUID) -> ProposalDetail:
    """Return one proposal; raises ProposalNotFound."""
    found = (await read_proposals(session, [proposal_id])).get(proposal_id)
    if found is None:
        raise ProposalNotFound
    return found


async def _details(session: Session, rows: Iterable[Any]) -> dict[UUID, ProposalDetail]:
    rows = list(rows)
    subjects = await read_resources(session, [row.resource_id for row in rows if row.resource_id is not None])
    return {row.id: _detail(row, subjects.get(row.resource_id)) for row in rows}


def _detail(row: Any, subject: Any) -> ProposalDetail:  # noqa: ANN401  a row and the resource it is about, if any
    # a proposed resource is compared with its draft, if a source has one, until it is decided
    is_compared = row.kind != ProposalKind.CREATE or row.state == ProposalState.OPEN
    current = content_of(subject) if subject is not None and is_compared else {}
    fields = [
        _field(name, change, current, is_open=row.state == ProposalState.OPEN) for name, change in row.changes.items()
    ]
    return ProposalDetail(
        **{name: getattr(row, name) for name in _SHOWN},
        changes=fields,
        conflicting=any(field.conflicts for field in fields),
        reason=row.public_reason,
    )


def _field(name: str, change: Mapping[str, Any], current: Mapping[str, Any], *, is_open: bool) -> FieldReview:
    now = current.get(name)
    conflicts = is_open and now not in (change["before"], change["after"])
    return FieldReview(field=name, before=change["before"], after=change["after"], current=now, conflicts=conflicts)


async def lock_proposal(session: Session, proposal_id: UUID, match: IfMatch, user_id: str) -> ProposalDetail:
    """Lock an open proposal for its decision.

    Raises ProposalNotFound, ProposalDecided, PreconditionFailed when it is not as it was read, and OwnProposal:
    nobody decides what they have sent themselves.
    """
    row = (await session.execute(_LOCK, {"ids": [proposal_id]})).one_or_none()
    if row is None:
        raise ProposalNotFound
    if row.state != ProposalState.OPEN:
        raise ProposalDecided
    match.require(version_etag(row.version))
    if user_id in row.senders:
        raise OwnProposal
    return (await _details(session, [row]))[proposal_id]


async def approve_proposal(
    session: Session,
    proposal: ProposalDetail,
    decider: Decider,
    *,
    fields: Sequence[str] | None = None,
    edits: ResourceFields | None = None,
) -> None:
    """Apply a locked proposal: all of its fields or those named, with the reviewer's own values over them.

    A field that has changed since is applied only when it is named: whoever names it has seen all three values.
    Raises ProposalConflicts, InvalidRequest for a field that is not proposed, ResourceStateConflict.
    """
    chosen = _chosen(proposal, fields) | (edits.content() if edits is not None else {})
    resource_id = await _apply(session, proposal, chosen, decider.deed)
    await _decide(session, proposal, ProposalState.APPROVED, decider, resource_id)


async def reject_proposal(session: Session, proposal: ProposalDetail, decider: Decider) -> None:
    """Refuse a locked proposal; the submitter is told the public reason."""
    await _decide(session, proposal, ProposalState.REJECTED, decider, None)


def _chosen(proposal: ProposalDetail, fields: Sequence[str] | None) -> dict[str, Any]:
    after = {change.field: change.after for change in proposal.changes}
    if fields is None:
        if proposal.conflicting:
            raise ProposalConflicts
        return after
    if strangers := set(fields) - after.keys():
        message = f"Name fields that are proposed: {', '.join(sorted(after)) or 'there are none'}"
        raise InvalidRequest(
            errors=[Violation(pointer="/body/fields", code="not_proposed", message=message) for _ in strangers]
        )
    return {name: after[name] for name in fields}


async def _apply(session: Session, proposal: ProposalDetail, chosen: Mapping[str, Any], deed: Deed) -> UUID | None:
    if proposal.kind is ProposalKind.CREATE and proposal.resource_id is not None:
        await _show_draft(session, proposal, proposal.resource_id, chosen, deed)
    elif proposal.kind is ProposalKind.CREATE:
        await upsert_sources(session, [SUGGESTIONS])
        created = await create_resource(session, _new_resource(chosen, deed), actor=deed.actor)
        return created.id
    elif proposal.resource_id is None:
        raise ProposalNotFound
    elif proposal.kind is ProposalKind.ARCHIVE:
        match = _ANY_VERSION  # the proposal's own version is what the reviewer has read
        await archive_resource(session, proposal.resource_id, match, actor=deed.actor, reason=deed.reason)
    elif chosen:
        await change_content(session, await lock_resource(session, proposal.resource_id), chosen, deed)
    return proposal.resource_id


async def _show_draft(
    session: Session, proposal: ProposalDetail, resource_id: UUID, chosen: Mapping[str, Any], deed: Deed
) -> None:
    """Publish the draft of a source with what the reviewer has chosen: a field that was not approved is not shown."""
    locked = await lock_resource(session, resource_id)
    if locked.status is not Status.DRAFT:
        raise ResourceStateConflict("It is no draft any more: reject the proposal.")
    refused = {change.field for change in proposal.changes} - chosen.keys() - _NEEDED
    await change_content(session, locked, {**{name: without(name) for name in refused}, **chosen}, deed)
    await publish_resource(session, resource_id, _ANY_VERSION, actor=deed.actor, reason=deed.reason)


def _new_resource(chosen: Mapping[str, Any], deed: Deed) -> ResourceCreate:
    whole = {"scope": "local", "organization": chosen.get("title"), **chosen, "source": SUGGESTIONS.slug}
    try:
        return ResourceCreate.model_validate({**whole, "reason": deed.reason})
    except ValidationError as error:
        problems = [{**problem, "loc": ("body", *problem["loc"])} for problem in error.errors(include_url=False)]
        raise InvalidRequest(errors=violations(problems)) from None


async def _decide(
    session: Session, proposal: ProposalDetail, state: ProposalState, decider: Decider, resource_id: UUID | None
) -> None:
    values = {"id": proposal.id, "state": state.value, "reason": decider.public_reason, "resource_id": resource_id}
    await session.execute(_DECIDE, values)
    target = Target("proposal", str(proposal.id))
    after = {"state": state.value, "resource_id": resource_id and str(resource_id)}
    await record_event(session, f"proposal.{state.value}", actor=decider.deed.actor, target=target, after=after)
