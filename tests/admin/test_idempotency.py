"""What admins make, sent twice: an account, a key that is shown once, a reset link (row H7)."""

from typing import Any

import asyncpg
import httpx

USERS = "/api/v1/admin/users"
KEY = {"Idempotency-Key": "b8c6ab1e-6c3e-4d54-9a30-3c9b7e1f2a10"}


async def test_an_account_is_made_once(
    client: httpx.AsyncClient, sql: asyncpg.Connection, add_person: Any, sign_in: Any
) -> None:
    one, two = [await sign_in(await add_person("admin")) for _ in range(2)]
    new = {"email": "pat@example.org", "role": "reviewer"}
    answers = [await client.post(USERS, json=new, headers=one | KEY) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].content == answers[1].content
    assert [answers[1].headers[name] for name in ("location", "etag", "idempotency-replayed")] == [
        answers[0].headers["location"],
        answers[0].headers["etag"],
        "true",
    ]
    assert await sql.fetchval("select count(*) from audit_events where action = 'user.create'") == 1
    # another admin's key is another key
    assert (await client.post(USERS, json=new, headers=two | KEY)).status_code == 409
    assert (await client.post(USERS, json=new, headers=KEY)).status_code == 401


async def test_a_key_is_shown_to_whoever_made_it(
    client: httpx.AsyncClient, sql: asyncpg.Connection, add_person: Any, sign_in: Any
) -> None:
    admin, partner = await add_person("admin"), await add_person("partner")
    headers = await sign_in(admin)
    path = f"{USERS}/{partner.id}/api-keys"
    new = {"name": "site", "scopes": ["proposals:read"]}
    answers = [await client.post(path, json=new, headers=headers | KEY) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert await sql.fetchval("select count(*) from api_keys") == 1
    other = f"{USERS}/{(await add_person('partner')).id}/api-keys"
    reused = await client.post(other, json=new, headers=headers | KEY)
    assert (reused.status_code, reused.json()["type"]) == (422, "idempotency-key-reused")
    again = await client.post(path, json=new, headers=await sign_in(admin) | KEY)
    assert again.json() == answers[0].json(), "a newer access token is the same admin"


async def test_a_merge_is_made_once(
    client: httpx.AsyncClient, sql: asyncpg.Connection, add_person: Any, sign_in: Any
) -> None:
    headers = await sign_in(await add_person("admin"))
    new = {"title": "Pantry", "organization": "Helpers", "categories": ["food"], "scope": "local"}
    kept, merged = [(await client.post("/api/v1/resources", json=new, headers=headers)).json()["id"] for _ in range(2)]
    asked = {"kept_id": kept, "merged_id": merged}
    answers = [await client.post("/api/v1/admin/merges", json=asked, headers=headers | KEY) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200], answers[1].text
    assert answers[0].content == answers[1].content
    assert await sql.fetchval("select count(*) from resource_merges") == 1
