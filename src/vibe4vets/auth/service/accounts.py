"""Accounts: who has one, with which role, and its password. Every change is an event."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from vibe4vets.auth.exceptions import AdminExists, EmailTaken, InvalidToken, LastAdmin, UserNotFound, WrongPassword
from vibe4vets.auth.models import ONE_ADMIN_LEFT, ONE_EMAIL, Role, User, UserState, sessions, users
from vibe4vets.auth.passwords import check_password, hash_password, verify_password
from vibe4vets.auth.principals import Principal
from vibe4vets.auth.schemas import KeyInUse, Me, PasswordChange, Registration
from vibe4vets.core.audit import ANONYMOUS, SYSTEM, Actor, Target, record_event
from vibe4vets.core.database import Database, Session, own_transaction, violates
from vibe4vets.core.limits import LoginThrottle
from vibe4vets.core.models import utc_now

ADMIN_LOCK = 7_264_387_004
"""The lock of the trigger `keep_an_admin`: whoever holds it may count the admins."""
FIRST_PASSWORD_LIFETIME = timedelta(hours=24)


async def get_me(session: Session, principal: Principal) -> Me:
    """Return who `principal` is."""
    user = await _get_user(session, principal.user_id)
    key = principal.api_key_id and KeyInUse(id=principal.api_key_id, scopes=sorted(principal.scopes))
    return Me(
        id=user.id,
        email=user.email,
        role=principal.role,
        created_at=user.created_at,
        password_expires_at=user.password_expires_at,
        api_key=key or None,
    )


async def find_user(session: Session, email: str) -> User:
    """Return the account with this address, in its one spelling; raises UserNotFound."""
    user = (await session.exec(select(User).where(col(User.email) == email))).one_or_none()
    if user is None:
        raise UserNotFound
    return user


async def list_users(session: Session) -> Sequence[User]:
    """Return every account, by e-mail address."""
    return (await session.exec(select(User).order_by(col(User.email)))).all()


async def lock_user(session: Session, user_id: UUID) -> User:
    """Return the account, its row locked until the transaction ends; raises UserNotFound."""
    # NO KEY: a login may insert a session of the account meanwhile
    user = await session.get(User, user_id, with_for_update={"key_share": True}, populate_existing=True)
    if user is None:
        raise UserNotFound
    return user


async def create_user(  # noqa: PLR0913  an account is all of these
    session: Session,
    *,
    email: str,
    role: Role,
    password_hash: str | None,
    actor: Actor,
    state: UserState = UserState.ACTIVE,
    password_expires_at: datetime | None = None,
) -> User:
    """Create an account; raises EmailTaken. Without a password hash nobody can sign in until one is set."""
    user = User(
        email=email,
        role=role,
        state=state,
        password_hash=password_hash,
        password_expires_at=password_expires_at,
    )
    try:
        async with session.begin_nested():
            session.add(user)
    except IntegrityError as error:
        if violates(error, ONE_EMAIL):
            raise EmailTaken from error
        raise
    await record_event(session, "user.create", actor=actor, target=user_target(user.id), after=_plain(user))
    return user


async def bootstrap_admin(session: Session, *, email: str, password_hash: str) -> User:
    """Create the first admin, with a password that expires in 24 hours; raises AdminExists, whoever was first."""
    await session.execute(text("select pg_advisory_xact_lock(:key)"), {"key": ADMIN_LOCK})
    if await has_admin(session):
        raise AdminExists
    return await create_user(
        session,
        email=email,
        role=Role.ADMIN,
        password_hash=password_hash,
        password_expires_at=utc_now() + FIRST_PASSWORD_LIFETIME,
        actor=SYSTEM,
    )


async def has_admin(session: Session) -> bool:
    """Whether there is an admin, active or not."""
    return bool((await session.exec(select(User.id).where(col(User.role) == Role.ADMIN).limit(1))).first())


async def register(session: Session, data: Registration) -> None:
    """Ask for a partner's account, which waits for an admin. Where there is one already, nothing happens.

    Both cases hash a password and answer alike: nobody learns who has an account.
    """
    check_password(data.password, email=data.email)
    row = {"email": data.email, "role": Role.PARTNER, "state": UserState.PENDING}
    hashed = await hash_password(data.password)
    asking = insert(users).values(row | {"password_hash": hashed}).on_conflict_do_nothing(constraint=ONE_EMAIL)
    user_id = (await session.execute(asking.returning(users.c.id))).scalar_one_or_none()
    if user_id is not None:
        await record_event(session, "user.register", actor=ANONYMOUS, target=user_target(user_id))


async def change_role(session: Session, user: User, role: Role, *, actor: Actor) -> None:
    """Give a locked account another role, which counts from its next request on; raises LastAdmin."""
    if role is not user.role:
        before = _plain(user)
        user.role = role
        await _flush_user(session)
        await record_event(
            session, "user.change_role", actor=actor, target=user_target(user.id), before=before, after=_plain(user)
        )


async def change_state(session: Session, user: User, state: UserState, *, actor: Actor) -> None:
    """Activate or disable a locked account; raises LastAdmin. Whatever was signed in is out at once."""
    if state is not user.state:
        before = _plain(user)
        user.state = state
        user.token_epoch += 1
        await _flush_user(session)
        action = "user.activate" if state is UserState.ACTIVE else "user.disable"
        await record_event(session, action, actor=actor, target=user_target(user.id), before=before, after=_plain(user))


async def delete_user(session: Session, user: User, *, actor: Actor) -> None:
    """Delete a locked account with its sessions, keys and reset links; raises LastAdmin. Its events stay."""
    before = _plain(user)
    await session.delete(user)
    await _flush_user(session)
    await record_event(session, "user.delete", actor=actor, target=user_target(user.id), before=before)


async def set_password(session: Session, user: User, password_hash: str, *, actor: Actor) -> None:
    """Give a locked account another password. Every session ends, every reset link is void."""
    user.password_hash, user.password_expires_at = password_hash, None
    user.token_epoch += 1
    await session.flush()
    await record_event(session, "user.set_password", actor=actor, target=user_target(user.id))


async def change_password(
    database: Database, throttle: LoginThrottle, principal: Principal, data: PasswordChange
) -> None:
    """Replace one's own password; ends every other session. WrongPassword, or PasswordRefused with the reason.

    A wrong one counts as a failed login, for a stolen access token must not serve to guess the password. No
    connection is held while passwords are hashed.
    """
    async with Session(database.reads, expire_on_commit=False) as session:
        known = await _get_user(session, principal.user_id)
    async with throttle.attempt(known.email, refusal=WrongPassword):
        if not (await verify_password(data.current_password, known.password_hash)).matches:
            raise WrongPassword
    check_password(data.new_password, email=known.email, pointer="/body/new_password")
    hashed = await hash_password(data.new_password)
    async with own_transaction(database) as session:
        user = await lock_user(session, principal.user_id)
        if user.token_epoch != known.token_epoch:  # changed or disabled while we were hashing
            raise InvalidToken
        await set_password(session, user, hashed, actor=principal.actor)
        current = sessions.c.id == principal.session_id
        await session.execute(update(sessions).where(current).values(token_epoch=user.token_epoch))


def user_target(user_id: UUID) -> Target:
    """An account as an event names it."""
    return Target("user", str(user_id))


def _plain(user: User) -> dict[str, str]:
    """What an event hashes of an account: no secret."""
    return {"email": user.email, "role": user.role, "state": user.state}


async def _get_user(session: Session, user_id: UUID) -> User:
    user = await session.get(User, user_id)
    if user is None:
        raise UserNotFound
    return user


async def _flush_user(session: Session) -> None:
    try:
        async with session.begin_nested():
            await session.flush()
    except IntegrityError as error:
        if violates(error, ONE_ADMIN_LEFT):
            raise LastAdmin from error
        raise
