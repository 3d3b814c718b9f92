"""HTTP for the public directory: names, statuses and documents; no rules."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from vibe4vets.core.database import SessionDep
from vibe4vets.core.errors import InternalError, InvalidRequest, MalformedRequest, Unavailable, problem_responses
from vibe4vets.core.http import NOT_MODIFIED, PublicRoute, public_answer, public_page
from vibe4vets.core.pagination import CursorsDep, InvalidCursor, Page, PageQuery
from vibe4vets.resources import service
from vibe4vets.resources.exceptions import OrganizationNotFound, ResourceGone, ResourceNotFound
from vibe4vets.resources.schemas import (
    OrganizationDetail,
    OrganizationQuery,
    OrganizationRead,
    ResourceQuery,
    ResourceRead,
    SearchPage,
    SearchQuery,
    TermRead,
)

router = APIRouter(
    route_class=PublicRoute,
    responses={**NOT_MODIFIED, **problem_responses(MalformedRequest, InvalidRequest, InternalError, Unavailable)},
)
_PAGED = problem_responses(MalformedRequest, InvalidCursor)


@router.get("/resources", tags=["resources"], response_model=Page[ResourceRead], responses=_PAGED)
async def list_resources(
    request: Request, session: SessionDep, cursors: CursorsDep, query: Annotated[ResourceQuery, Query()]
) -> Response:
    """List published resources, the most trusted first unless `sort` says otherwise.

    Repeat a filter for OR (`state=OH&state=PA`); different filters must all hold.
    """
    return public_page(request, await service.list_resources(session, query, cursors))


@router.get(
    "/resources/{resource_id}",
    tags=["resources"],
    response_model=ResourceRead,
    responses=problem_responses(ResourceNotFound, ResourceGone),
)
async def get_resource(request: Request, session: SessionDep, resource_id: UUID) -> Response:
    """Get one published resource by its id."""
    document = await service.get_resource(session, resource_id)
    return public_answer(request, document.body.encode(), etag=document.etag)


@router.get("/search", tags=["search"], response_model=SearchPage, responses=_PAGED)
async def search(
    request: Request, session: SessionDep, cursors: CursorsDep, query: Annotated[SearchQuery, Query()]
) -> Response:
    """Search published resources by words, the most relevant first, at most 200 deep.

    `facets` adds counts to narrow by. `crisis` is set when the words speak of suicide or crisis: show it first.
    """
    return public_page(request, await service.search(session, query, cursors))


@router.get("/categories", tags=["terms"], response_model=Page[TermRead], responses=_PAGED)
async def list_categories(
    request: Request, session: SessionDep, cursors: CursorsDep, query: Annotated[PageQuery, Query()]
) -> Response:
    """List the categories in use with their names and counts, most used first."""
    return public_page(request, await service.list_categories(session, query, cursors))


@router.get("/tags", tags=["terms"], response_model=Page[TermRead], responses=_PAGED)
async def list_tags(
    request: Request, session: SessionDep, cursors: CursorsDep, query: Annotated[PageQuery, Query()]
) -> Response:
    """List the tags in use with their names and counts, most used first."""
    return public_page(request, await service.list_tags(session, query, cursors))


@router.get("/states", tags=["terms"], response_model=Page[TermRead], responses=_PAGED)
async def list_states(
    request: Request, session: SessionDep, cursors: CursorsDep, query: Annotated[PageQuery, Query()]
) -> Response:
    """List the states and territories served, with their names and counts, most served first."""
    return public_page(request, await service.list_states(session, query, cursors))


@router.get("/organizations", tags=["organizations"], response_model=Page[OrganizationRead], responses=_PAGED)
async def list_organizations(
    request: Request, session: SessionDep, cursors: CursorsDep, query: Annotated[OrganizationQuery, Query()]
) -> Response:
    """List the organizations that have published resources, by name."""
    return public_page(request, await service.list_organizations(session, query, cursors))


@router.get(
    "/organizations/{organization_id}",
    tags=["organizations"],
    response_model=OrganizationDetail,
    responses=problem_responses(OrganizationNotFound),
)
async def get_organization(request: Request, session: SessionDep, organization_id: UUID) -> Response:
    """Get one organization with its most trusted resources."""
    return public_answer(request, (await service.get_organization(session, organization_id)).encode())
