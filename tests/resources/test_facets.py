"""Facets are asked for by name, in one parameter or several."""

import httpx
import pytest


@pytest.mark.parametrize(
    "asked", ["facets=category,scope", "facets=category&facets=scope", "facets=scope,category,scope"]
)
async def test_facets_are_named_with_commas_or_repeated(reader: httpx.AsyncClient, asked: str) -> None:
    answer = await reader.get(f"/api/v1/search?q=housing&{asked}")
    assert answer.status_code == 200
    assert set(answer.json()["facets"]) == {"category", "scope"}


async def test_an_unknown_facet_is_refused(reader: httpx.AsyncClient) -> None:
    answer = await reader.get("/api/v1/search?q=housing&facets=category,size")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/query/facets/1"
