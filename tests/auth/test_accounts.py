"""Accounts: passwords changed, accounts asked for, and an admin that stays."""

import asyncio
from dataclasses import replace
from typing import Any

import asyncpg
import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from vibe4vets.auth import service
from vibe4vets.auth.exceptions import AdminExists, EmailTaken, LastAdmin, UserNotFound
from vibe4vets.auth.models import Role, UserState
from vibe4vets.core.audit import SYSTEM
from vibe4vets.core.config import AuthSettings
from vibe4vets.core.database import Session
from vibe4vets.main import create_app

PASSWORD_PATH, REGISTER, ME = "/api/v1/auth/password", "/api/v1/auth/register", "/api/v1/auth/me"
NEW = "quiet lanterns over the harbour"


async def test_a_new_password_ends_every_other_session(
    client: httpx.AsyncClient, sql: asyncpg.Connection, add_person: Any, log_in: Any
) -> None:
    """Row B6."""
    person = await add_person()
    here, there = [{"Authorization": f"Bearer {(await log_in(person)).json()['access_token']}"} for _ in range(2)]
    body = {"current_password": person.password, "new_password": NEW}
    assert (await client.post(PASSWORD_PATH, json=body, headers=here)).status_code == 204
    assert (await client.get(ME, headers=here)).status_code == 200
    assert (await client.get(ME, headers=there)).status_code == 401
    assert (await log_in(person)).status_code == 401
    assert (await log_in(person, password=NEW)).status_code == 200
    event = await sql.fetchrow("select actor_id, target_id from audit_events where action = 'user.set_password'")
    assert tuple(event) == (str(person.id), str(person.id))


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"current_password": "not this one at all"}, (403, "wrong-password")),
        ({"new_password": "short"}, (422, "invalid-request")),
        ({"new_password": "x" * 257}, (422, "invalid-request")),
        ({"new_password": "the veteran of all words"}, (422, "password-refused")),
        ({"new_password": "pat-smith somewhere"}, (422, "password-refused")),
        ({"new_password": None}, (422, "invalid-request")),
        ({"role": "admin"}, (422, "invalid-request")),
    ],
)
async def test_a_password_is_not_changed(
    client: httpx.AsyncClient, add_person: Any, sign_in: Any, change: dict[str, Any], refusal: tuple[int, str]
) -> None:
    person = await add_person(email="pat-smith@example.org")
    headers = await sign_in(person)
    body = {"current_password": person.password, "new_password": NEW, **change}
    answer = await client.post(PASSWORD_PATH, json=body, headers=headers)
    assert (answer.status_code, answer.json()["type"]) == refusal
    for text in (person.password, *filter(None, change.values())):
        assert len(text) < 10 or text not in answer.text
    assert (await client.get(ME, headers=headers)).status_code == 200


async def test_a_stolen_token_is_no_way_to_guess_the_password(
    client: httpx.AsyncClient, add_person: Any, sign_in: Any, log_in: Any
) -> None:
    person = await add_person()
    headers = await sign_in(person)
    body = {"current_password": "not this one at all", "new_password": NEW}
    statuses = [(await client.post(PASSWORD_PATH, json=body, headers=headers)).status_code for _ in range(11)]
    assert statuses == [403] * 10 + [429]
    right = {"current_password": person.password, "new_password": NEW}
    assert (await client.post(PASSWORD_PATH, json=right, headers=headers)).status_code == 429
    assert (await log_in(person)).status_code == 429


@pytest.fixture
async def first_admin(engine: AsyncEngine, password_hash: str, add_person: Any) -> Any:
    """The admin of the zero-setup mode, whose password is one-time."""
    async with Session(engine, expire_on_commit=False) as session, session.begin():
        admin = await service.bootstrap_admin(session, email="admin@localhost", password_hash=password_hash)
    return replace(await add_person(), id=admin.id, email=admin.email, role="admin")


async def test_a_one_time_password_stops_working(
    client: httpx.AsyncClient, clock: Any, first_admin: Any, log_in: Any
) -> None:
    first = await log_in(first_admin)
    headers = {"Authorization": f"Bearer {first.json()['access_token']}"}
    assert (await client.get(ME, headers=headers)).json()["password_expires_at"] is not None
    clock.advance(hours=24)
    assert (await log_in(first_admin)).status_code == 401


async def test_a_changed_one_time_password_lasts(
    client: httpx.AsyncClient, clock: Any, first_admin: Any, log_in: Any
) -> None:
    first = await log_in(first_admin)
    headers = {"Authorization": f"Bearer {first.json()['access_token']}"}
    body = {"current_password": first_admin.password, "new_password": NEW}
    assert (await client.post(PASSWORD_PATH, json=body, headers=headers)).status_code == 204
    clock.advance(hours=25)
    assert (await log_in(first_admin, password=NEW)).status_code == 200


async def test_there_is_one_bootstrap(session: Session, password_hash: str, sql: asyncpg.Connection) -> None:
    """Row B10: also after the first admin was disabled."""
    await service.bootstrap_admin(session, email="admin@localhost", password_hash=password_hash)
    await session.commit()
    with pytest.raises(AdminExists):
        await service.bootstrap_admin(session, email="other@localhost", password_hash=password_hash)
    await session.rollback()
    await sql.execute("alter table users disable trigger keep_an_admin; update users set state = 'disabled'")
    with pytest.raises(AdminExists):
        await service.bootstrap_admin(session, email="other@localhost", password_hash=password_hash)


