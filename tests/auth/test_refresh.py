"""Refreshing: one usable chain of tokens per login, and what a stolen token leads to."""

from typing import Any

import asyncpg
import httpx
import pytest

REFRESH, ME = "/api/v1/auth/refresh", "/api/v1/auth/me"


class Tokens:
    """One login, from the side of its client."""

    def __init__(self, client: httpx.AsyncClient, pair: dict[str, Any]) -> None:
        self.client, self.given = client, [pair]

    async def send(self, number: int = -1) -> int:
        """Send the refresh token that was given at `number`; keep what comes; return the status."""
        token = self.given[number]["refresh_token"]
        answer = await self.client.post(REFRESH, json={"refresh_token": token})
        if answer.status_code == 200:
            self.given.append(answer.json())
        else:
            assert answer.json()["type"] == "invalid-refresh-token"
        assert answer.headers["cache-control"] == "no-store"
        return answer.status_code

    async def read(self, number: int = -1) -> int:
        """Use the access token that was given at `number`."""
        token = self.given[number]["access_token"]
        return (await self.client.get(ME, headers={"Authorization": f"Bearer {token}"})).status_code


@pytest.fixture
async def person(add_person: Any) -> Any:
    return await add_person()


@pytest.fixture
async def tokens(client: httpx.AsyncClient, person: Any, log_in: Any) -> Tokens:
    return Tokens(client, (await log_in(person)).json())


async def test_each_token_gives_the_next(tokens: Tokens) -> None:
    for _ in range(3):
        assert await tokens.send() == 200
        assert await tokens.read() == 200
    assert len({pair["refresh_token"] for pair in tokens.given}) == 4


@pytest.mark.parametrize("old", [0, 1])
async def test_a_token_used_twice_ends_its_family_only(
    sql: asyncpg.Connection, person: Any, log_in: Any, tokens: Tokens, old: int
) -> None:
    """Row D5; of the token before the newest, only while the newest is unused."""
    other = Tokens(tokens.client, (await log_in(person)).json())
    for _ in range(3):
        assert await tokens.send() == 200
    assert await tokens.send(old) == 401
    assert await tokens.send(3) == 401
    assert {await tokens.read(number) for number in range(4)} == {401}
    assert await other.read() == 200
    assert await other.send() == 200
    ended = await sql.fetchrow("select id, end_reason from sessions where ended_at is not null")
    assert ended["end_reason"] == "reuse"
    events = await sql.fetch(
        "select actor_kind, target_id, details from audit_events where action = 'auth.refresh_reuse'"
    )
    assert [tuple(event) for event in events] == [("anonymous", str(ended["id"]), f'{{"user": "{person.id}"}}')]


async def test_a_lost_answer_is_asked_for_again(sql: asyncpg.Connection, tokens: Tokens) -> None:
    """Row D6: R0 gives R1, which never arrives; R0 gives R1'."""
    assert await tokens.send(0) == 200
    assert await tokens.send(0) == 200
    assert await tokens.send(0) == 200
    assert await tokens.send() == 200
    assert await tokens.send() == 200
    assert await sql.fetchval("select count(*) from sessions where ended_at is not null") == 0


async def test_the_lost_answer_is_not_good_any_more(tokens: Tokens) -> None:
    """Whoever holds it is not who asked again: one of them is a thief."""
    assert await tokens.send(0) == 200
    assert await tokens.send(0) == 200
    assert await tokens.send(1) == 401
    assert await tokens.send(2) == 401


async def test_once_followed_up_a_token_cannot_be_asked_for_again(tokens: Tokens) -> None:
    assert await tokens.send(0) == 200
    assert await tokens.send(1) == 200
    assert await tokens.send(0) == 401
    assert await tokens.send(2) == 401


async def test_a_login_ends_when_it_is_not_used(clock: Any, tokens: Tokens) -> None:
    """Row D4."""
    clock.advance(days=13, hours=23)
    assert await tokens.send() == 200
    clock.advance(days=14)
    assert await tokens.send() == 401


async def test_a_login_ends_after_thirty_days(clock: Any, tokens: Tokens) -> None:
    """Row D4: use does not make it longer."""
    for _ in range(4):
        clock.advance(days=7)
        assert await tokens.send() == 200
    clock.advance(days=1, hours=23, minutes=59)
    assert await tokens.send() == 200
    assert await tokens.read() == 200
    clock.advance(minutes=1)
    assert await tokens.read() == 401
    assert await tokens.send() == 401


async def test_an_access_token_ends_after_a_quarter_of_an_hour(clock: Any, tokens: Tokens) -> None:
    clock.advance(minutes=14, seconds=59)
    assert await tokens.read() == 200
    clock.advance(seconds=1)
    assert await tokens.read() == 401


@pytest.mark.parametrize(
    "change",
    [
        "update users set state = 'disabled'",
        "update users set token_epoch = token_epoch + 1",
        "delete from users",
        "update sessions set ended_at = now(), end_reason = 'logout'",
        "update users set password_expires_at = now() - interval '1 second'",
    ],
)
async def test_nothing_is_refreshed_for_who_is_out(sql: asyncpg.Connection, tokens: Tokens, change: str) -> None:
    await sql.execute(change)
    assert await tokens.send() == 401
    assert await tokens.read() == 401


async def test_a_new_role_counts_at_once(sql: asyncpg.Connection, tokens: Tokens, client: httpx.AsyncClient) -> None:
    await sql.execute("update users set role = 'editor'")
    headers = {"Authorization": f"Bearer {tokens.given[0]['access_token']}"}
    assert (await client.get(ME, headers=headers)).json()["role"] == "editor"


@pytest.mark.parametrize(
    "body", [{}, {"refresh_token": ""}, {"refresh_token": "a b"}, {"refresh_token": 1}, {"refresh_token": "x", "y": 1}]
)
async def test_the_body_is_strict(client: httpx.AsyncClient, body: Any) -> None:
    assert (await client.post(REFRESH, json=body)).status_code == 422


async def test_a_token_of_our_making_is_not_one(client: httpx.AsyncClient) -> None:
    answer = await client.post(REFRESH, json={"refresh_token": "v4vr_" + "a" * 43})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_login_sweeps_what_has_expired(
    clock: Any, sql: asyncpg.Connection, person: Any, log_in: Any, tokens: Tokens
) -> None:
    assert tokens.given
    clock.advance(days=30)
    assert (await log_in(person)).status_code == 200
    assert await sql.fetchval("select count(*) from sessions") == 1
    assert await sql.fetchval("select count(*) from refresh_tokens") == 1
