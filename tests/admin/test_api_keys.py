"""API keys over HTTP: from the admin who makes one to the program that uses it."""

from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from tests.admin.conftest import Ask
from tests.auth.conftest import AddPerson, Person, SignIn
from vibe4vets.auth.service.keys import new_key_text

KEY = {"name": "nightly feed", "scopes": ["proposals:write", "proposals:read"]}


@pytest.fixture
async def partner(add_person: AddPerson) -> Person:
    """The partner who gets keys."""
    return await add_person("partner")


async def make(ask: Ask, partner: Person, **changed: Any) -> dict[str, Any]:
    """A new key as it is shown once."""
    answer = await ask("POST", f"/users/{partner.id}/api-keys", json=KEY | changed)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def me(client: httpx.AsyncClient, key: str) -> httpx.Response:
    """Ask who the key is."""
    return await client.get("/api/v1/auth/me", headers={"X-API-Key": key})


async def test_a_key_is_shown_once_and_works(
    ask: Ask, client: httpx.AsyncClient, partner: Person, admin: Person, sql: asyncpg.Connection
) -> None:
    made = await make(ask, partner)
    assert made["scopes"] == ["proposals:read", "proposals:write"]
    assert made["key"].startswith(f"{made['prefix']}_")
    answer = await me(client, made["key"])
    assert (answer.status_code, answer.json()["id"], answer.json()["role"]) == (200, str(partner.id), "partner")
    assert answer.json()["api_key"] == {"id": made["id"], "scopes": made["scopes"]}
    listed = await ask("GET", f"/users/{partner.id}/api-keys")
    (item,) = listed.json()["items"]
    assert item.pop("last_used_at") is not None
    assert item == {name: value for name, value in made.items() if name not in {"key", "last_used_at"}}
    assert made["key"].rpartition("_")[2] not in listed.text
    event = await sql.fetchrow("select * from audit_events")
    assert (event["action"], event["actor_id"], event["target_id"]) == ("api_key.create", str(admin.id), made["id"])


async def test_a_key_has_a_limit_of_its_own(client: httpx.AsyncClient, ask: Ask, partner: Person) -> None:
    """Row E6: 120 a minute, and the other of two keys is not the worse for it."""
    busy, other = [(await make(ask, partner, name=name))["key"] for name in ("busy", "other")]
    answers = [await me(client, busy) for _ in range(121)]
    assert [answer.status_code for answer in answers] == [200] * 120 + [429]
    assert {answer.headers["ratelimit-policy"] for answer in answers} == {'"partner-requests";q=120;w=60'}
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
    assert (await me(client, other)).status_code == 200


async def test_a_program_is_no_person(client: httpx.AsyncClient, ask: Ask, partner: Person) -> None:
    """What only somebody who is signed in may do: 403, for the key is good; and nothing of the admins'."""
    headers = {"X-API-Key": (await make(ask, partner))["key"]}
    for method, path in [
        ("GET", "/auth/sessions"),
        ("POST", "/auth/logout"),
        ("POST", "/auth/password"),
        ("GET", "/admin/users"),
        ("GET", f"/admin/users/{partner.id}/api-keys"),
        ("POST", f"/admin/users/{partner.id}/api-keys"),
        ("GET", "/admin/audit-events"),
    ]:
        answer = await client.request(method, f"/api/v1{path}", headers=headers)
        assert (answer.status_code, answer.json()["type"]) == (403, "forbidden"), path


@pytest.mark.parametrize(
    "key", ["", "x", "v4v_", new_key_text(), "\xe9" * 66], ids=["empty", "short", "prefix", "made up", "not ASCII"]
)
async def test_a_bad_key_is_a_401(client: httpx.AsyncClient, key: str) -> None:
    answer = await client.get("/api/v1/auth/me", headers={b"x-api-key": key.encode("latin-1")})
    assert (answer.status_code, answer.json()["type"]) == (401, "invalid-api-key")
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_rotation_and_revocation(
    ask: Ask, client: httpx.AsyncClient, partner: Person, sql: asyncpg.Connection
) -> None:
    old = await make(ask, partner, expires_in_days=90)
    answer = await ask("POST", f"/api-keys/{old['id']}/rotate")
    assert answer.status_code == 201
    new = answer.json()
    assert (new["name"], new["scopes"], new["user_id"]) == (old["name"], old["scopes"], str(partner.id))
    assert [(await me(client, made["key"])).status_code for made in (old, new)] == [200, 200]
    third = await ask("POST", f"/api-keys/{new['id']}/rotate")
    assert (third.status_code, third.json()["type"]) == (409, "two-keys-already")
    assert (await ask("DELETE", f"/api-keys/{old['id']}")).status_code == 204
    assert [(await me(client, made["key"])).status_code for made in (old, new)] == [401, 200]
    for method, path in [("DELETE", f"/api-keys/{old['id']}"), ("POST", f"/api-keys/{old['id']}/rotate")]:
        gone = await ask(method, path)
        assert (gone.status_code, gone.json()["type"]) == (404, "api-key-not-found")
    events = await sql.fetch("select action from audit_events order by sequence")
    assert [event["action"] for event in events] == ["api_key.create", "api_key.rotate", "api_key.revoke"]


