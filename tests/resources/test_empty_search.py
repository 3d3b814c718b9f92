"""Search before anything is published."""

import httpx


async def test_an_empty_directory_still_names_the_crisis_line(client: httpx.AsyncClient) -> None:
    found = (await client.get("/api/v1/search?q=housing&facets=category")).json()
    assert (found["items"], found["total"]) == ([], 0)
    assert found["interpretation"]["fallback"] is True
    assert found["crisis"]["phone"] == "988"
