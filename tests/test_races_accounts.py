"""What two processes on one database do at once to one account: refreshes, registrations, and admins that withdraw."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.databases import Lender
from vibe4vets.auth.tokens import mint_access_token
from vibe4vets.core.config import Settings
from vibe4vets.core.embedded import EmbeddedPostgres
from vibe4vets.core.models import utc_now
from vibe4vets.core.security import new_token, token_hash

SECRET = "a secret for tests, of more than 32 characters"
ROUNDS = 20
END = "update sessions set ended_at = now(), end_reason = 'logout' where id = $1"
REFRESH, REGISTER = "/api/v1/auth/refresh", "/api/v1/auth/register"


@pytest.fixture(scope="module")
async def place(lender: Lender) -> str:
    """The name of the one database."""
    return await lender.own()


@pytest.fixture(scope="module")
async def pair(
    server: EmbeddedPostgres, place: str, programs_in: Any, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[list[httpx.AsyncClient]]:
    """A client of each of two processes."""
    folder: Path = tmp_path_factory.mktemp("races")
    with programs_in(folder) as programs:
        given = {
            "DATABASE_URL": server.app_url(place),
            "VIBE4VETS_SECRET_KEY": SECRET,
            "VIBE4VETS_DATA_DIR": folder,
            "VIBE4VETS_AUTH__REGISTRATION": "true",
            "VIBE4VETS_LIMITS__REGISTRATIONS_PER_ADDRESS": "off",
        }
        services = [programs.serve(**given) for _ in range(2)]
        clients = [httpx.AsyncClient(base_url=service.url, timeout=30) for service in services]
        yield clients
        for client in clients:
            await client.aclose()


@pytest.fixture
async def rows(server: EmbeddedPostgres, place: str) -> AsyncIterator[asyncpg.Connection]:
    """The owner's connection to the one database."""
    connection = await asyncpg.connect(server.owner_url(place))
    yield connection
    await connection.close()


async def open_session(rows: asyncpg.Connection) -> tuple[str, str]:
    """A login of a new account: the session's id and its refresh token."""
    settings = Settings.model_validate({"secret_key": SECRET})
    token = new_token("v4vr_")
    session_id = await rows.fetchval("""
        with person as (insert into users (email, role, state)
          values (gen_random_uuid() || '@example.org', 'partner', 'active') returning id)
        insert into sessions (user_id, token_epoch, last_used_at, idle_expires_at, expires_at)
          select id, 0, now(), now() + interval '14 days', now() + interval '30 days' from person returning id
    """)
    hashed = token_hash(settings.signing_key, "refresh token", token)
    await rows.execute(
        "insert into refresh_tokens (token_hash, session_id, position) values ($1, $2, 0)", hashed, session_id
    )
    return str(session_id), token


async def at_once(pair: list[httpx.AsyncClient], path: str, bodies: list[dict[str, str]]) -> list[httpx.Response]:
    """Send every body at the same moment, to the two in turn."""
    barrier = asyncio.Barrier(len(bodies))

    async def send(client: httpx.AsyncClient, body: dict[str, str]) -> httpx.Response:
        await barrier.wait()
        return await client.post(path, json=body)

    return list(await asyncio.gather(*map(send, itertools.cycle(pair), bodies)))


async def test_many_refreshes_leave_one_usable_chain(pair: list[httpx.AsyncClient], rows: asyncpg.Connection) -> None:
    """Row D7."""
    for _ in range(ROUNDS):
        session_id, token = await open_session(rows)
        answers = await at_once(pair, REFRESH, [{"refresh_token": token}] * 50)
        assert {answer.status_code for answer in answers} <= {200, 503}
        given = [answer.json()["refresh_token"] for answer in answers if answer.status_code == 200]
        assert given
        usable = "select count(*) from refresh_tokens where session_id = $1 and position = 1 and not superseded"
        assert await rows.fetchval(usable, session_id) == 1
        one_by_one = zip(itertools.cycle(pair), given[:5], strict=False)
        used = [await client.post(REFRESH, json={"refresh_token": one}) for client, one in one_by_one]
        assert [answer.status_code for answer in used].count(200) <= 1