async def test_use_after_revocation_is_an_event(ask: Ask, client: httpx.AsyncClient, partner: Person) -> None:
    made = await make(ask, partner)
    await ask("DELETE", f"/api-keys/{made['id']}")
    for _ in range(2):
        assert (await me(client, made["key"])).status_code == 401
    events = (await ask("GET", "/audit-events?action=api_key.refuse")).json()["items"]
    assert [(event["actor_kind"], event["actor_id"], event["details"]) for event in events] == [
        ("api_key", made["id"], {"reason": "revoked"})
    ]


async def test_a_disabled_partner_has_no_keys(ask: Ask, client: httpx.AsyncClient, partner: Person) -> None:
    made = await make(ask, partner)
    await ask("PATCH", f"/users/{partner.id}", headers={"if-match": "*"}, json={"state": "disabled"})
    assert (await me(client, made["key"])).status_code == 401


async def test_a_name_is_taken_once(ask: Ask, partner: Person, add_person: AddPerson) -> None:
    await make(ask, partner)
    again = await ask("POST", f"/users/{partner.id}/api-keys", json=KEY)
    assert (again.status_code, again.json()["type"]) == (409, "key-name-taken")
    await make(ask, await add_person("partner"))


async def test_staff_have_no_keys(ask: Ask, admin: Person) -> None:
    answer = await ask("POST", f"/users/{admin.id}/api-keys", json=KEY)
    assert (answer.status_code, answer.json()["type"]) == (409, "not-a-partner")


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"name": ""}, "/body/name"),
        ({"name": "x" * 101}, "/body/name"),
        ({"name": "a\u202eb"}, "/body/name"),
        ({"scopes": []}, "/body/scopes"),
        ({"scopes": ["admin"]}, "/body/scopes/0"),
        ({"expires_in_days": 366}, "/body/expires_in_days"),
        ({"expires_in_days": 0}, "/body/expires_in_days"),
        ({"expires_in_days": True}, "/body/expires_in_days"),
        ({"expires_in_days": "90"}, "/body/expires_in_days"),
        ({"key": "v4v_mine"}, "/body/key"),
        ({"user_id": str(uuid4())}, "/body/user_id"),
    ],
)
async def test_what_cannot_be_a_key(ask: Ask, partner: Person, changed: dict[str, Any], pointer: str) -> None:
    answer = await ask("POST", f"/users/{partner.id}/api-keys", json=KEY | changed)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)


async def test_the_list_is_the_accounts_own(ask: Ask, partner: Person, add_person: AddPerson) -> None:
    other = await add_person("partner")
    names = [f"feed {number}" for number in range(3)]
    for name in names:
        await make(ask, partner, name=name)
    await make(ask, other)
    first = (await ask("GET", f"/users/{partner.id}/api-keys?limit=2")).json()
    rest = (await ask("GET", f"/users/{partner.id}/api-keys?limit=2&cursor={first['next_cursor']}")).json()
    assert [item["name"] for item in first["items"] + rest["items"]] == names[::-1]
    stolen = await ask("GET", f"/users/{other.id}/api-keys?limit=2&cursor={first['next_cursor']}")
    assert (stolen.status_code, stolen.json()["type"]) == (400, "invalid-cursor")


async def test_a_person_goes_before_the_program(
    ask: Ask, client: httpx.AsyncClient, partner: Person, sign_in: SignIn, admin: Person
) -> None:
    """Both kinds of credentials at once: the token counts, and a bad token is not made good by a key."""
    key = (await make(ask, partner))["key"]
    both = await client.get("/api/v1/auth/me", headers={**await sign_in(admin), "X-API-Key": key})
    assert UUID(both.json()["id"]) == admin.id
    bad = await client.get("/api/v1/auth/me", headers={"Authorization": "Bearer x", "X-API-Key": key})
    assert bad.status_code == 401
