"""HTTP for the worklist of verification."""

from typing import Annotated

from fastapi import Query, Request, Response

from vibe4vets.admin import service
from vibe4vets.admin.schemas import WorklistItem, WorklistQuery, examples
from vibe4vets.auth.dependencies import get_staff, guarded_router
from vibe4vets.core.database import SessionDep
from vibe4vets.core.errors import MalformedRequest, problem_responses
from vibe4vets.core.http import private_page, success
from vibe4vets.core.pagination import CursorsDep, InvalidCursor, Page

router = guarded_router("verification", get_staff)


@router.get(
    "/worklist",
    summary="List what to verify",
    response_model=Page[WorklistItem],
    responses={
        **success("A page of resources.", examples.WORKLIST),
        **problem_responses(MalformedRequest, InvalidCursor),
    },
)
async def list_worklist(
    request: Request, session: SessionDep, cursors: CursorsDep, query: Annotated[WorklistQuery, Query()]
) -> Response:
    """List published resources that somebody should verify, the most urgent first, each with the reasons.

    It is weighed anew at intervals. Call or visit, then `POST /resources/{id}/verify` with the `etag`: it goes at once.
    """
    return private_page(request, await service.list_worklist(session, query, cursors))
