"""Accounts, from the admins' side."""

from collections.abc import Set as AbstractSet
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from pydantic import MISSING
from sqlalchemy import ARRAY, ColumnElement, Text, any_, bindparam, cast, select

from vibe4vets.admin.schemas import ResetLink, UserCreate, UserQuery, UserRead, UserUpdate
from vibe4vets.auth import service as accounts
from vibe4vets.auth.exceptions import UserNotFound
from vibe4vets.auth.models import User, UserState, users
from vibe4vets.auth.principals import Principal
from vibe4vets.core.config import Settings
from vibe4vets.core.database import Session
from vibe4vets.core.documents import etag_of
from vibe4vets.core.pagination import Cursors, Listing, Order, Slice
from vibe4vets.core.preconditions import IfMatch

U = users.c
_NEWEST = Order((U.created_at, U.id), (datetime.fromisoformat, UUID), descending=True)
_CONDITIONS: dict[str, ColumnElement[bool]] = {
    "role": cast(U.role, Text) == any_(bindparam("role", type_=ARRAY(Text))),
    "state": cast(U.state, Text) == any_(bindparam("state", type_=ARRAY(Text))),
    "email": U.email == bindparam("email", type_=Text),
}


async def list_users(session: Session, query: UserQuery, cursors: Cursors) -> Slice:
    """Return one page of the accounts that match `query`, the newest first."""
    given = {name: value for name in _CONDITIONS if (value := getattr(query, name))}
    found = await _listing(frozenset(given)).read(session, query, cursors, given)
    return found.slice(lambda row: _read(row).model_dump_json())


@lru_cache(maxsize=8)
def _listing(names: AbstractSet[str]) -> Listing:
    return Listing(select(*U).where(*(_CONDITIONS[name] for name in sorted(names))), _NEWEST)


async def get_user(session: Session, user_id: UUID) -> UserRead:
    """Return the account; raises UserNotFound."""
    user = await session.get(User, user_id)
    if user is None:
        raise UserNotFound
    return _read(user)


async def create_user(session: Session, data: UserCreate, *, admin: Principal) -> UserRead:
    """Create an active account without a password; raises EmailTaken."""
    user = await accounts.create_user(session, email=data.email, role=data.role, password_hash=None, actor=admin.actor)
    return _read(user)


async def update_user(
    session: Session, user_id: UUID, data: UserUpdate, match: IfMatch, *, admin: Principal
) -> UserRead:
    """Change role and state; raises UserNotFound, PreconditionFailed, LastAdmin."""
    user = await _lock(session, user_id, match)
    if data.state is not MISSING:
        await accounts.change_state(session, user, UserState(data.state), actor=admin.actor)
    if data.role is not MISSING:
        await accounts.change_role(session, user, data.role, actor=admin.actor)
    return _read(user)


async def delete_user(session: Session, user_id: UUID, match: IfMatch, *, admin: Principal) -> None:
    """Delete the account; raises UserNotFound, PreconditionFailed, LastAdmin."""
    await accounts.delete_user(session, await _lock(session, user_id, match), actor=admin.actor)


async def create_reset_link(session: Session, settings: Settings, user_id: UUID, *, admin: Principal) -> ResetLink:
    """Make the account's one-time link, in place of any before; raises UserNotFound, UserNotActive."""
    user = await accounts.lock_user(session, user_id)
    reset = await accounts.create_reset(session, settings.signing_key, user, actor=admin.actor)
    page = settings.auth.reset_page
    # behind the #, where no browser sends it to a server and no log keeps it
    link = None if page is None else f"{page}#token={reset.token}"
    return ResetLink(token=reset.token, expires_at=reset.expires_at, link=link)


async def _lock(session: Session, user_id: UUID, match: IfMatch) -> User:
    """The account, locked, as long as it is what the admin has seen."""
    user = await accounts.lock_user(session, user_id)
    match.require(etag_of(_read(user).model_dump_json()))
    return user


def _read(user: Any) -> UserRead:  # noqa: ANN401  a User, or a row of its columns
    return UserRead(
        id=user.id,
        email=user.email,
        role=user.role,
        state=user.state,
        has_password=user.password_hash is not None,
        password_expires_at=user.password_expires_at,
        created_at=user.created_at,
        updated_at=user.updated_at,
    )
