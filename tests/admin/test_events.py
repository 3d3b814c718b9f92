"""The audit, as admins read it; and who may not."""

import re
import tomllib
from importlib.resources import files

import asyncpg
import httpx
import pytest

from tests.admin.conftest import Ask
from tests.auth.conftest import AddPerson, SignIn

NOBODY = "00000000-0000-4000-8000-000000000000"


async def test_events_are_listed_the_latest_first(ask: Ask, sql: asyncpg.Connection) -> None:
    for number in range(3):
        await ask("POST", "/users", json={"email": f"pat{number}@example.org", "role": "partner"})
    first = (await ask("GET", "/audit-events?action=user.create&limit=2")).json()
    rest = (await ask("GET", f"/audit-events?action=user.create&limit=2&cursor={first['next_cursor']}")).json()
    listed = [item["target_id"] for item in first["items"] + rest["items"]]
    assert (first["total"], listed) == (
        3,
        [str(row["id"]) for row in await sql.fetch("select id from users where role = 'partner' order by email desc")],
    )
    assert "example.org" not in str(first)
    one = (await ask("GET", f"/audit-events?target_id={listed[0]}")).json()
    assert [item["target_id"] for item in one["items"]] == listed[:1]


async def test_the_request_is_named(ask: Ask) -> None:
    made = await ask("POST", "/users", json={"email": "pat@example.org", "role": "partner"})
    (event,) = (await ask("GET", "/audit-events")).json()["items"]
    assert event["request_id"] == made.headers["x-request-id"]


def _admin_operations() -> list[tuple[str, str]]:
    matrix = tomllib.loads((files("vibe4vets.auth") / "matrix.toml").read_text(encoding="utf-8"))
    operations = [operation.split(" ") for operation, roles in matrix["signed-in"].items() if roles == ["admin"]]
    assert len(operations) > 10
    return [(method, path) for method, path in operations]


@pytest.mark.parametrize(("method", "path"), _admin_operations())
async def test_only_admins(
    client: httpx.AsyncClient, add_person: AddPerson, sign_in: SignIn, method: str, path: str
) -> None:
    """Refused before the address, its parameters or the body is looked at."""
    address = re.sub(r"{[^}]+}", "x", path) + "?nonsense=1"
    answer = await client.request(method, address, json={"nonsense": 1})
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    for role in ("partner", "reviewer", "editor"):
        answer = await client.request(
            method, address, headers=await sign_in(await add_person(role)), json={"nonsense": 1}
        )
        assert (answer.status_code, answer.json()["type"]) == (403, "forbidden"), role
    answer = await client.request(
        method, address, headers=await sign_in(await add_person("admin")), json={"nonsense": 1}
    )
    assert answer.status_code in {422, 428}
