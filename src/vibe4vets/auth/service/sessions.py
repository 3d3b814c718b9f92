"""Sessions: one per login, ended by logout, by reuse of a refresh token, or all at once by the account's epoch."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, DateTime, Uuid, and_, bindparam, or_, select, update

from vibe4vets.auth.exceptions import InvalidToken, SessionNotFound
from vibe4vets.auth.models import Role, SessionEnd, UserState, sessions, users
from vibe4vets.auth.principals import Principal
from vibe4vets.auth.schemas import SessionQuery, SessionRead
from vibe4vets.auth.tokens import AccessClaims
from vibe4vets.core.audit import Target, record_event
from vibe4vets.core.database import Session, Statement
from vibe4vets.core.models import utc_now
from vibe4vets.core.pagination import Cursors, Listing, Order, Slice

S, U = sessions.c, users.c
_NOW = bindparam("now", type_=DateTime(timezone=True))
_USER = bindparam("user_id", type_=Uuid)


def is_live(now: Any) -> ColumnElement[bool]:  # noqa: ANN401  an instant, or the parameter that stands for one
    """Neither ended nor expired, of the account's epoch; and the account may be used."""
    return and_(
        S.ended_at.is_(None),
        S.expires_at > now,
        S.idle_expires_at > now,
        S.token_epoch == U.token_epoch,
        U.state == UserState.ACTIVE,
        or_(U.password_expires_at.is_(None), U.password_expires_at > now),
    )


_PRINCIPAL = Statement(
    select(U.role)
    .join_from(sessions, users, S.user_id == U.id)
    .where(S.id == bindparam("session_id", type_=Uuid), S.user_id == _USER, is_live(_NOW))
)
_SESSIONS = Listing(
    select(S.id, S.created_at, S.last_used_at, S.expires_at)
    .join_from(sessions, users, S.user_id == U.id)
    .where(S.user_id == _USER, is_live(_NOW)),
    Order((S.created_at, S.id), (datetime.fromisoformat, UUID), descending=True),
)


async def find_principal(session: Session, claims: AccessClaims) -> Principal:
    """Who bears the token, with the role of this moment; raises InvalidToken unless the session is live.

    One read by key for each request: so a disabled account, a new role, a changed password count at once.
    """
    given = {"session_id": claims.session_id, "user_id": claims.user_id, "now": utc_now()}
    for row in await session.rows(_PRINCIPAL, given):
        return Principal(user_id=claims.user_id, role=Role(row.role), session_id=claims.session_id)
    raise InvalidToken


async def list_sessions(session: Session, principal: Principal, query: SessionQuery, cursors: Cursors) -> Slice:
    """Return one page of the live sessions of `principal`."""
    found = await _SESSIONS.read(session, query, cursors, {"user_id": principal.user_id, "now": utc_now()})
    return found.slice(
        lambda row: SessionRead(
            id=row.id,
            created_at=row.created_at,
            last_used_at=row.last_used_at,
            expires_at=row.expires_at,
            is_current=row.id == principal.session_id,
        ).model_dump_json()
    )


async def end_session(session: Session, principal: Principal, session_id: UUID) -> None:
    """End one session of `principal`; SessionNotFound for one that is another's, ended or expired."""
    if not await _end(session, principal, S.id == session_id, SessionEnd.REVOKED):
        raise SessionNotFound
    await record_event(session, "auth.session_end", actor=principal.actor, target=session_target(session_id))


async def end_other_sessions(session: Session, principal: Principal) -> None:
    """End every session of `principal` but the one at hand."""
    for session_id in await _end(session, principal, S.id != principal.session_id, SessionEnd.REVOKED):
        await record_event(session, "auth.session_end", actor=principal.actor, target=session_target(session_id))


async def log_out(session: Session, principal: Principal) -> None:
    """End the session at hand: its access token and its refresh tokens are refused from now on."""
    for session_id in await _end(session, principal, S.id == principal.session_id, SessionEnd.LOGOUT):
        await record_event(session, "auth.logout", actor=principal.actor, target=session_target(session_id))


def session_target(session_id: UUID) -> Target:
    """A session as an event names it."""
    return Target("session", str(session_id))


async def _end(session: Session, principal: Principal, which: ColumnElement[bool], reason: SessionEnd) -> list[UUID]:
    now = utc_now()
    ending = (
        update(sessions)
        .where(S.user_id == U.id, S.user_id == principal.user_id, which, is_live(now))
        .values(ended_at=now, end_reason=reason, updated_at=now)
        .returning(S.id)
    )
    return list((await session.execute(ending)).scalars())
