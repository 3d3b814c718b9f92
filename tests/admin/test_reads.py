"""What staff and account holders read: a strong tag that spares a second copy, and no cache but their own."""

import tomllib
from importlib.resources import files

import httpx
import pytest

from tests.auth.conftest import AddPerson, Person, SignIn

MATRIX = tomllib.loads((files("vibe4vets.auth") / "matrix.toml").read_text(encoding="utf-8"))["signed-in"]
READS = {
    path: roles for method, path in map(str.split, MATRIX) for roles in [MATRIX[f"{method} {path}"]] if method == "GET"
}
LISTS = {path: "admin" if "admin" in roles else roles[0] for path, roles in READS.items() if "{" not in path}
PANTRY = {"title": "Pantry", "organization": "Helpers", "categories": ["food"], "scope": "local"}


@pytest.mark.parametrize(("path", "role"), LISTS.items())
async def test_every_list_has_a_strong_tag(
    client: httpx.AsyncClient, add_person: AddPerson, sign_in: SignIn, path: str, role: str
) -> None:
    await read_twice(client, path, await sign_in(await add_person(role)))


async def test_one_thing_has_the_tag_that_its_change_names(
    client: httpx.AsyncClient, admin: Person, sign_in: SignIn
) -> None:
    credentials = await sign_in(admin)
    made = await client.post("/api/v1/resources", json=PANTRY, headers=credentials)
    assert (made.status_code, made.headers["location"]) == (201, f"/api/v1/resources/{made.json()['id']}")
    address = f"/api/v1/admin/resources/{made.json()['id']}"
    assert await read_twice(client, address, credentials) == made.headers["etag"]
    for history in ("revisions", "revisions/1", "provenance"):
        await read_twice(client, f"{address}/{history}", credentials)
    await read_twice(client, f"/api/v1/admin/users/{admin.id}", credentials)
    named = {**credentials, "if-match": made.headers["etag"]}
    changed = await client.patch(f"/api/v1/resources/{made.json()['id']}", json={"title": "Food"}, headers=named)
    again = await client.get(address, headers={**credentials, "if-none-match": made.headers["etag"]})
    assert (again.status_code, again.headers["etag"]) == (200, changed.headers["etag"])


async def test_a_tag_of_a_version_spares_nothing_that_changes_without_it(
    client: httpx.AsyncClient, add_person: AddPerson, sign_in: SignIn
) -> None:
    reviewer = await sign_in(await add_person("reviewer"))
    await client.post("/api/v1/suggestions", json={"resource": {"title": "Pantry", "categories": ["food"]}})
    (item,) = (await client.get("/api/v1/admin/reviews", headers=reviewer)).json()["items"]
    address = f"/api/v1/admin/reviews/{item['id']}"
    first = await client.get(address, headers=reviewer)
    await client.post(f"{address}/claim", headers=reviewer)
    again = await client.get(address, headers={**reviewer, "if-none-match": first.headers["etag"]})
    assert (again.status_code, again.headers["etag"]) == (200, first.headers["etag"])
    assert (first.json()["claim"], again.json()["claim"] is None) == (None, False)


async def test_a_submitter_asks_cheaply(client: httpx.AsyncClient) -> None:
    given = {"resource": {"title": "Pantry", "categories": ["food"]}}
    token = (await client.post("/api/v1/suggestions", json=given)).json()["token"]
    await read_twice(client, f"/api/v1/suggestions/{token}", {})


async def read_twice(client: httpx.AsyncClient, path: str, credentials: dict[str, str]) -> str:
    """The tag of what is read, which the second reading has named."""
    first = await client.get(path, headers=credentials)
    etag = first.headers.get("etag", "")
    assert (first.status_code, etag[:1], first.headers["cache-control"]) == (200, '"', "no-store"), first.text
    second = await client.get(path, headers={**credentials, "if-none-match": f'"other", W/{etag}'})
    assert (second.status_code, second.headers["etag"], second.content) == (304, etag, b"")
    assert (second.headers["cache-control"], "content-type" in second.headers) == ("no-store", False)
    return str(etag)
