"""Accounts, as admins see and change them."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from tests.admin.conftest import Ask
from tests.auth.conftest import AddPerson, Person, SignIn


async def change(ask: Ask, person: Person, **fields: Any) -> httpx.Response:
    """Read the account, then change it as it was read."""
    etag = (await ask("GET", f"/users/{person.id}")).headers["etag"]
    return await ask("PATCH", f"/users/{person.id}", headers={"if-match": etag}, json=fields)


async def delete(ask: Ask, person: Person) -> httpx.Response:
    """Read the account, then delete it as it was read."""
    etag = (await ask("GET", f"/users/{person.id}")).headers["etag"]
    return await ask("DELETE", f"/users/{person.id}", headers={"if-match": etag})


async def actions(sql: asyncpg.Connection) -> list[tuple[str, str, str]]:
    """What the audit tells of accounts: action, actor, target."""
    found = await sql.fetch("select action, actor_id, target_id from audit_events order by sequence")
    return [tuple(row) for row in found]


async def test_an_account_is_created_without_a_password(ask: Ask, admin: Person, sql: asyncpg.Connection) -> None:
    answer = await ask("POST", "/users", json={"email": "Pat@Example.org", "role": "reviewer"})
    assert answer.status_code == 201
    made = answer.json()
    assert (made["email"], made["role"], made["state"], made["has_password"]) == (
        "pat@example.org",
        "reviewer",
        "active",
        False,
    )
    assert answer.headers["location"] == f"/api/v1/admin/users/{made['id']}"
    assert answer.headers["cache-control"] == "no-store"
    read = await ask("GET", f"/users/{made['id']}")
    assert (read.json(), read.headers["etag"]) == (made, answer.headers["etag"])
    assert await actions(sql) == [("user.create", str(admin.id), made["id"])]


async def test_an_address_has_one_account(ask: Ask, admin: Person) -> None:
    answer = await ask("POST", "/users", json={"email": admin.email.upper(), "role": "partner"})
    assert (answer.status_code, answer.json()["type"]) == (409, "email-taken")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"email": "pat@example.org"}, "/body/role"),
        ({"email": "pat@example.org", "role": "owner"}, "/body/role"),
        ({"email": "pat", "role": "partner"}, "/body/email"),
        ({"email": "a\0@example.org", "role": "partner"}, "/body/email"),
        *(
            ({"email": "pat@example.org", "role": "partner", name: 1}, f"/body/{name}")
            for name in ("id", "state", "password", "password_hash", "token_epoch", "created_by", "trust")
        ),
    ],
)
async def test_what_cannot_be_an_account(ask: Ask, sql: asyncpg.Connection, body: dict[str, Any], pointer: str) -> None:
    answer = await ask("POST", "/users", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)
    assert await sql.fetchval("select count(*) from users") == 1


async def test_nothing_secret_is_shown(ask: Ask, add_person: AddPerson) -> None:
    person = await add_person("editor")
    for answer in (await ask("GET", "/users"), await ask("GET", f"/users/{person.id}")):
        assert "argon2" not in answer.text
        assert not {"password_hash", "token_epoch"} & set(answer.text.replace('"', " ").split())


async def test_the_list_is_filtered_and_paged(ask: Ask, admin: Person, add_person: AddPerson) -> None:
    partners = [await add_person("partner", state=state) for state in ("pending", "active", "disabled")]
    whole = (await ask("GET", "/users?limit=2")).json()
    rest = (await ask("GET", f"/users?limit=2&cursor={whole['next_cursor']}")).json()
    assert whole["total"] == rest["total"] == 4
    ids = [UUID(item["id"]) for item in whole["items"] + rest["items"]]
    assert sorted(ids) == sorted([admin.id, *(partner.id for partner in partners)])
    for query, found in {
        "role=partner": {0, 1, 2},
        "role=partner&state=pending": {0},
        "state=pending&state=disabled": {0, 2},
        f"email={partners[1].email.upper()}": {1},
        "role=editor": set(),
    }.items():
        items = (await ask("GET", f"/users?{query}")).json()["items"]
        assert {UUID(item["id"]) for item in items} == {partners[number].id for number in found}, query


async def test_a_role_counts_from_the_next_request(
    ask: Ask, client: httpx.AsyncClient, add_person: AddPerson, sign_in: SignIn, sql: asyncpg.Connection
) -> None:
    person = await add_person("admin")
    credentials = await sign_in(person)
    assert (await client.get("/api/v1/admin/users", headers=credentials)).status_code == 200
    answer = await change(ask, person, role="reviewer")
    assert (answer.status_code, answer.json()["role"]) == (200, "reviewer")
    assert answer.headers["etag"] == (await ask("GET", f"/users/{person.id}")).headers["etag"]
    assert (await client.get("/api/v1/admin/users", headers=credentials)).status_code == 403
    assert [(action, target) for action, _, target in await actions(sql)] == [("user.change_role", str(person.id))]
    before, after = await sql.fetchrow("select before_hash, after_hash from audit_events")
    assert None not in {before, after}
    assert before != after


async def test_a_disabled_account_is_out_and_stays_out_when_it_is_active_again(
    ask: Ask, client: httpx.AsyncClient, add_person: AddPerson, sign_in: SignIn, sql: asyncpg.Connection
) -> None:
    person = await add_person("editor")
    credentials = await sign_in(person)
    assert (await client.get("/api/v1/auth/me", headers=credentials)).status_code == 200
    assert (await change(ask, person, state="disabled")).json()["state"] == "disabled"
    assert (await client.get("/api/v1/auth/me", headers=credentials)).status_code == 401
    assert (await change(ask, person, state="active")).status_code == 200
    assert (await client.get("/api/v1/auth/me", headers=credentials)).status_code == 401
    assert [action for action, _, _ in await actions(sql)] == ["user.disable", "user.activate"]


async def test_whoever_asked_for_an_account_is_activated(ask: Ask, add_person: AddPerson) -> None:
    person = await add_person("partner", state="pending")
    assert (await change(ask, person, state="active")).json()["state"] == "active"


async def test_a_change_of_nothing_is_no_event(ask: Ask, add_person: AddPerson, sql: asyncpg.Connection) -> None:
    person = await add_person("editor")
    for fields in ({}, {"role": "editor"}, {"state": "active"}):
        assert (await change(ask, person, **fields)).status_code == 200
    assert await actions(sql) == []


@pytest.mark.parametrize(
    "body", [{"state": "pending"}, {"role": None}, {"state": None}, {"email": "x@example.org"}, {"id": "x"}, [], None]
)
async def test_what_cannot_be_changed(ask: Ask, admin: Person, body: Any) -> None:
    answer = await ask("PATCH", f"/users/{admin.id}", headers={"if-match": "*"}, json=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
async def test_a_change_names_the_version_it_is_made_against(
    ask: Ask, add_person: AddPerson, method: str, sql: asyncpg.Connection
) -> None:
    person = await add_person("editor")
    body = {"json": {"role": "partner"}} if method == "PATCH" else {}
    assert (await ask(method, f"/users/{person.id}", **body)).status_code == 428
    current = (await ask("GET", f"/users/{person.id}")).headers["etag"]
    for tag in ('"stale"', f"W/{current}"):
        answer = await ask(method, f"/users/{person.id}", headers={"if-match": tag}, **body)
        assert (answer.status_code, answer.headers["etag"]) == (412, current)
    assert await sql.fetchval("select role from users where id = $1", person.id) == "editor"


async def test_an_unchanged_account_is_not_sent_again(ask: Ask, admin: Person) -> None:
    etag = (await ask("GET", f"/users/{admin.id}")).headers["etag"]
    answer = await ask("GET", f"/users/{admin.id}", headers={"if-none-match": etag})
    assert (answer.status_code, answer.content) == (304, b"")


async def test_of_many_changes_of_one_version_one_is_made(ask: Ask, add_person: AddPerson) -> None:
    person = await add_person("editor")
    etag = (await ask("GET", f"/users/{person.id}")).headers["etag"]
    roles = ["partner", "reviewer", "admin"]
    answers = await asyncio.gather(
        *(
            ask("PATCH", f"/users/{person.id}", headers={"if-match": etag}, json={"role": roles[number % 3]})
            for number in range(8)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 7


@pytest.mark.parametrize("fields", [{"role": "editor"}, {"state": "disabled"}, None])
async def test_the_last_admin_stays(ask: Ask, admin: Person, fields: dict[str, Any] | None) -> None:
    answer = await (delete(ask, admin) if fields is None else change(ask, admin, **fields))
    assert (answer.status_code, answer.json()["type"]) == (409, "last-admin")
    assert (await ask("GET", f"/users/{admin.id}")).json()["state"] == "active"


async def test_a_deleted_account_is_gone_with_its_sessions(
    ask: Ask, client: httpx.AsyncClient, add_person: AddPerson, sign_in: SignIn, sql: asyncpg.Connection
) -> None:
    person = await add_person("editor")
    credentials = await sign_in(person)
    assert (await delete(ask, person)).status_code == 204
    assert (await client.get("/api/v1/auth/me", headers=credentials)).status_code == 401
    assert (await ask("GET", f"/users/{person.id}")).status_code == 404
    assert await sql.fetchval("select count(*) from sessions where user_id = $1", person.id) == 0
    assert [(action, target) for action, _, target in await actions(sql)] == [("user.delete", str(person.id))]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/users/{}"),
        ("PATCH", "/users/{}"),
        ("DELETE", "/users/{}"),
        ("POST", "/users/{}/reset-link"),
        ("GET", "/users/{}/api-keys"),
    ],
)
async def test_an_unknown_account(ask: Ask, method: str, path: str) -> None:
    body = {"json": {}} if method == "PATCH" else {}
    answer = await ask(method, path.format(uuid4()), headers={"if-match": "*"}, **body)
    assert (answer.status_code, answer.json()["type"]) == (404, "user-not-found")
    assert (await ask(method, path.format("x"), headers={"if-match": "*"}, **body)).status_code == 422


async def test_a_reset_link_lets_a_new_account_in(
    ask: Ask, client: httpx.AsyncClient, sql: asyncpg.Connection, admin: Person
) -> None:
    made = (await ask("POST", "/users", json={"email": "pat@example.org", "role": "editor"})).json()
    reset = await ask("POST", f"/users/{made['id']}/reset-link")
    assert reset.status_code == 201
    assert reset.json()["link"] is None
    password = "nine herons count the silver rain"
    sent = {"token": reset.json()["token"], "new_password": password}
    form = {"username": "pat@example.org", "password": password}
    assert (await client.post("/api/v1/auth/token", data=form)).status_code == 401
    assert (await client.post("/api/v1/auth/password/reset", json=sent)).status_code == 204
    assert (await client.post("/api/v1/auth/token", data=form)).status_code == 200
    again = await client.post("/api/v1/auth/password/reset", json=sent)
    assert (again.status_code, again.json()["type"]) == (401, "invalid-reset-token")
    assert "www-authenticate" in again.headers
    assert [(action, actor) for action, actor, _ in await actions(sql)][:3] == [
        ("user.create", str(admin.id)),
        ("user.create_reset_link", str(admin.id)),
        ("user.set_password", made["id"]),
    ]


async def test_a_reset_ends_every_session(
    ask: Ask, client: httpx.AsyncClient, add_person: AddPerson, sign_in: SignIn
) -> None:
    person = await add_person("editor")
    sessions = [await sign_in(person) for _ in range(2)]
    token = (await ask("POST", f"/users/{person.id}/reset-link")).json()["token"]
    sent = {"token": token, "new_password": "nine herons count the silver rain"}
    assert (await client.post("/api/v1/auth/password/reset", json=sent)).status_code == 204
    for credentials in sessions:
        assert (await client.get("/api/v1/auth/me", headers=credentials)).status_code == 401


async def test_a_refused_new_password_tells_why_and_is_not_repeated(
    ask: Ask, client: httpx.AsyncClient, add_person: AddPerson
) -> None:
    person = await add_person("editor", email="margaret.hale@example.org")
    token = (await ask("POST", f"/users/{person.id}/reset-link")).json()["token"]
    for password, code in {
        "hale and hearty forever": "password_names_you",
        "passwordpassword": "password_common",
        "two words": "string_too_short",
        "x\0" * 20: "unsafe_text",
    }.items():
        answer = await client.post("/api/v1/auth/password/reset", json={"token": token, "new_password": password})
        (error,) = answer.json()["errors"]
        assert (answer.status_code, error["code"], error["pointer"]) == (422, code, "/body/new_password")
        assert password not in answer.text


async def test_a_disabled_account_gets_no_link(ask: Ask, add_person: AddPerson) -> None:
    person = await add_person("editor", state="disabled")
    answer = await ask("POST", f"/users/{person.id}/reset-link")
    assert (answer.status_code, answer.json()["type"]) == (409, "user-not-active")


async def test_made_up_links_are_counted(client: httpx.AsyncClient) -> None:
    sent = {"token": "v4vp_" + "x" * 43, "new_password": "nine herons count the silver rain"}
    answers = [await client.post("/api/v1/auth/password/reset", json=sent) for _ in range(31)]
    assert [answer.status_code for answer in answers] == [401] * 30 + [429]
    assert int(answers[-1].headers["retry-after"]) > 0
