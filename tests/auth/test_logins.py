"""Signing in: what it gives, and that a refusal tells nothing."""

from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import pytest
from passlib.hash import argon2

TOKEN, ME = "/api/v1/auth/token", "/api/v1/auth/me"
VOLATILE = {"x-request-id", "date", "ratelimit"}


def seen(answer: httpx.Response) -> tuple[int, dict[str, str], dict[str, Any]]:
    """An answer but for what differs from request to request."""
    headers = {name: value for name, value in answer.headers.items() if name not in VOLATILE}
    return answer.status_code, headers, answer.json() | {"instance": ""}


async def test_a_login_gives_a_pair_of_tokens(client: httpx.AsyncClient, add_person: Any, log_in: Any) -> None:
    person = await add_person("reviewer", email="pat@example.org")
    answer = await log_in(person)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    pair = answer.json()
    assert (pair.keys(), pair["token_type"], pair["expires_in"]) == (
        {"access_token", "token_type", "expires_in", "refresh_token"},
        "bearer",
        900,
    )
    me = await client.get(ME, headers={"Authorization": f"Bearer {pair['access_token']}"})
    assert me.status_code == 200
    assert me.headers["cache-control"] == "no-store"
    about = me.json()
    assert (about["id"], about["email"], about["role"]) == (str(person.id), "pat@example.org", "reviewer")
    assert (about["api_key"], about["password_expires_at"]) == (None, None)


@pytest.mark.parametrize(
    "spelling", ["PAT.Ñandu@Example.ORG", "  pat.ñandu@example.org ", "pat.n\u0303andu@example.org"]
)
async def test_an_address_has_one_spelling(add_person: Any, log_in: Any, spelling: str) -> None:
    person = await add_person(email="pat.ñandu@example.org")
    assert (await log_in(person, username=spelling)).status_code == 200


@pytest.mark.parametrize("composed", ["é" * 16, "a password with blanks at its ends "])
async def test_a_password_counts_as_typed(sql: asyncpg.Connection, add_person: Any, log_in: Any, composed: str) -> None:
    person = await add_person()
    weak = argon2.using(type="ID", memory_cost=64, time_cost=1, parallelism=1).hash(composed)
    await sql.execute("update users set password_hash = $1", weak)
    assert (await log_in(person, password=composed.replace("é", "e\u0301"))).status_code == 200
    assert (await log_in(person, password=composed[:-1])).status_code == 401
    # and the weak hash is gone
    assert "m=19456,t=2,p=1" in await sql.fetchval("select password_hash from users")


async def test_every_refusal_is_the_same(client: httpx.AsyncClient, sql: asyncpg.Connection, add_person: Any) -> None:
    """Row B2; that they take the same time is measured by bench/logins.py."""
    active, disabled, pending = [await add_person(state=state) for state in ("active", "disabled", "pending")]
    expired = await add_person(password_expires_at=(await sql.fetchval("select now()")) - timedelta(seconds=1))
    tries = [("nobody@example.org", active.password), (active.email, "wrong"), (active.email, "x" * 1024)]
    tries += [(person.email, person.password) for person in (disabled, pending, expired)]
    answers = [await client.post(TOKEN, data={"username": name, "password": text}) for name, text in tries]
    first = seen(answers[0])
    assert first[0] == 401
    assert first[2]["type"] == "invalid-credentials"
    assert first[1]["www-authenticate"] == "Bearer"
    assert first[1]["cache-control"] == "no-store"
    assert [seen(answer) for answer in answers] == [first] * len(tries)
    assert await sql.fetchval("select count(*) from sessions") == 0
    counted = await sql.fetch(
        "select reason, sum(count) from audit_failures where action = 'auth.login_refused' group by 1"
    )
    assert dict(counted) == {
        "unknown_account": 1,
        "wrong_password": 2,
        "account_not_active": 2,
        "password_expired": 1,
    }


async def test_an_account_without_a_password_is_closed(add_person: Any, log_in: Any) -> None:
    assert (await log_in(await add_person(password_hash=None))).status_code == 401


async def test_a_login_is_an_event(sql: asyncpg.Connection, add_person: Any, log_in: Any) -> None:
    person = await add_person()
    await log_in(person)
    session_id = await sql.fetchval("select id from sessions")
    events = await sql.fetch("select actor_kind, actor_id, action, target_kind, target_id from audit_events")
    assert [tuple(event) for event in events] == [
        ("user", str(person.id), "auth.login", "session", str(session_id)),
    ]


async def test_no_token_and_no_password_is_stored(sql: asyncpg.Connection, add_person: Any, log_in: Any) -> None:
    pair = (await log_in(await add_person())).json()
    for table in ("users", "sessions", "refresh_tokens", "audit_events"):
        stored = await sql.fetchval(f"select string_agg(t::text, ' ') from {table} t")
        for secret in (pair["access_token"], pair["refresh_token"], pair["refresh_token"].encode().hex()):
            assert secret not in stored


@pytest.mark.parametrize(
    ("form", "pointer"),
    [
        ({"username": "a@b"}, "/body/password"),
        ({"password": "x"}, "/body/username"),
        ({"username": "a@b", "password": ""}, "/body/password"),
        ({"username": "a@b", "password": "x" * 1025}, "/body/password"),
        ({"username": "a" * 321, "password": "x"}, "/body/username"),
        ({"username": "a\u202eb", "password": "x"}, "/body/username"),
        ({"username": "a@b", "password": "x\x07"}, "/body/password"),
        ({"username": "a@b", "password": "x", "grant_type": "client_credentials"}, "/body/grant_type"),
        ({"username": "a@b", "password": "x", "role": "admin"}, "/body/role"),
    ],
)
async def test_the_form_is_strict(client: httpx.AsyncClient, form: dict[str, str], pointer: str) -> None:
    answer = await client.post(TOKEN, data=form)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert form.get("password") in {None, "", "x"} or form["password"] not in answer.text


async def test_what_swagger_sends_is_taken(add_person: Any, log_in: Any) -> None:
    person = await add_person()
    for form in ({"grant_type": "password"}, {"scope": "", "client_id": "docs", "client_secret": ""}):
        assert (await log_in(person, **form)).status_code == 200