async def test_registration_is_off(client: httpx.AsyncClient) -> None:
    for body in ({"email": "pat@example.org", "password": NEW}, {}, {"x": 1}):
        answer = await client.post(REGISTER, json=body)
        assert (answer.status_code, answer.json()["type"]) == (404, "not-found")
    assert (await client.post(f"{REGISTER}?x=1", json={})).status_code == 404


@pytest.fixture
async def open_client(settings: Any) -> Any:
    """A service that lets partners register."""
    app = create_app(settings.model_copy(update={"auth": AuthSettings(registration=True)}))
    transport = httpx.ASGITransport(app)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        yield client


async def test_registration_tells_nothing(
    open_client: httpx.AsyncClient, sql: asyncpg.Connection, add_person: Any
) -> None:
    """Row H5: the answer for a new address, for one that asked already, and for one with an account."""
    await add_person("admin", email="known@example.org")
    answers = [
        await open_client.post(REGISTER, json={"email": email, "password": NEW})
        for email in ("new@example.org", "NEW@example.org", "known@example.org")
    ]
    assert {(answer.status_code, answer.content) for answer in answers} == {(202, b'{"status":"received"}')}
    of_the_request = {"x-request-id", "ratelimit"}
    kept = [{name: value for name, value in one.headers.items() if name not in of_the_request} for one in answers]
    assert kept == [kept[0]] * len(answers)
    rows = await sql.fetch("select email, role, state from users order by created_at")
    assert [tuple(row) for row in rows] == [
        ("known@example.org", "admin", "active"),
        ("new@example.org", "partner", "pending"),
    ]
    refused = await open_client.post("/api/v1/auth/token", data={"username": "new@example.org", "password": NEW})
    assert refused.status_code == 401


@pytest.mark.parametrize("email", ["", "x", "a b@c", "@", "a@", "a@b@c", "a\u202e@example.org", "a" * 320 + "@b"])
async def test_an_address_is_one(open_client: httpx.AsyncClient, email: str) -> None:
    answer = await open_client.post(REGISTER, json={"email": email, "password": NEW})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/body/email"


@pytest.mark.parametrize("more", [{"role": "admin"}, {"state": "active"}, {"id": "x"}])
async def test_nobody_chooses_their_role(open_client: httpx.AsyncClient, more: dict[str, str]) -> None:
    """Row C3."""
    answer = await open_client.post(REGISTER, json={"email": "a@example.org", "password": NEW, **more})
    assert answer.status_code == 422


@pytest.mark.parametrize("change", ["role", "state"])
async def test_the_last_admin_stays(engine: AsyncEngine, sql: asyncpg.Connection, add_person: Any, change: str) -> None:
    """Row C6: one after the other, and both at once."""

    async def withdraw(email: str) -> None:
        async with Session(engine, expire_on_commit=False) as session, session.begin():
            user = await service.lock_user(session, (await service.find_user(session, email)).id)
            if change == "role":
                await service.change_role(session, user, Role.EDITOR, actor=SYSTEM)
            else:
                await service.change_state(session, user, UserState.DISABLED, actor=SYSTEM)

    await add_person("admin", state="disabled")
    one, two = await add_person("admin"), await add_person("admin")
    await withdraw(one.email)
    with pytest.raises(LastAdmin):
        await withdraw(two.email)
    for _ in range(5):
        await sql.execute("update users set role = 'admin', state = 'active'")
        await sql.execute("delete from users where email not in ($1, $2)", one.email, two.email)
        outcomes = await asyncio.gather(withdraw(one.email), withdraw(two.email), return_exceptions=True)
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["LastAdmin", "NoneType"]
        assert await sql.fetchval("select count(*) from users where role = 'admin' and state = 'active'") == 1
    with pytest.raises(asyncpg.CheckViolationError, match="last active admin"):
        await sql.execute("delete from users")


async def test_a_change_is_an_event(session: Session, sql: asyncpg.Connection, add_person: Any) -> None:
    await add_person("admin")
    person = await add_person("partner")
    user = await service.lock_user(session, person.id)
    await service.change_role(session, user, Role.PARTNER, actor=SYSTEM)
    await service.change_role(session, user, Role.EDITOR, actor=SYSTEM)
    await service.change_state(session, user, UserState.DISABLED, actor=SYSTEM)
    await service.change_state(session, user, UserState.ACTIVE, actor=SYSTEM)
    await session.commit()
    events = await sql.fetch("select action, before_hash <> after_hash as changed from audit_events order by sequence")
    assert [tuple(event) for event in events] == [
        ("user.change_role", True),
        ("user.disable", True),
        ("user.activate", True),
    ]


async def test_an_address_has_one_account(session: Session, password_hash: str) -> None:
    given: dict[str, Any] = {"role": Role.EDITOR, "password_hash": password_hash, "actor": SYSTEM}
    await service.create_user(session, email="pat@example.org", **given)
    with pytest.raises(EmailTaken):
        await service.create_user(session, email="pat@example.org", **given)
    # the session goes on
    assert (await service.find_user(session, "pat@example.org")).role is Role.EDITOR
    with pytest.raises(UserNotFound):
        await service.find_user(session, "nobody@example.org")
