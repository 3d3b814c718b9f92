"""Reset links: one use, few minutes, the account's present state; and what they end."""

import asyncio
from datetime import datetime, timedelta

import asyncpg
import pytest
from fastapi import FastAPI

from vibe4vets.auth import service
from vibe4vets.auth.exceptions import InvalidResetToken, PasswordRefused, UserNotActive
from vibe4vets.auth.models import Role, User
from vibe4vets.auth.passwords import hash_password, verify_password
from vibe4vets.core.audit import SYSTEM
from vibe4vets.core.config import Settings
from vibe4vets.core.database import Database, own_transaction

OLD, NEW = "seven otters mend the quiet bridge", "nine herons count the silver rain"


class Resets:
    """The account of a test, and its links."""

    def __init__(self, database: Database, settings: Settings, user: User) -> None:
        self.database, self.secret, self.user = database, settings.signing_key, user

    async def create(self) -> str:
        async with own_transaction(self.database) as session:
            user = await service.lock_user(session, self.user.id)
            return (await service.create_reset(session, self.secret, user, actor=SYSTEM)).token

    async def use(self, token: str, password: str = NEW) -> None:
        await service.reset_password(self.database, self.secret, token, password)


@pytest.fixture
async def resets(app: FastAPI, settings: Settings) -> Resets:
    """An editor with a password, who has one session."""
    password_hash = await hash_password(OLD)
    async with own_transaction(app.state.database) as session:
        user = await service.create_user(
            session, email="editor@example.org", role=Role.EDITOR, password_hash=password_hash, actor=SYSTEM
        )
    return Resets(app.state.database, settings, user)


async def test_a_link_sets_the_password_once(resets: Resets, sql: asyncpg.Connection) -> None:
    token = await resets.create()
    await resets.use(token)
    row = await sql.fetchrow("select * from users")
    assert (await verify_password(NEW, row["password_hash"])).matches
    assert not (await verify_password(OLD, row["password_hash"])).matches
    assert row["token_epoch"] == 1  # which every session of before has not
    with pytest.raises(InvalidResetToken):
        await resets.use(token, "a third password, not the second")
    assert await sql.fetchval("select password_hash from users") == row["password_hash"]


async def test_the_token_is_kept_nowhere(resets: Resets, sql: asyncpg.Connection) -> None:
    token = await resets.create()
    row = await sql.fetchrow("select * from password_resets")
    assert (len(token), len(row["token_hash"])) == (48, 32)
    assert row["expires_at"] - row["created_at"] == timedelta(minutes=15)
    assert token.removeprefix("v4vp_") not in f"{dict(row)} {await sql.fetch('select * from audit_events')}"


@pytest.mark.parametrize(
    "change",
    [
        "update password_resets set created_at = now() - interval '15 min', expires_at = now()",
        "update users set state = 'disabled'",
        "update users set token_epoch = token_epoch + 1",
        "delete from users",
        "update password_resets set token_hash = sha256(token_hash)",
    ],
    ids=["late", "disabled", "password changed since", "deleted", "unknown"],
)
async def test_a_link_is_void(resets: Resets, sql: asyncpg.Connection, change: str) -> None:
    token = await resets.create()
    await sql.execute(change)
    with pytest.raises(InvalidResetToken):
        await resets.use(token)
    assert await sql.fetch("select action, reason, count from audit_failures") == [
        ("user.reset_password", "invalid_token", 1)
    ]


@pytest.mark.parametrize("token", ["", "v4vp_", "v4vp_" + "x" * 43, "\ud800", "x" * 100_000])
async def test_a_made_up_token(resets: Resets, token: str) -> None:
    await resets.create()
    with pytest.raises(InvalidResetToken):
        await resets.use(token)


async def test_the_last_link_is_the_only_one(resets: Resets, sql: asyncpg.Connection) -> None:
    first, second = await resets.create(), await resets.create()
    assert await sql.fetchval("select count(*) from password_resets") == 1
    with pytest.raises(InvalidResetToken):
        await resets.use(first)
    await resets.use(second)
    await resets.use(await resets.create(), OLD)


async def test_a_refused_password_leaves_the_link_good(resets: Resets) -> None:
    token = await resets.create()
    for bad in ("too short", "passwordpassword", "the editor and nobody else"):
        with pytest.raises(PasswordRefused) as caught:
            await resets.use(token, bad)
        assert caught.value.errors[0].pointer == "/body/new_password"
    await resets.use(token)


async def test_two_who_send_one_link_are_one(resets: Resets, sql: asyncpg.Connection) -> None:
    for _ in range(5):
        token = await resets.create()
        tries = [f"password number {number} of the two" for number in range(2)]
        done = await asyncio.gather(*(resets.use(token, text) for text in tries), return_exceptions=True)
        assert sorted(type(result) for result in done if result is not None) == [InvalidResetToken]
        kept = await sql.fetchval("select password_hash from users")
        assert (await verify_password(tries[done.index(None)], kept)).matches


async def test_a_one_time_password_gives_way(resets: Resets, sql: asyncpg.Connection) -> None:
    await sql.execute("update users set password_expires_at = now() + interval '1 h'")
    await resets.use(await resets.create())
    kept: datetime | None = await sql.fetchval("select password_expires_at from users")
    assert kept is None


@pytest.mark.parametrize("state", ["pending", "disabled"])
async def test_only_an_active_account_gets_a_link(resets: Resets, sql: asyncpg.Connection, state: str) -> None:
    await sql.execute("update users set state = $1", state)
    with pytest.raises(UserNotActive):
        await resets.create()


async def test_making_and_using_a_link_are_events(resets: Resets, sql: asyncpg.Connection) -> None:
    await resets.use(await resets.create())
    events = await sql.fetch("select action, actor_kind, actor_id, target_id from audit_events order by sequence")
    me = str(resets.user.id)
    assert events[1:] == [
        ("user.create_reset_link", "system", None, me),
        ("user.set_password", "user", me, me),
    ]
