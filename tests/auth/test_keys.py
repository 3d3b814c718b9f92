"""API keys: what they look like, how they are kept, and when they stop working."""

import asyncio
import re
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from fastapi import FastAPI

from vibe4vets.auth import service
from vibe4vets.auth.exceptions import APIKeyNotFound, InvalidAPIKey, KeyNameTaken, NotAPartner, TwoKeysAlready
from vibe4vets.auth.models import KeyScope, Role, User, UserState
from vibe4vets.auth.principals import Principal
from vibe4vets.auth.service.keys import key_prefix, new_key_text
from vibe4vets.core.audit import SYSTEM
from vibe4vets.core.config import Settings
from vibe4vets.core.database import Database, own_transaction

YEAR = timedelta(days=365)


class Keys:
    """The partner of a test, and what is done with the keys of theirs; each act is a transaction."""

    def __init__(self, database: Database, settings: Settings, user: User) -> None:
        self.database, self.secret, self.user = database, settings.signing_key, user

    async def create(self, name: str = "feed", lifetime: timedelta = YEAR) -> service.NewKey:
        async with own_transaction(self.database) as session:
            return await service.create_key(
                session,
                self.secret,
                self.user,
                name=name,
                scopes={KeyScope.WRITE_PROPOSALS, KeyScope.READ_PROPOSALS},
                lifetime=lifetime,
                actor=SYSTEM,
            )

    async def rotate(self, key: service.NewKey) -> service.NewKey:
        async with own_transaction(self.database) as session:
            return await service.rotate_key(session, self.secret, key.row.id, actor=SYSTEM)

    async def revoke(self, key: service.NewKey) -> None:
        async with own_transaction(self.database) as session:
            await service.revoke_key(session, key.row.id, actor=SYSTEM)

    async def use(self, text: str) -> Principal:
        return await service.find_key_principal(self.database, self.secret, text)


@pytest.fixture
async def keys(app: FastAPI, settings: Settings) -> Keys:
    """A partner without a key."""
    async with own_transaction(app.state.database) as session:
        user = await service.create_user(
            session, email="partner@example.org", role=Role.PARTNER, password_hash=None, actor=SYSTEM
        )
    return Keys(app.state.database, settings, user)


def test_a_key_looks_like_one() -> None:
    text = new_key_text()
    assert re.fullmatch(r"v4v_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}", text)
    assert key_prefix(text) == text[:16]
    assert len({new_key_text() for _ in range(100)}) == 100


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text[:-1] + ("a" if text[-1] != "a" else "b"),
        lambda text: text[:30] + ("a" if text[30] != "a" else "b") + text[31:],
        lambda text: text[:6] + ("a" if text[6] != "a" else "b") + text[7:],
        lambda text: text.lower().replace("v", "V", 1),
        lambda text: text + "a",
        lambda text: f" {text}",
        lambda text: f"{text}\n",
        lambda _: "",
        lambda _: "v4v_",
        lambda _: "\ud800" * 66,
        lambda _: "x" * 1_000_000,
    ],
)
async def test_what_cannot_be_a_key_is_refused_without_asking_the_database(spoil: Any) -> None:
    text = spoil(new_key_text())
    assert key_prefix(text) is None
    with pytest.raises(InvalidAPIKey):
        await service.find_key_principal(None, b"k" * 32, text)  # type: ignore[arg-type]  it must not be needed


async def test_a_key_acts_for_its_partner(keys: Keys) -> None:
    key = await keys.create()
    assert await keys.use(key.text) == Principal(
        keys.user.id,
        Role.PARTNER,
        api_key_id=key.row.id,
        scopes=frozenset({KeyScope.READ_PROPOSALS, KeyScope.WRITE_PROPOSALS}),
    )


async def test_the_key_is_kept_nowhere(keys: Keys, sql: asyncpg.Connection) -> None:
    key = await keys.create()
    row = await sql.fetchrow("select * from api_keys")
    secret = key.text.rpartition("_")[2]
    assert len(row["secret_hash"]) == 32
    assert secret not in f"{dict(row)}"
    assert secret.encode() not in row["secret_hash"]
    events = await sql.fetch("select * from audit_events where action like 'api_key.%'")
    assert [event["action"] for event in events] == ["api_key.create"]
    assert secret not in f"{events}"


async def test_the_pepper_is_not_in_the_database(keys: Keys) -> None:
    """Whoever copies the table, and even makes a row of his own, opens nothing without the service's secret."""
    key = await keys.create()
    with pytest.raises(InvalidAPIKey):
        await service.find_key_principal(keys.database, b"another secret of 32 characters!", key.text)


async def test_a_key_of_the_right_form_that_nobody_made(keys: Keys, sql: asyncpg.Connection) -> None:
    good = await keys.create()
    forged = new_key_text()
    for text in (forged, forged):
        with pytest.raises(InvalidAPIKey):
            await keys.use(text)
    # the public part of a good key does not help
    from vibe4vets.auth.service import keys as module  # noqa: PLC0415

    stolen = good.text[:16] + forged[16:-6]
    with pytest.raises(InvalidAPIKey):
        await keys.use(stolen + module._check(stolen))  # noqa: SLF001
    assert await sql.fetch("select action, reason, count from audit_failures") == [("api_key.refuse", "unknown_key", 3)]
    assert await sql.fetchval("select count(*) from audit_events where action = 'api_key.refuse'") == 0


