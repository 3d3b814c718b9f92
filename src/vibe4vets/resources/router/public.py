"""HTTP for the public directory: names, statuses and documents; no rules."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response

from vibe4vets.core.database import SessionDep
from vibe4vets.core.errors import InternalError, InvalidRequest, MalformedRequest, Unavailable, problem_responses
from vibe4vets.core.http import NOT_MODIFIED, PublicRoute, public_answer, public_page, success
from vibe4vets.core.limits import TooManyRequests
from vibe4vets.core.pagination import CursorsDep, InvalidCursor, Page, PageQuery
from vibe4vets.resources import service
from vibe4vets.resources.dependencies import ListenerDep, PlacesDep, SearchKnowledgeDep, ViewsDep
from vibe4vets.resources.exceptions import OrganizationNotFound, ResourceGone, ResourceNotFound
from vibe4vets.resources.schemas import (
    Changes,
    ChangesQuery,
    OrganizationDetail,
    OrganizationQuery,
    OrganizationRead,
    ResourceQuery,
    ResourceRead,
    SearchPage,
    SearchQuery,
    Suggestions,
    SuggestQuery,
    TermRead,
    examples,
)

router = APIRouter(
    route_class=PublicRoute,
    responses={
        **NOT_MODIFIED,
        **problem_responses(MalformedRequest, InvalidRequest, TooManyRequests, InternalError, Unavailable),
    },
)
_PAGED = problem_responses(MalformedRequest, InvalidCursor)
ResourceID = Annotated[
    UUID, Path(description="The `id` of a resource.", examples=["7b0b2f5e-3c35-4f0c-9f9c-0d6c1a7f2f11"])
]
OrganizationID = Annotated[
    UUID, Path(description="The `id` of an organization.", examples=["0f8fad5b-d9cb-469f-a165-70867728950e"])
]


@router.get(
    "/resources",
    tags=["resources"],
    summary="List resources",
    response_model=Page[ResourceRead],
    responses={**success("A page of resources.", examples.RESOURCES), **_PAGED},
)
async def list_resources(
    request: Request,
    session: SessionDep,
    cursors: CursorsDep,
    places: PlacesDep,
    query: Annotated[ResourceQuery, Query()],
) -> Response:
    """List published resources, the most trusted first unless `sort` says otherwise.

    Repeat a filter for OR (`state=OH&state=PA`); different filters must all hold. To read everything, follow
    `next_cursor` (or the `Link` header) with the same filters until it is null.
    """
    return public_page(request, await service.list_resources(session, query, cursors, places))


@router.get(
    "/resources/changes",
    tags=["resources"],
    summary="List changes",
    response_model=Changes,
    responses={**success("Changes, the oldest first.", examples.CHANGES), **_PAGED},
)
async def list_changes(
    request: Request, session: SessionDep, cursors: CursorsDep, query: Annotated[ChangesQuery, Query()]
) -> Response:
    """List what was created, updated and deleted, in order, to keep a mirror.

    Begin without `since`, follow `next_cursor` until `is_current`, and ask again with the last one later. Each
    resource comes once, with its last change. A cursor is refused (400) after a move of the service: begin anew.
    """
    return public_answer(request, (await service.list_changes(session, query, cursors)).encode())


@router.get(
    "/resources/{resource_id}",
    tags=["resources"],
    summary="Get a resource",
    response_model=ResourceRead,
    responses={
        **success("The resource.", examples.RESOURCE),
        **problem_responses(ResourceNotFound, ResourceGone),
    },
)
async def get_resource(request: Request, session: SessionDep, views: ViewsDep, resource_id: ResourceID) -> Response:
    """Get one published resource by its id.

    410 tells that it was published once: `successor` is the id of the one that replaces it, if any.
    """
    document = await service.get_resource(session, resource_id, views)
    return public_answer(request, document.body.encode(), etag=document.etag)


@router.get(
    "/search",
    tags=["search"],
    summary="Search resources",
    response_model=SearchPage,
    responses={**success("A page of what was found, with the facets asked for.", examples.SEARCH), **_PAGED},
)
async def search(  # noqa: PLR0913, PLR0917  a signature of a route is what it needs
    request: Request,
    session: SessionDep,
    cursors: CursorsDep,
    known: SearchKnowledgeDep,
    listener: ListenerDep,
    query: Annotated[SearchQuery, Query()],
) -> Response:
    """Search published resources by words, the most relevant first, at most 200 deep.

    `interpretation` tells how the words were understood: spelling repaired, a place recognised, what was loosened
    to find enough. With `fallback` nothing sensible matched, and national programs stand in.

    All filters of `GET /resources` narrow it; national programs take part whatever the `state`. `facets` adds
    counts to narrow by; each ignores its own filter. `crisis` is set when the words speak of suicide or crisis:
    show it first. Pages reach 200 deep: offset and limit beyond that are refused with 422.
    """
    return public_page(request, await service.search(session, query, cursors, known, listener))


@router.get(
    "/search/suggest",
    tags=["search"],
    summary="Suggest while typing",
    response_model=Suggestions,
    responses=success("What the fragment may become.", examples.SUGGESTIONS),
)
async def suggest(
    request: Request, session: SessionDep, places: PlacesDep, query: Annotated[SuggestQuery, Query()]
) -> Response:
    """Suggest resources, organizations, tags and places for what was typed so far.

    Titles that begin so come first, then those with such words in any order, then similar ones. `kind=resource`
    leaves the other kinds out.
    """
    return public_answer(request, (await service.suggest(session, query, places)).encode())


@router.get(
    "/categories",
    tags=["terms"],
    summary="List categories",
    response_model=Page[TermRead],
    responses={**success("A page of categories.", examples.CATEGORIES), **_PAGED},
)
async def list_categories(
    request: Request, session: SessionDep, cursors: CursorsDep, query: Annotated[PageQuery, Query()]
) -> Response:
    """List the categories in use with their names and counts, most used first."""
    return public_page(request, await service.list_categories(session, query, cursors))


@router.get(
    "/tags",
    tags=["terms"],
    summary="List tags",
    response_model=Page[TermRead],
    responses={**success("A page of tags.", examples.TAGS), **_PAGED},
)
async def list_tags(
    request: Request, session: SessionDep, cursors: CursorsDep, query: Annotated[PageQuery, Query()]
) -> Response:
    """List the tags in use with their names and counts, most used first."""
    return public_page(request, await service.list_tags(session, query, cursors))


@router.get(
    "/states",
    tags=["terms"],
    summary="List states",
    response_model=Page[TermRead],
    responses={**success("A page of states.", examples.STATES), **_PAGED},
)
async def list_states(
    request: Request, session: SessionDep, cursors: CursorsDep, query: Annotated[PageQuery, Query()]
) -> Response:
    """List the states and territories served, with their names and counts, most served first."""
    return public_page(request, await service.list_states(session, query, cursors))


@router.get(
    "/organizations",
    tags=["organizations"],
    summary="List organizations",
    response_model=Page[OrganizationRead],
    responses={**success("A page of organizations.", examples.ORGANIZATIONS), **_PAGED},
)
async def list_organizations(
    request: Request, session: SessionDep, cursors: CursorsDep, query: Annotated[OrganizationQuery, Query()]
) -> Response:
    """List the organizations that have published resources, by name."""
    return public_page(request, await service.list_organizations(session, query, cursors))


@router.get(
    "/organizations/{organization_id}",
    tags=["organizations"],
    summary="Get an organization",
    response_model=OrganizationDetail,
    responses={**success("The organization.", examples.ORGANIZATION), **problem_responses(OrganizationNotFound)},
)
async def get_organization(request: Request, session: SessionDep, organization_id: OrganizationID) -> Response:
    """Get one organization with its most trusted resources."""
    return public_answer(request, (await service.get_organization(session, organization_id)).encode())
