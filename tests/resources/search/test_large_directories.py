"""A large directory is searched by a sample first: the same hits, and totals that say when they are estimates."""

from typing import Any

import asyncpg
import httpx
import pytest

from tests.resources.search.test_relevance_floor import JUDGED
from vibe4vets.resources.service.search import weights

QUERIES = [*(q for q, _, _ in JUDGED), "veteran", "help", "housing or food near 43215", "Columbus, OH"]
# as if it had grown since: every process reads this row with its next search
GROW = "update search_state set resources = $1, vocabulary = gen_random_uuid()"
EVERYONE = "update search_rows set words = words || array_to_tsvector('{@sample}')"


async def ask(reader: httpx.AsyncClient, q: str) -> dict[str, Any]:
    answer = await reader.get("/api/v1/search", params={"q": q, "limit": 10, "facets": "category,state"})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize("sample", ["as drawn", "everyone"])
async def test_the_hits_are_the_same(reader: httpx.AsyncClient, sql: asyncpg.Connection, sample: str) -> None:
    # just below the border, so that words weigh the same on both sides of it
    await sql.execute(GROW, weights.SAMPLED_FROM - 1)
    small = [await ask(reader, q) for q in QUERIES]
    await sql.execute(GROW, weights.SAMPLED_FROM)
    if sample == "everyone":
        await sql.execute(EVERYONE)
    for q, before in zip(QUERIES, small, strict=True):
        now = await ask(reader, q)
        assert [hit["resource"]["id"] for hit in now["items"]] == [hit["resource"]["id"] for hit in before["items"]], q
        if now["total_is_exact"]:
            assert (now["total"], now["facets"]) == (before["total"], before["facets"]), q
        else:
            assert sample == "everyone", q
            assert before["total"] >= weights.MANY_IN_SAMPLE, q
            assert now["facets"]["category"][0]["count"] <= now["total"] == 10_000


async def test_one_in_a_hundred_is_in_the_sample(sql: asyncpg.Connection) -> None:
    rows, sampled = await sql.fetchrow(
        "select count(*), count(*) filter (where words @@ '''@sample''') from search_rows"
    )
    assert rows / 400 < sampled < rows / 40
