"""HTTP for API keys: names, statuses and documents; no rules."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import Path, Query, Request, Response

from vibe4vets.admin import service
from vibe4vets.admin.router.users import UserID
from vibe4vets.admin.schemas import KeyCreate, KeyCreated, KeyQuery, KeyRead, examples
from vibe4vets.auth.dependencies import Admin, SettingsDep, get_admin, guarded_router
from vibe4vets.auth.exceptions import APIKeyNotFound, KeyNameTaken, NotAPartner, TwoKeysAlready, UserNotFound
from vibe4vets.core.database import SessionDep
from vibe4vets.core.errors import problem_responses
from vibe4vets.core.http import IDEMPOTENT, private_page, success
from vibe4vets.core.pagination import CursorsDep, InvalidCursor, Page

router = guarded_router("api keys", get_admin)
KeyID = Annotated[UUID, Path(description="The `id` of an API key.", examples=["5d3c2b1a-8c55-4b63-9f0e-2f7a4f6b1c11"])]
_SHOWN_ONCE = success("The key, shown only now.", examples.NEW_KEY, status=HTTPStatus.CREATED)


@router.get(
    "/users/{user_id}/api-keys",
    summary="List the keys of an account",
    response_model=Page[KeyRead],
    responses={**success("A page of keys.", examples.KEYS), **problem_responses(InvalidCursor, UserNotFound)},
)
async def list_api_keys(
    request: Request, session: SessionDep, cursors: CursorsDep, user_id: UserID, query: Annotated[KeyQuery, Query()]
) -> Response:
    """List the account's API keys, the newest first, revoked and expired ones too. No secret is among it."""
    return private_page(request, await service.list_keys(session, user_id, query, cursors))


@router.post(
    "/users/{user_id}/api-keys",
    status_code=HTTPStatus.CREATED,
    summary="Create a key",
    dependencies=[IDEMPOTENT],
    responses={**_SHOWN_ONCE, **problem_responses(UserNotFound, NotAPartner, KeyNameTaken)},
)
async def create_api_key(
    session: SessionDep, settings: SettingsDep, admin: Admin, user_id: UserID, data: KeyCreate
) -> KeyCreated:
    """Make an API key for a partner's program, which sends it as `X-API-Key`. It is shown once and kept as a hash."""
    return await service.create_key(session, settings, user_id, data, admin=admin)


@router.post(
    "/api-keys/{key_id}/rotate",
    status_code=HTTPStatus.CREATED,
    summary="Rotate a key",
    dependencies=[IDEMPOTENT],
    responses={**_SHOWN_ONCE, **problem_responses(APIKeyNotFound, TwoKeysAlready)},
)
async def rotate_api_key(session: SessionDep, settings: SettingsDep, admin: Admin, key_id: KeyID) -> KeyCreated:
    """Make the key that takes this one's place, with its name, its scopes and its lifetime.

    Both are good, until you revoke the old one: do so once the program has the new one.
    """
    return await service.rotate_key(session, settings, key_id, admin=admin)


@router.delete(
    "/api-keys/{key_id}",
    status_code=HTTPStatus.NO_CONTENT,
    summary="Revoke a key",
    responses=problem_responses(APIKeyNotFound),
)
async def revoke_api_key(session: SessionDep, admin: Admin, key_id: KeyID) -> None:
    """Refuse the key from its next request on. It needs no `If-Match`, for a key is never edited."""
    await service.revoke_key(session, key_id, admin=admin)