async def test_a_revoked_key_is_out_at_once_and_its_use_is_an_event(keys: Keys, sql: asyncpg.Connection) -> None:
    key = await keys.create()
    await keys.revoke(key)
    for _ in range(3):
        with pytest.raises(InvalidAPIKey):
            await keys.use(key.text)
    events = await sql.fetch("select * from audit_events where action = 'api_key.refuse'")
    # one a minute: a program that goes on all night does not fill the audit
    assert [(event["actor_kind"], event["actor_id"], event["details"]) for event in events] == [
        ("api_key", str(key.row.id), '{"reason": "revoked"}')
    ]
    with pytest.raises(APIKeyNotFound):
        await keys.revoke(key)
    with pytest.raises(APIKeyNotFound):
        await keys.rotate(key)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("update api_keys set created_at = now() - interval '2 d', expires_at = now() - interval '1 s'", "expired"),
        ("update users set state = 'disabled'", "account_inactive"),
        ("update users set state = 'pending'", "account_inactive"),
        ("update users set role = 'editor'", "account_inactive"),
    ],
)
async def test_a_key_ends_with_its_time_and_its_account(
    keys: Keys, sql: asyncpg.Connection, change: str, reason: str
) -> None:
    key = await keys.create()
    await sql.execute(change)
    with pytest.raises(InvalidAPIKey):
        await keys.use(key.text)
    details = await sql.fetchval("select details ->> 'reason' from audit_events where action = 'api_key.refuse'")
    assert details == reason


async def test_a_deleted_account_takes_its_keys_along(keys: Keys, sql: asyncpg.Connection) -> None:
    key = await keys.create()
    await sql.execute("delete from users")
    with pytest.raises(InvalidAPIKey):
        await keys.use(key.text)


async def test_last_use_is_kept_to_the_minute(keys: Keys, sql: asyncpg.Connection) -> None:
    key = await keys.create()
    assert await sql.fetchval("select last_used_at from api_keys") is None
    await keys.use(key.text)
    first = await sql.fetchval("select last_used_at from api_keys")
    assert first is not None
    await keys.use(key.text)
    assert await sql.fetchval("select last_used_at from api_keys") == first
    await sql.execute("update api_keys set last_used_at = last_used_at - interval '61 s'")
    await keys.use(key.text)
    assert await sql.fetchval("select last_used_at from api_keys") > first


async def test_a_key_in_use_writes_nothing_for_a_minute(keys: Keys, sql: asyncpg.Connection) -> None:
    key = await keys.create()
    await keys.use(key.text)
    async with sql.transaction():
        await sql.execute("select from api_keys for update")
        await keys.use(key.text)  # would wait for the lock, and fail


async def test_a_crowd_with_a_revoked_key_is_one_event(keys: Keys, sql: asyncpg.Connection) -> None:
    key = await keys.create()
    await keys.revoke(key)
    async with sql.transaction():
        await sql.execute("select from api_keys for update")
        crowd = [asyncio.create_task(keys.use(key.text)) for _ in range(3)]
        waiting = (
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
        )
        while await sql.fetchval(waiting) < 3:
            await sql.execute("select pg_stat_clear_snapshot(), pg_sleep(0.01)")
    assert {type(refusal) for refusal in await asyncio.gather(*crowd, return_exceptions=True)} == {InvalidAPIKey}
    assert await sql.fetchval("select count(*) from audit_events where action = 'api_key.refuse'") == 1


async def test_rotation_has_two_live_keys_and_never_three(keys: Keys) -> None:
    first = await keys.create(lifetime=timedelta(days=90))
    second = await keys.rotate(first)
    assert (second.row.name, second.row.scopes) == (first.row.name, first.row.scopes)
    assert second.row.expires_at - second.row.created_at == timedelta(days=90)
    assert {(await keys.use(key.text)).api_key_id for key in (first, second)} == {first.row.id, second.row.id}
    for key in (first, second):
        with pytest.raises(TwoKeysAlready):
            await keys.rotate(key)
    with pytest.raises(KeyNameTaken):
        await keys.create()
    await keys.revoke(first)
    third = await keys.rotate(second)
    await keys.revoke(second)
    assert (await keys.use(third.text)).api_key_id == third.row.id
    await keys.create("another name")


async def test_a_key_lives_a_year_at_most(keys: Keys) -> None:
    key = await keys.create(lifetime=timedelta(days=4_000))
    assert key.row.expires_at - key.row.created_at == YEAR


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.EDITOR, Role.ADMIN])
async def test_only_partners_have_keys(keys: Keys, role: Role) -> None:
    keys.user = User(id=uuid4(), email="staff@example.org", role=role, state=UserState.ACTIVE)
    with pytest.raises(NotAPartner):
        await keys.create()


async def test_every_act_names_its_key(keys: Keys, sql: asyncpg.Connection) -> None:
    first = await keys.create()
    second = await keys.rotate(first)
    await keys.revoke(first)
    events = await sql.fetch("select * from audit_events where action like 'api_key.%' order by sequence")
    assert [(event["action"], UUID(event["target_id"])) for event in events] == [
        ("api_key.create", first.row.id),
        ("api_key.rotate", second.row.id),
        ("api_key.revoke", first.row.id),
    ]
    assert [(event["before_hash"] is None, event["after_hash"] is None) for event in events] == [
        (True, False),
        (False, False),
        (False, True),
    ]
