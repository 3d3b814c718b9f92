"""HTTP for what people search for: names, statuses and documents; no rules."""

from typing import Annotated

from fastapi import Query, Request, Response

from vibe4vets.admin.schemas import examples
from vibe4vets.auth.dependencies import get_admin, guarded_router
from vibe4vets.core.database import SessionDep
from vibe4vets.core.errors import problem_responses
from vibe4vets.core.http import private_page, success
from vibe4vets.core.pagination import CursorsDep, InvalidCursor, Page
from vibe4vets.resources import service
from vibe4vets.resources.schemas import SearchesQuery, SearchesRead

router = guarded_router("lexicon", get_admin)


@router.get(
    "/searches",
    summary="List searches",
    response_model=Page[SearchesRead],
    responses={**success("A page of texts.", examples.SEARCHES), **problem_responses(InvalidCursor)},
)
async def list_searches(
    request: Request, session: SessionDep, cursors: CursorsDep, query: Annotated[SearchesQuery, Query()]
) -> Response:
    """List what people search for, the most frequent first, without anything about who they are.

    A text is here once five addresses of one day, or people on five days, have searched for it; before that it is
    stored nowhere. New searches appear within ten minutes. For words that meant nothing, add an entry of the lexicon.
    """
    return private_page(request, await service.list_searches(session, query, cursors))
