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
NOBODY = "truncate search_sample"
EVERYONE = "truncate search_sample; insert into search_sample select * from search_rows order by ctid"


async def ask(client: httpx.AsyncClient, q: str, **narrowed: str) -> dict[str, Any]:
    answer = await client.get("/api/v1/search", params={"q": q, "limit": 10, "facets": "category,state", **narrowed})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize("sample", [NOBODY, EVERYONE])
async def test_the_hits_are_the_same(
    client: httpx.AsyncClient, sql: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch, sample: str
) -> None:
    monkeypatch.setattr(weights, "BRANCH_OF_MANY", weights.BRANCH)
    monkeypatch.setattr(weights, "COMMON", 1)
    monkeypatch.setattr(weights, "COUNTED", 1)
    # just below the border, so that words weigh the same on both sides of it
    await sql.execute(GROW, weights.SAMPLED_FROM - 1)
    small = [await ask(client, q) for q in QUERIES]
    await sql.execute(GROW, weights.SAMPLED_FROM)
    await sql.execute(sample)
    estimated = 0
    for q, before in zip(QUERIES, small, strict=True):
        now = await ask(client, q)
        estimated += not now["total_is_exact"]
        assert [hit["resource"]["id"] for hit in now["items"]] == [hit["resource"]["id"] for hit in before["items"]], q
        if now["total_is_exact"]:
            assert (now["total"], now["facets"]) == (before["total"], before["facets"]), q
        else:
            assert sample == EVERYONE, q
            assert before["total"] >= weights.TELLING_SAMPLE, q
            # as if each in the sample stood for so many
            assert now["total"] == min(weights.SAMPLED * before["total"], 10_000), q
            assert now["facets"]["category"][0]["count"] <= now["total"]
    assert (estimated > 5) is (sample == EVERYONE)


@pytest.mark.parametrize(
    "narrowed",
    [{"category": "legal"}, {"scope": "local"}, {"language": "es"}, {"near": "Columbus, OH", "radius_miles": "50"}],
    ids=str,
)
async def test_filters_hold_whatever_is_called_so(
    client: httpx.AsyncClient, sql: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch, narrowed: dict[str, str]
) -> None:
    monkeypatch.setattr(weights, "BRANCH_OF_MANY", weights.BRANCH)
    titles = await sql.fetch("select title from search_rows where scope = 'national' order by id limit 10")
    await sql.execute(GROW, weights.SAMPLED_FROM - 1)
    small = [await ask(client, row["title"], **narrowed) for row in titles]
    await sql.execute(GROW, weights.SAMPLED_FROM)
    for row, before in zip(titles, small, strict=True):
        now = await ask(client, row["title"], **narrowed)
        assert [hit["resource"]["id"] for hit in now["items"]] == [hit["resource"]["id"] for hit in before["items"]]
