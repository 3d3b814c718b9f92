"""HTTP for the health of links: names, statuses and documents; no rules."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from vibe4vets.auth.dependencies import get_staff
from vibe4vets.auth.exceptions import InvalidAPIKey, InvalidToken
from vibe4vets.connectors.schemas.links import LINKS_EXAMPLE, LinkQuery, LinkRead
from vibe4vets.connectors.service import links
from vibe4vets.core.database import SessionDep
from vibe4vets.core.errors import (
    Forbidden,
    InternalError,
    InvalidRequest,
    MalformedRequest,
    NotAuthenticated,
    Unavailable,
    problem_responses,
)
from vibe4vets.core.http import GuardedRoute, private_page, success
from vibe4vets.core.pagination import CursorsDep, InvalidCursor, Page

router = APIRouter(
    prefix="/admin/links",
    tags=["staff"],
    route_class=GuardedRoute,
    dependencies=[Depends(get_staff)],
    responses=problem_responses(
        MalformedRequest,
        NotAuthenticated,
        InvalidToken,
        InvalidAPIKey,
        Forbidden,
        InvalidRequest,
        InternalError,
        Unavailable,
    ),
)


@router.get(
    "",
    summary="List links that may be broken",
    response_model=Page[LinkRead],
    responses={**success("A page of links.", LINKS_EXAMPLE), **problem_responses(InvalidCursor)},
)
async def list_links(
    request: Request, session: SessionDep, cursors: CursorsDep, query: Annotated[LinkQuery, Query()]
) -> Response:
    """List web sites of published resources that no longer answer or look wrong, the longest flagged first.

    A flag hides nothing: somebody has to look, and verify the resource, correct it or archive it.
    """
    return private_page(request, await links.list_links(session, query, cursors))
