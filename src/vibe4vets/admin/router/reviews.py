"""HTTP for reviewers: the queue, leases, decisions."""

from typing import Annotated
from uuid import UUID

from fastapi import Body, Path, Query, Request, Response

from vibe4vets.admin import service
from vibe4vets.admin.exceptions import ClaimedByAnother
from vibe4vets.admin.schemas import (
    Approval,
    BulkRequest,
    BulkResult,
    Claim,
    ClaimRead,
    Refusal,
    ReviewDetail,
    ReviewQuery,
    ReviewRead,
    examples,
)
from vibe4vets.auth.dependencies import Reviewer, get_reviewer, guarded_router
from vibe4vets.core.database import SessionDep
from vibe4vets.core.errors import Forbidden, MalformedRequest, problem_responses
from vibe4vets.core.http import private_page, success
from vibe4vets.core.http.preconditions import IfMatchDep
from vibe4vets.core.pagination import CursorsDep, InvalidCursor, Page
from vibe4vets.core.preconditions import PreconditionFailed, PreconditionRequired
from vibe4vets.resources.exceptions import (
    OwnProposal,
    ProposalConflicts,
    ProposalDecided,
    ProposalNotFound,
    ResourceStateConflict,
)
from vibe4vets.resources.service import version_etag

router = guarded_router("review", get_reviewer, prefix="/reviews")
_DECIDE = problem_responses(
    Forbidden,
    OwnProposal,
    ProposalNotFound,
    ProposalDecided,
    ClaimedByAnother,
    PreconditionFailed,
    PreconditionRequired,
)
_FREE_ONES, _ALL_OF_IT = Claim(), Approval()
ReviewID = Annotated[
    UUID, Path(description="The `id` of a proposal.", examples=["9d0b2f5e-3c35-4f0c-9f9c-0d6c1a7f2f22"])
]


def _answer(review: ReviewRead) -> Response:
    headers = {"etag": version_etag(review.version)}
    return Response(review.model_dump_json(), headers=headers, media_type="application/json")


@router.get(
    "",
    summary="List the queue",
    response_model=Page[ReviewRead],
    responses={
        **success("A page of proposals.", examples.REVIEWS),
        **problem_responses(MalformedRequest, InvalidCursor),
    },
)
async def list_reviews(
    request: Request, session: SessionDep, cursors: CursorsDep, query: Annotated[ReviewQuery, Query()]
) -> Response:
    """List what waits for a decision: crisis lines first, then what is risky, then the oldest.

    `state=approved` or `state=rejected` lists what has been decided, the latest first.
    """
    return private_page(request, await service.list_reviews(session, query, cursors))


@router.post(
    "/bulk",
    summary="Decide many",
    responses=success("What became of each.", examples.BULK_RESULT),
)
async def decide_many(session: SessionDep, reviewer: Reviewer, given: BulkRequest) -> BulkResult:
    """Decide up to 100 proposals, each on its own: what cannot be decided is told, and the others go on."""
    return await service.decide_many(session, given.decisions, reviewer=reviewer)


@router.get(
    "/{proposal_id}",
    summary="Get a proposal",
    response_model=ReviewDetail,
    responses={**success("The proposal.", examples.REVIEW_DETAIL), **problem_responses(ProposalNotFound)},
)
async def get_review(session: SessionDep, cursors: CursorsDep, proposal_id: ReviewID) -> Response:
    """Get a proposal field by field with the resource, its history, near duplicates and how to reach the submitter.

    The `ETag` is what a decision names in `If-Match`.
    """
    return _answer(await service.get_review(session, proposal_id, cursors))


@router.post(
    "/{proposal_id}/claim",
    summary="Claim a proposal",
    responses={
        **success("Your claim.", examples.CLAIM),
        **problem_responses(ProposalNotFound, ProposalDecided, ClaimedByAnother),
    },
)
async def claim_review(
    session: SessionDep, reviewer: Reviewer, proposal_id: ReviewID, given: Annotated[Claim, Body()] = _FREE_ONES
) -> ClaimRead:
    """Keep others from deciding it for 15 minutes; claim again to go on. `take_over` takes it from another reviewer."""
    return await service.claim_review(session, proposal_id, given, reviewer=reviewer)


@router.post(
    "/{proposal_id}/release",
    status_code=204,
    summary="Release a proposal",
    responses=problem_responses(ProposalNotFound),
)
async def release_review(session: SessionDep, reviewer: Reviewer, proposal_id: ReviewID) -> None:
    """Give your claim back, so that others need not wait for its end."""
    await service.release_review(session, proposal_id, reviewer=reviewer)


@router.post(
    "/{proposal_id}/approve",
    summary="Approve a proposal",
    response_model=ReviewRead,
    responses={
        **success("The proposal, decided.", examples.REVIEW),
        **_DECIDE,
        **problem_responses(ProposalDecided, ClaimedByAnother, ProposalConflicts, ResourceStateConflict),
    },
)
async def approve_review(
    session: SessionDep,
    reviewer: Reviewer,
    proposal_id: ReviewID,
    match: IfMatchDep,
    given: Annotated[Approval, Body()] = _ALL_OF_IT,
) -> Response:
    """Apply all that is proposed, or the `fields` named, with `edits` of your own over them, and publish it at once.

    A field that somebody has changed since the proposal was made is applied only when you name it.
    """
    return _answer(await service.approve_review(session, proposal_id, given, match, reviewer=reviewer))


@router.post(
    "/{proposal_id}/reject",
    summary="Reject a proposal",
    response_model=ReviewRead,
    responses={**success("The proposal, decided.", examples.REVIEW), **_DECIDE},
)
async def reject_review(
    session: SessionDep, reviewer: Reviewer, proposal_id: ReviewID, match: IfMatchDep, given: Refusal
) -> Response:
    """Refuse it. The submitter is told the `reason`; the private note is for staff."""
    return _answer(await service.reject_review(session, proposal_id, given, match, reviewer=reviewer))
