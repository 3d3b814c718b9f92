"""HTTP for partners: they propose with their account or key, and see what became of their own."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Path, Query, Request, Response

from vibe4vets.auth.dependencies import (
    ProposalReader,
    Proposer,
    get_proposal_reader,
    get_proposer,
    guarded_router,
)
from vibe4vets.core.database import SessionDep
from vibe4vets.core.errors import MalformedRequest, problem_responses
from vibe4vets.core.http import IDEMPOTENT, private_page, success
from vibe4vets.core.limits import TooManyRequests
from vibe4vets.core.pagination import CursorsDep, InvalidCursor, Page
from vibe4vets.resources import service
from vibe4vets.resources.exceptions import ProposalNotFound, ResourceGone, ResourceNotFound
from vibe4vets.resources.models import Origin
from vibe4vets.resources.schemas import ProposalCreate, ProposalQuery, ProposalRead, examples

router = guarded_router("proposals", prefix="/proposals", problems=[TooManyRequests])
_READERS = [Depends(get_proposal_reader)]
ProposalID = Annotated[
    UUID, Path(description="The `id` of a proposal.", examples=["9d0b2f5e-3c35-4f0c-9f9c-0d6c1a7f2f22"])
]


@router.post(
    "",
    status_code=HTTPStatus.ACCEPTED,
    summary="Propose a change",
    dependencies=[Depends(get_proposer), IDEMPOTENT],
    responses={
        **success("It waits for a reviewer.", examples.PROPOSAL, status=HTTPStatus.ACCEPTED),
        **problem_responses(ResourceNotFound, ResourceGone),
    },
)
async def create_proposal(session: SessionDep, partner: Proposer, given: ProposalCreate) -> ProposalRead:
    """Propose a new resource, a change of one, or that one be archived. The same open change is queued once."""
    submitter = service.Submitter(Origin.PARTNER, partner.actor, str(partner.user_id))
    return await service.propose_as_partner(session, given, submitter)


@router.get(
    "",
    summary="List your proposals",
    response_model=Page[ProposalRead],
    dependencies=_READERS,
    responses={
        **success("A page of your proposals.", examples.PROPOSALS),
        **problem_responses(MalformedRequest, InvalidCursor),
    },
)
async def list_proposals(
    request: Request,
    session: SessionDep,
    partner: ProposalReader,
    cursors: CursorsDep,
    query: Annotated[ProposalQuery, Query()],
) -> Response:
    """List what you have proposed, the latest first."""
    return private_page(request, await service.list_own_proposals(session, str(partner.user_id), query, cursors))


@router.get(
    "/{proposal_id}",
    summary="Get one of your proposals",
    dependencies=_READERS,
    responses={**success("The proposal.", examples.PROPOSAL), **problem_responses(ProposalNotFound)},
)
async def get_proposal(session: SessionDep, partner: ProposalReader, proposal_id: ProposalID) -> ProposalRead:
    """Get a proposal of yours; another partner's is not found."""
    return await service.get_own_proposal(session, str(partner.user_id), proposal_id)
