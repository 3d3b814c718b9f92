"""Search: words, filters, facets that agree with SQL, national programs, and the crisis line."""

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from vibe4vets.core.database import own_transaction

COLUMN = {"category": "categories", "state": "states", "tag": "tags", "scope": "array[scope]"}
CONDITIONS = {
    "category": "categories && '{housing,legal}'",
    "state": "(states && '{OH,TX}' or scope = 'national')",
    "tag": "tags && '{ssvf,legal-aid,rent-assistance}'",
    "scope": "scope in ('local', 'national')",
}
MATCHES = "search @@ websearch_to_tsquery('vibe4vets', :words)"
FILTERS = {
    "category": "category=housing&category=legal",
    "state": "state=OH&state=TX",
    "tag": "tag=ssvf&tag=legal-aid&tag=rent-assistance",
    "scope": "scope=local&scope=national",
}


async def rows(app: FastAPI, statement: str, **values: object) -> list[tuple[object, ...]]:
    async with own_transaction(app.state.database) as session:
        return [tuple(row) for row in (await session.execute(text(statement), values)).all()]


async def count(app: FastAPI, words: str, condition: str = "true") -> int:
    statement = f"select count(*) from published_resources where {MATCHES} and {condition}"  # noqa: S608 - our own
    return int(str((await rows(app, statement, words=words))[0][0]))


async def search(client: httpx.AsyncClient, query: str) -> dict[str, object]:
    answer = await client.get(f"/api/v1/search?{query}")
    assert answer.status_code == 200, answer.text
    body: dict[str, object] = answer.json()
    return body


@pytest.mark.parametrize(
    "words",
    ["housing", "legal aid", '"legal aid"', "housing or legal", "legal -aid", "shelters", "PEÑA", "zzzz", "rent help"],
)
async def test_the_total_agrees_with_sql(reader: httpx.AsyncClient, directory: FastAPI, words: str) -> None:
    found = await search(reader, str(httpx.QueryParams({"q": words})))
    assert found["total"] == await count(directory, words)
    assert found["total_is_exact"] is True
    assert found["interpretation"] == {"query": words, "corrected": None, "place": None, "relaxed": []}
    assert found["facets"] == {}
    scores = [hit["score"] for hit in found["items"]]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("facets", ["", "&facets=category,state,tag,scope"])
async def test_filters_narrow_a_search(reader: httpx.AsyncClient, directory: FastAPI, facets: str) -> None:
    everything = await count(directory, "veterans")
    for names in (["category"], ["state"], ["tag"], ["scope"], ["category", "state"], list(FILTERS)):
        query = "&".join(FILTERS[name] for name in names)
        expected = await count(directory, "veterans", " and ".join(CONDITIONS[name] for name in names))
        found = await search(reader, f"q=veterans&{query}{facets}")
        assert found["total"] == expected
        assert 0 < expected < everything
    for query, condition in (
        ("source=va_ssvf", "source = 'va_ssvf'"),
        ("language=en", "'en' = any(languages)"),
        ("city=columbus", "'columbus' = any(cities)"),
        ("updated_since=2999-01-01T00:00:00Z", "false"),
    ):
        assert (await search(reader, f"q=veterans&{query}{facets}"))["total"] == await count(
            directory, "veterans", condition
        )
    hits = (await search(reader, f"q=veterans&limit=3{facets}"))["items"]
    ids = [hit["resource"]["id"] for hit in hits]
    chosen = await search(reader, f"q=veterans&id={ids[1]}&id={ids[2]}{facets}")
    assert chosen["total"] == 2


@pytest.mark.parametrize("filtered", [[], ["category"], ["state"], ["category", "state"], list(FILTERS)])
async def test_a_facet_counts_what_the_other_filters_leave(
    reader: httpx.AsyncClient, directory: FastAPI, filtered: list[str]
) -> None:
    query = "&".join(
        ["q=veterans", "limit=1", "facets=category,state,tag,scope", *(FILTERS[name] for name in filtered)]
    )
    facets = (await search(reader, query))["facets"]
    assert list(facets) == list(COLUMN)
    for name, column in COLUMN.items():
        others = " and ".join(["true", *(CONDITIONS[other] for other in filtered if other != name)])
        expected = await rows(
            directory,
            f"select value, count(*) from published_resources, unnest({column}) value"  # noqa: S608 - our own words
            f" where {MATCHES} and {others}"
            ' group by value order by count(*) desc, value collate "C" limit 50',
            words="veterans",
        )
        counted = [(term["value"], term["count"]) for term in facets[name]]
        assert dict(counted) == dict(expected) or len(counted) == 50, name
        assert [uses for _, uses in counted] == [uses for _, uses in expected], name
        assert all(term["name"] for term in facets[name])
        assert len(counted) > 1


async def test_facets_come_by_comma_or_repeated(reader: httpx.AsyncClient) -> None:
    comma = await search(reader, "q=housing&limit=1&facets=category,scope")
    repeated = await search(reader, "q=housing&limit=1&facets=category&facets=scope&facets=category")
    assert comma == repeated
    assert set(comma["facets"]) == {"category", "scope"}
    for bad in ("nonsense", "category,", ",", "category;state", "category,state,tag,scope,nonsense"):
        answer = await reader.get("/api/v1/search", params={"q": "x", "facets": bad})
        assert answer.status_code == 422, bad
        assert answer.json()["errors"][0]["pointer"].startswith("/query/facets")


async def test_national_programs_take_part_in_every_state(reader: httpx.AsyncClient) -> None:
    found = await search(reader, "q=veterans&state=WY&limit=100")
    scopes = {hit["resource"]["scope"] for hit in found["items"]}
    assert "national" in scopes
    assert scopes & {"local", "state"}
    for hit in found["items"]:
        resource = hit["resource"]
        places = {*resource["states"], *(place["state"] for place in resource["locations"])}
        assert resource["scope"] == "national" or "WY" in places


@pytest.mark.parametrize("wild", ["%", "_", "*", "%%%", "!!!", "((", ":*"])
async def test_wildcards_match_nothing(reader: httpx.AsyncClient, wild: str) -> None:
    assert (await search(reader, str(httpx.QueryParams({"q": wild}))))["total"] == 0


async def test_words_in_a_title_outrank_words_in_a_text(reader: httpx.AsyncClient) -> None:
    titles = [hit["resource"]["title"].lower() for hit in (await search(reader, "q=crisis line&limit=3"))["items"]]
    assert "crisis line" in titles[0]


@pytest.mark.parametrize(
    ("words", "is_crisis"),
    [("suicide", True), ("I want to die", True), ("kill myself", True), ("988", True), ("quiero morir", True),
     ("i don\u2019t want to live", True), ("housing", False), ("die casting jobs", False)],
)  # fmt: skip
async def test_the_crisis_line_stands_beside_the_results(
    reader: httpx.AsyncClient, words: str, *, is_crisis: bool
) -> None:
    found = await search(reader, str(httpx.QueryParams({"q": words})))
    assert (found["crisis"] is not None) == is_crisis
    if is_crisis:
        crisis = found["crisis"]
        assert (crisis["phone"], crisis["text"]) == ("988", "838255")
        assert crisis["chat_url"].startswith("https://www.veteranscrisisline.net/")
    without = await search(reader, str(httpx.QueryParams({"q": f"{words} or housing"})))
    assert without["items"]
