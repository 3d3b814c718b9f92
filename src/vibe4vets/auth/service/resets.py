"""Reset links: made by an admin for somebody who cannot sign in, handed over by hand, good once and for minutes."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, bindparam, select, text, update

from vibe4vets.auth.exceptions import InvalidResetToken, UserNotActive
from vibe4vets.auth.models import User, UserState, password_resets, users
from vibe4vets.auth.passwords import check_password, hash_password
from vibe4vets.auth.service.accounts import lock_user, set_password, user_target
from vibe4vets.core.audit import Actor, ActorKind, count_failure, record_event
from vibe4vets.core.database import Database, Session, own_transaction
from vibe4vets.core.models import utc_now
from vibe4vets.core.security import new_token, token_hash

R, U = password_resets.c, users.c
PREFIX = "v4vp_"
PURPOSE = "reset token"
LIFETIME = timedelta(minutes=15)
# an older link of the account gives way: of two that were made, only the one handed over last is good
_KEEP = text("""
insert into password_resets (user_id, token_hash, token_epoch, created_at, expires_at)
values (:user_id, :token_hash, :token_epoch, :now, :expires_at)
on conflict (user_id) where used_at is null do update set
  token_hash = excluded.token_hash, token_epoch = excluded.token_epoch,
  created_at = excluded.created_at, updated_at = excluded.created_at, expires_at = excluded.expires_at
""")

_ACCOUNT = select(U.id, U.email).join_from(password_resets, users, R.user_id == U.id)
_SPEND = update(password_resets).values(used_at=bindparam("used_at"), updated_at=bindparam("used_at")).returning(R.id)


@dataclass(frozen=True, slots=True)
class NewReset:
    """A reset that was made just now: the only moment at which its token is known."""

    token: str
    expires_at: datetime


async def create_reset(session: Session, secret: bytes, user: User, *, actor: Actor) -> NewReset:
    """Make a link for an active account, in place of any before; UserNotActive for another."""
    if user.state is not UserState.ACTIVE:
        raise UserNotActive
    token, now = new_token(PREFIX), utc_now()
    given = {
        "user_id": user.id,
        "token_hash": token_hash(secret, PURPOSE, token),
        "token_epoch": user.token_epoch,
        "now": now,
        "expires_at": now + LIFETIME,
    }
    await session.execute(_KEEP, given)
    await record_event(session, "user.create_reset_link", actor=actor, target=user_target(user.id))
    return NewReset(token, now + LIFETIME)


async def reset_password(database: Database, secret: bytes, token: str, password: str) -> None:
    """Set the password of the account that `token` is for, and end all of its sessions.

    InvalidResetToken unless the token is the account's last one, unused and in time, and nothing has ended the
    account's sessions since. A password that is refused leaves the token good. No connection is held while the
    password is hashed.
    """
    digest = token_hash(secret, PURPOSE, token)
    async with Session(database.reads) as session:
        account = (await session.execute(_ACCOUNT.where(_is_good(digest)))).one_or_none()
    if account is None:
        async with own_transaction(database) as session:
            await count_failure(session, "user.reset_password", reason="invalid_token")
        raise InvalidResetToken
    check_password(password, email=account.email, pointer="/body/new_password")
    password_hash = await hash_password(password)
    async with own_transaction(database) as session:
        user = await lock_user(session, account.id)
        # once more, now that the account is locked: two who send one token at once are one who sets a password
        spent = await session.execute(_SPEND.where(_is_good(digest)), {"used_at": utc_now()})
        if spent.scalar_one_or_none() is None:
            raise InvalidResetToken
        await set_password(session, user, password_hash, actor=Actor(ActorKind.USER, str(user.id)))


def _is_good(digest: bytes) -> ColumnElement[bool]:
    return and_(
        R.token_hash == digest,
        R.used_at.is_(None),
        R.expires_at > utc_now(),
        R.user_id == U.id,
        R.token_epoch == U.token_epoch,
        U.state == UserState.ACTIVE,
    )
