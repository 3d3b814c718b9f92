"""HTTP for accounts, from the admins' side: names, statuses and documents; no rules."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import Path, Query, Request, Response

from vibe4vets.admin import service
from vibe4vets.admin.schemas import ResetLink, UserCreate, UserQuery, UserRead, UserUpdate, examples
from vibe4vets.auth.dependencies import Admin, SettingsDep, get_admin, guarded_router
from vibe4vets.auth.exceptions import EmailTaken, LastAdmin, UserNotActive, UserNotFound
from vibe4vets.core.database import SessionDep
from vibe4vets.core.errors import problem_responses
from vibe4vets.core.http import IDEMPOTENT, created_answer, private_page, success, versioned_answer
from vibe4vets.core.http.preconditions import IfMatchDep
from vibe4vets.core.pagination import CursorsDep, InvalidCursor, Page
from vibe4vets.core.preconditions import PreconditionFailed, PreconditionRequired

router = guarded_router("users", get_admin)
_VERSIONED = problem_responses(UserNotFound, LastAdmin, PreconditionFailed, PreconditionRequired)
UserID = Annotated[UUID, Path(description="The `id` of an account.", examples=["0b0f6a0e-8c55-4b63-9f0e-2f7a4f6b1c11"])]


@router.get(
    "/users",
    summary="List accounts",
    response_model=Page[UserRead],
    responses={**success("A page of accounts.", examples.USERS), **problem_responses(InvalidCursor)},
)
async def list_users(
    request: Request, session: SessionDep, cursors: CursorsDep, query: Annotated[UserQuery, Query()]
) -> Response:
    """List accounts, the newest first; `state=pending` are those who asked for one and wait."""
    return private_page(request, await service.list_users(session, query, cursors))


@router.post(
    "/users",
    status_code=HTTPStatus.CREATED,
    summary="Create an account",
    response_model=UserRead,
    dependencies=[IDEMPOTENT],
    responses={
        **success("The account.", examples.USER, status=HTTPStatus.CREATED),
        **problem_responses(EmailTaken),
    },
)
async def create_user(request: Request, session: SessionDep, admin: Admin, data: UserCreate) -> Response:
    """Create an active account without a password. Make its reset link next, and hand that over."""
    return created_answer(request, await service.create_user(session, data, admin=admin))


@router.get(
    "/users/{user_id}",
    summary="Get an account",
    response_model=UserRead,
    responses={**success("The account.", examples.USER), **problem_responses(UserNotFound)},
)
async def get_user(request: Request, session: SessionDep, user_id: UserID) -> Response:
    """Get one account, with the `ETag` that a change of it needs."""
    return versioned_answer(request, await service.get_user(session, user_id))


@router.patch(
    "/users/{user_id}",
    summary="Change an account",
    response_model=UserRead,
    responses={**success("The account as it is now.", examples.USER), **_VERSIONED},
)
async def update_user(  # noqa: PLR0913, PLR0917  a signature of a route is what it needs
    request: Request, session: SessionDep, admin: Admin, user_id: UserID, match: IfMatchDep, data: UserUpdate
) -> Response:
    """Give the account another role, activate it or disable it; it counts from its next request on.

    Disabling ends every session, and stops its API keys. The last active admin stays one.
    """
    return versioned_answer(request, await service.update_user(session, user_id, data, match, admin=admin))


@router.delete(
    "/users/{user_id}",
    status_code=HTTPStatus.NO_CONTENT,
    summary="Delete an account",
    responses=_VERSIONED,
)
async def delete_user(session: SessionDep, admin: Admin, user_id: UserID, match: IfMatchDep) -> None:
    """Delete the account with its sessions, API keys and reset links. What it did stays in the audit, by its id."""
    await service.delete_user(session, user_id, match, admin=admin)


@router.post(
    "/users/{user_id}/reset-link",
    status_code=HTTPStatus.CREATED,
    summary="Make a reset link",
    dependencies=[IDEMPOTENT],
    responses={
        **success("The link, shown only now.", examples.RESET_LINK, status=HTTPStatus.CREATED),
        **problem_responses(UserNotFound, UserNotActive),
    },
)
async def create_reset_link(session: SessionDep, settings: SettingsDep, admin: Admin, user_id: UserID) -> ResetLink:
    """Make a link with which its bearer sets the account's password, once and within 15 minutes.

    No e-mail is sent: hand it over yourself, to somebody you know is the owner. It replaces any link before, and is
    void as soon as the password changes in another way.
    """
    return await service.create_reset_link(session, settings, user_id, admin=admin)
