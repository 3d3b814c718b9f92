"""Logins and refreshes: what gives tokens.

No connection is held while a password is hashed, so that a crowd that signs in keeps none from the others. What a
refusal leaves behind (a count, an ended family) is committed before the refusal is raised.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import delete, func, insert, update
from sqlalchemy import select as rows
from sqlmodel import col, select

from vibe4vets.auth.exceptions import InvalidCredentials, InvalidRefreshToken
from vibe4vets.auth.models import SessionEnd, User, UserState, refresh_tokens, sessions, users
from vibe4vets.auth.passwords import verify_password
from vibe4vets.auth.schemas import TokenForm, TokenPair, fold_email
from vibe4vets.auth.service.sessions import is_live, session_target
from vibe4vets.auth.tokens import LIFETIME, mint_access_token
from vibe4vets.core.audit import ANONYMOUS, Actor, ActorKind, count_failure, record_event
from vibe4vets.core.config import Settings
from vibe4vets.core.database import Database, Session, own_transaction
from vibe4vets.core.limits import LoginThrottle
from vibe4vets.core.models import utc_now
from vibe4vets.core.retries import in_transaction
from vibe4vets.core.security import new_token, token_hash

S, T, U = sessions.c, refresh_tokens.c, users.c
PREFIX = "v4vr_"
_PURPOSE = "refresh token"


@dataclass(frozen=True, slots=True)
class _Family:
    session_id: UUID
    user_id: UUID
    role: str


async def log_in(database: Database, settings: Settings, throttle: LoginThrottle, form: TokenForm) -> TokenPair:
    """Open a session; InvalidCredentials whatever the reason, after the same work.

    TooManyRequests after too many of those from one address, whatever the account, and for one account.
    """
    async with throttle.attempt(fold_email(form.username), refusal=InvalidCredentials):
        return await _check_and_open(database, settings, form)


async def _check_and_open(database: Database, settings: Settings, form: TokenForm) -> TokenPair:
    async with Session(database.reads, expire_on_commit=False) as session:
        user = (await session.exec(select(User).where(col(User.email) == fold_email(form.username)))).one_or_none()
    checked = await verify_password(form.password, user.password_hash if user is not None else None)
    now = utc_now()
    async with own_transaction(database) as session:
        reason = _refusal(user, matches=checked.matches, now=now)
        if user is not None and reason is None:
            if checked.new_hash is not None:
                await _renew_hash(session, user, checked.new_hash)
            return await _open_session(session, settings, user, now)
        await count_failure(session, "auth.login_refused", reason=reason or "unknown")
    raise InvalidCredentials


async def refresh(database: Database, settings: Settings, token: str) -> TokenPair:
    """Exchange a refresh token for the next pair; InvalidRefreshToken unless it is the newest of a live session.

    The token before the newest is good as long as the newest is unused, for its answer may have been lost; what
    that answer gave is then superseded. Any other token of the family is known to two parties: the family ends.
    """
    pair = await in_transaction(database, lambda session: _rotate(session, settings, _hash(settings, token)))
    if pair is None:
        raise InvalidRefreshToken
    return pair


def _refusal(user: User | None, *, matches: bool, now: datetime) -> str | None:
    """Why a login is refused, for the audit alone."""
    if user is None:
        return "unknown_account"
    if not matches:
        return "wrong_password"
    if user.state is not UserState.ACTIVE:
        return "account_not_active"
    if user.password_expires_at is not None and user.password_expires_at <= now:
        return "password_expired"
    return None


async def _renew_hash(session: Session, user: User, new_hash: str) -> None:
    """Keep the same password as a stronger hash, unless it was changed meanwhile."""
    same = (U.id == user.id, U.password_hash == user.password_hash)
    await session.execute(update(users).where(*same).values(password_hash=new_hash))


async def _open_session(session: Session, settings: Settings, user: User, now: datetime) -> TokenPair:
    """A session of the epoch that the password was checked in: a disabling or a new password since then ends it."""
    await session.execute(delete(sessions).where(S.user_id == user.id, S.expires_at <= now))
    session_id = uuid4()
    expires_at = now + settings.auth.session_lifetime
    row = {
        "id": session_id,
        "user_id": user.id,
        "token_epoch": user.token_epoch,
        "created_at": now,
        "last_used_at": now,
        "idle_expires_at": min(now + settings.auth.session_idle, expires_at),
        "expires_at": expires_at,
    }
    await session.execute(insert(sessions).values(row))
    actor = Actor(ActorKind.USER, str(user.id))
    await record_event(session, "auth.login", actor=actor, target=session_target(session_id))
    return await _give_pair(session, settings, _Family(session_id, user.id, user.role), position=0)


async def _rotate(session: Session, settings: Settings, hashed: bytes) -> TokenPair | None:
    """The next pair, or None; the lock on the family puts refreshes and what ends it in one line."""
    of_token = rows(T.session_id).where(T.token_hash == hashed).scalar_subquery()
    session_id = (await session.execute(rows(S.id).where(S.id == of_token).with_for_update())).scalar_one_or_none()
    # a statement of its own: it sees what was written while we waited for the lock
    found = await _read_token(session, hashed) if session_id is not None else None
    if found is None:
        return None
    family = _Family(found.session_id, found.user_id, found.role)
    if found.superseded or found.position < found.newest - 1:
        await _end_family(session, family)
        return None
    if found.position < found.newest:
        lost = (T.session_id == found.session_id, T.position == found.newest, T.superseded.is_(False))
        await session.execute(update(refresh_tokens).where(*lost).values(superseded=True))
    now = utc_now()
    idle_expires_at = min(now + settings.auth.session_idle, found.expires_at)
    used = {"last_used_at": now, "idle_expires_at": idle_expires_at, "updated_at": now}
    await session.execute(update(sessions).where(S.id == found.session_id).values(used))
    return await _give_pair(session, settings, family, position=found.position + 1)


async def _read_token(session: Session, hashed: bytes) -> Any:  # noqa: ANN401  a row, or None
    """The token with its place in its family; None when the session is not live."""
    family = refresh_tokens.alias("family")
    newest = rows(func.max(family.c.position)).where(family.c.session_id == T.session_id).scalar_subquery()
    statement = (
        rows(T.session_id, T.position, T.superseded, newest.label("newest"), S.user_id, S.expires_at, U.role)
        .join_from(refresh_tokens, sessions, T.session_id == S.id)
        .join(users, S.user_id == U.id)
        .where(T.token_hash == hashed, is_live(utc_now()))
    )
    return (await session.execute(statement)).one_or_none()


async def _end_family(session: Session, family: _Family) -> None:
    """Nobody knows which of the two is the thief, so both sign in again."""
    now = utc_now()
    ending = {"ended_at": now, "end_reason": SessionEnd.REUSE, "updated_at": now}
    await session.execute(update(sessions).where(S.id == family.session_id).values(ending))
    await record_event(
        session,
        "auth.refresh_reuse",
        actor=ANONYMOUS,
        target=session_target(family.session_id),
        details={"user": str(family.user_id)},
    )


async def _give_pair(session: Session, settings: Settings, family: _Family, *, position: int) -> TokenPair:
    token = new_token(PREFIX)
    row = {"token_hash": _hash(settings, token), "session_id": family.session_id, "position": position}
    await session.execute(insert(refresh_tokens).values(row))
    access = mint_access_token(
        settings, user_id=family.user_id, session_id=family.session_id, role=family.role, now=utc_now()
    )
    return TokenPair(
        access_token=access,
        token_type="bearer",  # noqa: S106  a kind of token, not one
        expires_in=int(LIFETIME.total_seconds()),
        refresh_token=token,
    )


def _hash(settings: Settings, token: str) -> bytes:
    return token_hash(settings.signing_key, _PURPOSE, token)
