"""Public reads over the starter directory."""

import httpx


async def test_a_list_is_a_page(reader: httpx.AsyncClient) -> None:
    answer = await reader.get("/api/v1/resources", params={"limit": 5})
    page = answer.json()
    assert answer.status_code == 200
    assert len(page["items"]) == 5
    assert page["total"] > 1000
    assert page["total_is_exact"] is True
    scores = [item["trust"]["score"] for item in page["items"]]
    assert scores == sorted(scores, reverse=True)


async def test_organization(reader: httpx.AsyncClient) -> None:
    organizations = (await reader.get("/api/v1/organizations", params={"name": "legal"})).json()
    one = organizations["items"][0]
    answer = await reader.get(f"/api/v1/organizations/{one['id']}")
    assert answer.status_code == 200
    assert len(answer.json()["resources"]) == one["resource_count"]