async def test_what_ends_a_family_beats_a_refresh_that_waits(
    server: EmbeddedPostgres, place: str, pair: list[httpx.AsyncClient], rows: asyncpg.Connection
) -> None:
    """Row D7: the refresh has found its token, and waits for the lock, when the family ends."""
    waiting = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    for _ in range(ROUNDS):
        session_id, token = await open_session(rows)
        ending = await asyncpg.connect(server.owner_url(place))
        async with ending.transaction():
            await ending.execute("select from sessions where id = $1 for update", session_id)
            refreshing = [asyncio.create_task(one.post(REFRESH, json={"refresh_token": token})) for one in pair]
            async with asyncio.timeout(30):
                while await rows.fetchval(waiting) < len(pair):
                    await rows.fetch("select pg_sleep(0.01)")
            await ending.execute(END, session_id)
        await ending.close()
        assert [(await answer).status_code for answer in refreshing] == [401, 401]
        assert await rows.fetchval("select count(*) from refresh_tokens where session_id = $1", session_id) == 1


async def test_many_registrations_make_one_account(pair: list[httpx.AsyncClient], rows: asyncpg.Connection) -> None:
    """Row H5."""
    for number in range(3):
        email = f"pat.{number}@example.org"
        spellings = itertools.cycle([email, email.title(), f" {email.upper()}"])
        bodies = [{"email": next(spellings), "password": "quiet lanterns over the harbour"} for _ in range(20)]
        answers = await at_once(pair, REGISTER, bodies)
        assert {answer.status_code for answer in answers} <= {202, 503}  # 503: too many passwords at once
        assert {answer.content for answer in answers if answer.status_code == 202} == {b'{"status":"received"}'}
        assert await rows.fetchval("select count(*) from users where email = $1", email) == 1
    await rows.execute("delete from users")


async def test_of_two_admins_one_stays(pair: list[httpx.AsyncClient], rows: asyncpg.Connection) -> None:
    """Row C6: two admins, each of whom takes the other's role at the same moment."""
    outcomes = set()
    for _ in range(ROUNDS):
        await rows.execute("alter table users disable trigger keep_an_admin; delete from users")
        await rows.execute("alter table users enable trigger keep_an_admin")
        admins = [await sign_in_admin(rows) for _ in range(2)]
        barrier = asyncio.Barrier(2)

        async def demote(
            client: httpx.AsyncClient, headers: dict[str, str], other: str, *, barrier: asyncio.Barrier = barrier
        ) -> int:
            await barrier.wait()
            change = {"role": "editor"}
            headers = headers | {"If-Match": "*"}
            return (await client.patch(f"/api/v1/admin/users/{other}", json=change, headers=headers)).status_code

        (one, as_one), (two, as_two) = admins
        statuses = await asyncio.gather(demote(pair[0], as_one, two), demote(pair[1], as_two, one))
        # the later one finds the last admin, or is none any more
        assert sorted(statuses) in ([200, 403], [200, 409])
        outcomes.update(statuses)
        assert await rows.fetchval("select count(*) from users where role = 'admin' and state = 'active'") == 1
    assert 409 in outcomes


async def sign_in_admin(rows: asyncpg.Connection) -> tuple[str, dict[str, str]]:
    """A new admin: the account's id, and the header of a session."""
    session_id, _ = await open_session(rows)
    user_id = await rows.fetchval("select user_id from sessions where id = $1", session_id)
    await rows.execute("update users set role = 'admin' where id = $1", user_id)
    settings = Settings.model_validate({"secret_key": SECRET})
    token = mint_access_token(settings, user_id=user_id, session_id=UUID(session_id), role="admin", now=utc_now())
    return str(user_id), {"Authorization": f"Bearer {token}"}
