"""HTTP for the health of links: names, statuses and documents; no rules."""

from typing import Annotated

from fastapi import Query, Request, Response

from vibe4vets.auth.dependencies import get_staff, guarded_router
from vibe4vets.connectors.schemas.links import LINKS_EXAMPLE, LinkQuery, LinkRead
from vibe4vets.connectors.service import links
from vibe4vets.core.database import SessionDep
from vibe4vets.core.errors import problem_responses
from vibe4vets.core.http import private_page, success
from vibe4vets.core.pagination import CursorsDep, InvalidCursor, Page

router = guarded_router("staff", get_staff, prefix="/admin/links")


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
