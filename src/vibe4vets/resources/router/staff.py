"""HTTP for what staff read beyond the public: drafts, archived resources, history."""

from typing import Annotated

from fastapi import Path, Query, Request, Response

from vibe4vets.auth.dependencies import get_staff, guarded_router
from vibe4vets.core.database import SessionDep
from vibe4vets.core.errors import MalformedRequest, problem_responses
from vibe4vets.core.http import private_page, success, versioned_answer
from vibe4vets.core.pagination import CursorsDep, InvalidCursor, Page, PageQuery
from vibe4vets.resources import service
from vibe4vets.resources.exceptions import ResourceNotFound, RevisionNotFound
from vibe4vets.resources.router.public import ResourceID
from vibe4vets.resources.schemas import (
    Provenance,
    ResourceRead,
    RevisionDiff,
    RevisionNumber,
    RevisionSummary,
    WorkingQuery,
    examples,
)

router = guarded_router("staff", get_staff, prefix="/admin/resources")
_PAGED = problem_responses(MalformedRequest, InvalidCursor)
Number = Annotated[RevisionNumber, Path(description="The `number` of a version.", examples=[2])]


def staff_answer(resource: ResourceRead) -> Response:
    """A working resource with the ETag that its next change names in `If-Match`."""
    headers = {"etag": service.version_etag(resource.version)}
    return Response(resource.model_dump_json(), headers=headers, media_type="application/json")


@router.get(
    "",
    summary="List resources of any status",
    response_model=Page[ResourceRead],
    responses={**success("A page of resources.", examples.RESOURCES), **_PAGED},
)
async def list_working_resources(
    request: Request, session: SessionDep, cursors: CursorsDep, query: Annotated[WorkingQuery, Query()]
) -> Response:
    """List drafts, published and archived resources, the latest change first."""
    return private_page(request, await service.list_working(session, query, cursors))


@router.get(
    "/{resource_id}",
    summary="Get a resource of any status",
    response_model=ResourceRead,
    responses={**success("The resource.", examples.RESOURCE), **problem_responses(ResourceNotFound)},
)
async def get_working_resource(request: Request, session: SessionDep, resource_id: ResourceID) -> Response:
    """Get a resource as its editors see it, with the ETag that a change of it names in `If-Match`."""
    resource = await service.get_working(session, resource_id)
    return versioned_answer(request, resource, etag=service.version_etag(resource.version))


@router.get(
    "/{resource_id}/provenance",
    summary="Tell where each field comes from",
    responses={**success("Every field.", examples.PROVENANCE), **problem_responses(ResourceNotFound)},
)
async def get_provenance(session: SessionDep, resource_id: ResourceID) -> Provenance:
    """Tell for each field which person or source set it as it is, in which version and when."""
    return await service.get_provenance(session, resource_id)


@router.get(
    "/{resource_id}/revisions",
    summary="List the versions of a resource",
    response_model=Page[RevisionSummary],
    responses={
        **success("A page of versions.", examples.REVISIONS),
        **_PAGED,
        **problem_responses(ResourceNotFound),
    },
)
async def list_revisions(
    request: Request,
    session: SessionDep,
    resource_id: ResourceID,
    cursors: CursorsDep,
    query: Annotated[PageQuery, Query()],
) -> Response:
    """List who changed a resource, when and why, the latest first."""
    return private_page(request, await service.list_revisions(session, resource_id, query, cursors))


@router.get(
    "/{resource_id}/revisions/{before}..{after}",
    summary="Compare two versions",
    responses={**success("The fields that differ.", examples.DIFF), **problem_responses(RevisionNotFound)},
)
async def compare_revisions(
    session: SessionDep, resource_id: ResourceID, before: Number, after: Number
) -> RevisionDiff:
    """Tell which fields differ between two versions, with both values."""
    return await service.compare_revisions(session, resource_id, before, after)


@router.get(
    "/{resource_id}/revisions/{number}",
    summary="Get one version of a resource",
    responses={**success("The resource as it was.", examples.RESOURCE), **problem_responses(RevisionNotFound)},
)
async def get_revision(session: SessionDep, resource_id: ResourceID, number: Number) -> ResourceRead:
    """Get a resource as it was in one version."""
    return await service.get_revision(session, resource_id, number)
