"""Acts that say all there is to say in their address: none asks for a body that would be empty."""

from typing import Any

import httpx

from tests.auth.conftest import AddPerson, SignIn

PANTRY: dict[str, Any] = {"title": "Pantry", "organization": "Helpers", "categories": ["food"], "scope": "local"}


async def test_acts_need_no_body(client: httpx.AsyncClient, add_person: AddPerson, sign_in: SignIn) -> None:
    editor = await sign_in(await add_person("editor"))
    draft = await client.post("/api/v1/resources", json={**PANTRY, "status": "draft"}, headers=editor)
    address, named = f"/api/v1/resources/{draft.json()['id']}", {**editor, "if-match": draft.headers["etag"]}
    published = await client.post(f"{address}/publish", headers=named)
    assert (published.status_code, published.json()["status"]) == (200, "published"), published.text
    verified = await client.post(f"{address}/verify", headers={**editor, "if-match": published.headers["etag"]})
    assert (verified.status_code, verified.json()["trust"]["verified_at"] is None) == (200, False), verified.text
    archived = await client.delete(address, headers={**editor, "if-match": verified.headers["etag"]})
    assert (archived.status_code, archived.content, "content-type" in archived.headers) == (204, b"", False)
    restored = await client.post(f"{address}/restore", headers={**editor, "if-match": "*"})
    assert (restored.status_code, restored.json()["status"]) == (200, "published"), restored.text


async def test_a_proposal_is_claimed_and_approved_as_it_is(
    client: httpx.AsyncClient, add_person: AddPerson, sign_in: SignIn
) -> None:
    reviewer = await sign_in(await add_person("reviewer"))
    token = (await client.post("/api/v1/suggestions", json={"resource": PANTRY})).json()["token"]
    (item,) = (await client.get("/api/v1/admin/reviews", headers=reviewer)).json()["items"]
    address = f"/api/v1/admin/reviews/{item['id']}"
    read = await client.get(address, headers=reviewer)
    assert (await client.post(f"{address}/claim", headers=reviewer)).status_code == 200
    nameless = await client.post(f"{address}/reject", headers={**reviewer, "if-match": read.headers["etag"]})
    assert nameless.status_code == 422  # whoever sent it is owed a reason
    approved = await client.post(f"{address}/approve", headers={**reviewer, "if-match": read.headers["etag"]})
    assert (approved.status_code, approved.json()["state"]) == (200, "approved"), approved.text
    assert (await client.get(f"/api/v1/suggestions/{token}")).json()["resource_id"] is not None
