"""HTTP for duplicates: pairs side by side, dismissals, merges and the way back."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import Path, Query, Request, Response

from vibe4vets.admin.schemas import examples
from vibe4vets.auth.dependencies import Admin, get_admin, guarded_router
from vibe4vets.core.database import SessionDep
from vibe4vets.core.errors import problem_responses
from vibe4vets.core.http import IDEMPOTENT, private_page, success
from vibe4vets.core.pagination import CursorsDep, InvalidCursor, Page
from vibe4vets.resources import service
from vibe4vets.resources.exceptions import MergeNotFound, MergeOutOfDate, ResourceNotFound, ResourceStateConflict
from vibe4vets.resources.schemas import Dismissal, DuplicatePair, DuplicateQuery, MergeRead, MergeRequest

router = guarded_router("duplicates", get_admin)
MergeID = Annotated[UUID, Path(description="The `id` of a merge.", examples=["3f7d2b1a-8c55-4b63-9f0e-2f7a4f6b1c33"])]


@router.get(
    "/duplicates",
    summary="List likely duplicates",
    response_model=Page[DuplicatePair],
    responses={**success("A page of pairs.", examples.DUPLICATES), **problem_responses(InvalidCursor)},
)
async def list_duplicates(
    request: Request, session: SessionDep, cursors: CursorsDep, query: Annotated[DuplicateQuery, Query()]
) -> Response:
    """List pairs of published resources that look like one, the likeliest first; `POST /duplicates/find` looks anew."""
    return private_page(request, await service.list_duplicates(session, query, cursors))


@router.post("/duplicates/find", status_code=HTTPStatus.NO_CONTENT, summary="Look for duplicates")
async def find_duplicates(session: SessionDep) -> None:
    """Compare everything published by phone, place and title. Dismissed pairs stay dismissed."""
    await service.find_duplicates(session)


@router.post(
    "/duplicates/dismiss",
    status_code=HTTPStatus.NO_CONTENT,
    summary="Dismiss a pair",
    responses=problem_responses(MergeNotFound),
)
async def dismiss_duplicate(session: SessionDep, admin: Admin, given: Dismissal) -> None:
    """Say that two resources are not one, so that they are not listed again."""
    await service.dismiss_duplicate(session, given, actor=admin.actor)


@router.post(
    "/merges",
    summary="Merge two resources",
    dependencies=[IDEMPOTENT],
    responses={
        **success("What was done, or would be.", examples.MERGE),
        **problem_responses(ResourceNotFound, ResourceStateConflict),
    },
)
async def merge_resources(session: SessionDep, admin: Admin, given: MergeRequest) -> MergeRead:
    """Give one resource the other's place. `"dry_run": true` only tells what the kept one would gain.

    The merged one answers 410 with the kept one as `successor`, for ever; open proposals move to the kept one.
    """
    return await service.merge_resources(session, given, actor=admin.actor)


@router.post(
    "/merges/{merge_id}/undo",
    status_code=HTTPStatus.NO_CONTENT,
    summary="Undo a merge",
    responses=problem_responses(MergeNotFound, MergeOutOfDate),
)
async def undo_merge(session: SessionDep, admin: Admin, merge_id: MergeID) -> None:
    """Publish both resources as they were before the merge."""
    await service.undo_merge(session, merge_id, actor=admin.actor)
