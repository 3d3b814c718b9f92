"""HTTP for the acts of editors; each answers with the resource as it now is, and its working ETag."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Body, Depends, Query, Request, Response

from vibe4vets.auth.dependencies import Editor, Staff, get_editor, get_staff, guarded_router
from vibe4vets.core.database import SessionDep
from vibe4vets.core.errors import problem_responses
from vibe4vets.core.http import IDEMPOTENT, created_answer, success
from vibe4vets.core.http.preconditions import IfMatchDep
from vibe4vets.core.preconditions import PreconditionFailed, PreconditionRequired
from vibe4vets.resources import service
from vibe4vets.resources.exceptions import ResourceNotFound, ResourceStateConflict, RevisionNotFound
from vibe4vets.resources.router.public import ResourceID
from vibe4vets.resources.router.staff import staff_answer
from vibe4vets.resources.schemas import (
    Act,
    ResourceCreate,
    ResourceRead,
    ResourceUpdate,
    Rollback,
    Verification,
    examples,
)

router = guarded_router("editing", prefix="/resources")
_EDITORS, _STAFF = [Depends(get_editor)], [Depends(get_staff)]
_REFUSED = problem_responses(ResourceNotFound, ResourceStateConflict, PreconditionFailed, PreconditionRequired)
Words = Annotated[Act, Body()]
_NO_WORDS, _NO_DETAILS = Act(), Verification()
_ACT = {**success("The resource as it now is.", examples.RESOURCE), **_REFUSED}


@router.post(
    "",
    status_code=HTTPStatus.CREATED,
    summary="Create a resource",
    response_model=ResourceRead,
    dependencies=[*_EDITORS, IDEMPOTENT],
    responses=success("The resource.", examples.RESOURCE, status=HTTPStatus.CREATED),
)
async def create_resource(request: Request, session: SessionDep, editor: Editor, given: ResourceCreate) -> Response:
    """Create a resource, published at once; with `"status": "draft"` it waits for `POST /resources/{id}/publish`."""
    resource = await service.create_resource(session, given, actor=editor.actor)
    return created_answer(request, resource, etag=service.version_etag(resource.version))


@router.patch(
    "/{resource_id}",
    summary="Change a resource",
    response_model=ResourceRead,
    dependencies=_EDITORS,
    responses=_ACT,
)
async def update_resource(
    session: SessionDep, editor: Editor, resource_id: ResourceID, match: IfMatchDep, given: ResourceUpdate
) -> Response:
    """Change the fields that are given. Absent fields stay, null empties one; the public sees it at once."""
    return staff_answer(await service.update_resource(session, resource_id, given, match, actor=editor.actor))


@router.delete(
    "/{resource_id}",
    status_code=HTTPStatus.NO_CONTENT,
    summary="Archive a resource",
    dependencies=_EDITORS,
    responses=_REFUSED,
)
async def archive_resource(
    session: SessionDep, editor: Editor, resource_id: ResourceID, match: IfMatchDep, given: Annotated[Act, Query()]
) -> None:
    """Take a resource out of every public read. Nothing is lost: `POST /resources/{id}/restore` brings it back."""
    await service.archive_resource(session, resource_id, match, actor=editor.actor, reason=given.reason)


@router.post(
    "/{resource_id}/publish",
    summary="Publish a draft",
    response_model=ResourceRead,
    dependencies=_EDITORS,
    responses=_ACT,
)
async def publish_resource(
    session: SessionDep, editor: Editor, resource_id: ResourceID, match: IfMatchDep, given: Words = _NO_WORDS
) -> Response:
    """Show a draft to the public, from this moment on."""
    return staff_answer(
        await service.publish_resource(session, resource_id, match, actor=editor.actor, reason=given.reason)
    )


@router.post(
    "/{resource_id}/restore",
    summary="Restore a resource",
    response_model=ResourceRead,
    dependencies=_EDITORS,
    responses=_ACT,
)
async def restore_resource(
    session: SessionDep, editor: Editor, resource_id: ResourceID, match: IfMatchDep, given: Words = _NO_WORDS
) -> Response:
    """Bring an archived resource back: published if the public knew it, else as a draft."""
    return staff_answer(
        await service.restore_resource(session, resource_id, match, actor=editor.actor, reason=given.reason)
    )


@router.post(
    "/{resource_id}/verify",
    summary="Verify a resource",
    response_model=ResourceRead,
    dependencies=_STAFF,
    responses=_ACT,
)
async def verify_resource(
    session: SessionDep,
    staff: Staff,
    resource_id: ResourceID,
    match: IfMatchDep,
    given: Annotated[Verification, Body()] = _NO_DETAILS,
) -> Response:
    """Say that you have checked the resource today, and how; its trust rises."""
    return staff_answer(await service.verify_resource(session, resource_id, given, match, actor=staff.actor))


@router.post(
    "/{resource_id}/rollback",
    summary="Roll a resource back",
    response_model=ResourceRead,
    dependencies=_EDITORS,
    responses={**_ACT, **problem_responses(ResourceNotFound, RevisionNotFound)},
)
async def roll_back_resource(
    session: SessionDep, editor: Editor, resource_id: ResourceID, match: IfMatchDep, given: Rollback
) -> Response:
    """Write the content of an earlier version as a new one; the history keeps both."""
    return staff_answer(await service.roll_back_resource(session, resource_id, given, match, actor=editor.actor))
