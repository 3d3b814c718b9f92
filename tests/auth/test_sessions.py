"""Sessions of a person: seen, ended, and never another's. And who is out, is out at the next request (row B8)."""

from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

SESSIONS, ME = "/api/v1/auth/sessions", "/api/v1/auth/me"


@pytest.fixture
async def person(add_person: Any) -> Any:
    return await add_person()


@pytest.fixture
async def signed_in(person: Any, sign_in: Any) -> dict[str, str]:
    headers: dict[str, str] = await sign_in(person)
    return headers


async def ids(client: httpx.AsyncClient, headers: dict[str, str]) -> list[str]:
    return [item["id"] for item in (await client.get(SESSIONS, headers=headers)).json()["items"]]


async def test_a_person_sees_where_they_are_signed_in(client: httpx.AsyncClient, person: Any, sign_in: Any) -> None:
    first, second = await sign_in(person), await sign_in(person)
    answer = await client.get(SESSIONS, headers=second)
    assert answer.headers["cache-control"] == "no-store"
    page = answer.json()
    assert (page["total"], page["total_is_exact"], page["next_cursor"]) == (2, True, None)
    assert [item["is_current"] for item in page["items"]] == [True, False]
    assert [item["is_current"] for item in (await client.get(SESSIONS, headers=first)).json()["items"]] == [False, True]


async def test_sessions_come_in_pages(client: httpx.AsyncClient, person: Any, sign_in: Any) -> None:
    headers, *_ = [await sign_in(person) for _ in range(5)]
    everything = await ids(client, headers)
    found, address = [], f"{SESSIONS}?limit=2"
    while address:
        page = await client.get(address, headers=headers)
        found += [item["id"] for item in page.json()["items"]]
        address = page.links["next"]["url"] if "next" in page.links else ""
    assert found == everything
    assert len(found) == 5


async def test_one_session_is_ended(
    client: httpx.AsyncClient, sql: asyncpg.Connection, person: Any, sign_in: Any
) -> None:
    here, there = await sign_in(person), await sign_in(person)
    elsewhere, _ = await ids(client, here)  # the later login comes first
    assert (await client.delete(f"{SESSIONS}/{elsewhere}", headers=here)).status_code == 204
    assert (await client.get(ME, headers=there)).status_code == 401
    assert (await client.get(ME, headers=here)).status_code == 200
    again = await client.delete(f"{SESSIONS}/{elsewhere}", headers=here)
    assert (again.status_code, again.json()["type"]) == (404, "session-not-found")
    event = await sql.fetchrow("select actor_id, target_id from audit_events where action = 'auth.session_end'")
    assert tuple(event) == (str(person.id), elsewhere)


async def test_all_others_are_ended(client: httpx.AsyncClient, person: Any, sign_in: Any) -> None:
    here, *others = [await sign_in(person) for _ in range(3)]
    assert (await client.delete(SESSIONS, headers=here)).status_code == 204
    assert [(await client.get(ME, headers=headers)).status_code for headers in (here, *others)] == [200, 401, 401]
    assert (await client.delete(SESSIONS, headers=here)).status_code == 204


async def test_another_persons_session_is_not_there(
    client: httpx.AsyncClient, person: Any, add_person: Any, sign_in: Any
) -> None:
    """Row C2, both ways, and to an admin's."""
    mine, theirs = await sign_in(person), await sign_in(await add_person("admin"))
    for own, other in ((mine, theirs), (theirs, mine)):
        (foreign,) = await ids(client, other)
        for unknown in (foreign, str(uuid4())):
            answer = await client.delete(f"{SESSIONS}/{unknown}", headers=own)
            assert (answer.status_code, answer.json()["type"]) == (404, "session-not-found")
        assert (await client.get(ME, headers=other)).status_code == 200
        assert len(await ids(client, own)) == 1


async def test_signing_out_ends_the_login(
    client: httpx.AsyncClient, sql: asyncpg.Connection, person: Any, log_in: Any
) -> None:
    """Row D8."""
    pair, other = (await log_in(person)).json(), (await log_in(person)).json()
    headers = {"Authorization": f"Bearer {pair['access_token']}"}
    answer = await client.post("/api/v1/auth/logout", headers=headers)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["cache-control"] == "no-store"
    assert (await client.get(ME, headers=headers)).json()["type"] == "invalid-token"
    refused = await client.post("/api/v1/auth/refresh", json={"refresh_token": pair["refresh_token"]})
    assert refused.status_code == 401
    assert (await client.post("/api/v1/auth/logout", headers=headers)).status_code == 401
    still = await client.get(ME, headers={"Authorization": f"Bearer {other['access_token']}"})
    assert still.status_code == 200
    assert await sql.fetchval("select count(*) from audit_events where action = 'auth.logout'") == 1


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ("update users set state = 'disabled'", 401),
        ("update users set state = 'pending'", 401),
        ("delete from users", 401),
        ("update users set token_epoch = token_epoch + 1", 401),
        ("update sessions set ended_at = now(), end_reason = 'revoked'", 401),
        ("delete from sessions", 401),
        ("update users set email = 'new@example.org'", 200),
    ],
)
async def test_who_is_out_is_out_at_once(
    client: httpx.AsyncClient, sql: asyncpg.Connection, signed_in: dict[str, str], change: str, status: int
) -> None:
    assert (await client.get(ME, headers=signed_in)).status_code == 200
    await sql.execute(change)
    answer = await client.get(ME, headers=signed_in)
    assert answer.status_code == status
    if status == 401:
        assert answer.json()["type"] == "invalid-token"
        assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'
