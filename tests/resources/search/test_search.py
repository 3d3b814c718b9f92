"""Search over the starter directory: filters, facets, pages, relaxation, fallback, and the crisis line."""

from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from vibe4vets.core.database import own_transaction

CONDITIONS = {
    "category": "s.categories && '{housing,legal}'",
    "state": "(s.states && '{OH,TX}' or s.scope = 'national')",
    "tag": "s.tags && '{ssvf,legal-aid,rent-assistance}'",
    "scope": "s.scope in ('local', 'national')",
}
FILTERS = {
    "category": "category=housing&category=legal",
    "state": "state=OH&state=TX",
    "tag": "tag=ssvf&tag=legal-aid&tag=rent-assistance",
    "scope": "scope=local&scope=national",
}
COLUMN = {"category": "s.categories", "state": "s.states", "tag": "s.tags", "scope": "array[s.scope]"}
VETERANS = "s.words @@ 'veteran'"


async def rows(app: FastAPI, statement: str, **values: object) -> list[tuple[Any, ...]]:
    async with own_transaction(app.state.database) as session:
        return [tuple(row) for row in (await session.execute(text(statement), values)).all()]


async def count(app: FastAPI, condition: str = "true") -> int:
    join = "join published_resources p on p.id = s.id"
    return int((await rows(app, f"select count(*) from search_rows s {join} where {VETERANS} and {condition}"))[0][0])


async def search(client: httpx.AsyncClient, q: str, query: str = "") -> dict[str, Any]:
    answer = await client.get(f"/api/v1/search?{httpx.QueryParams({'q': q})}&{query}".rstrip("&"))
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


@pytest.mark.parametrize("facets", ["", "&facets=category,state,tag,scope"])
async def test_filters_narrow_a_search(reader: httpx.AsyncClient, directory: FastAPI, facets: str) -> None:
    everything = await count(directory)
    for names in (["category"], ["state"], ["tag"], ["scope"], ["category", "state"], list(FILTERS)):
        expected = await count(directory, " and ".join(CONDITIONS[name] for name in names))
        found = await search(reader, "veterans", "&".join(FILTERS[name] for name in names) + facets)
        assert found["total"] == expected, names
        assert expected < everything
    for query, condition in (
        ("source=va_facilities", "p.source = 'va_facilities'"),
        ("language=en", "'en' = any(p.languages)"),
        ("city=columbus", "'columbus' = any(p.cities)"),
    ):
        assert (await search(reader, "veterans", query + facets))["total"] == await count(directory, condition)
    ids = [hit["resource"]["id"] for hit in (await search(reader, "veterans", f"limit=3{facets}"))["items"]]
    assert (await search(reader, "veterans", f"id={ids[1]}&id={ids[2]}{facets}"))["total"] == 2


@pytest.mark.parametrize("filtered", [[], ["category"], ["state"], ["category", "state"], list(FILTERS)])
async def test_a_facet_counts_what_the_other_filters_leave(
    reader: httpx.AsyncClient, directory: FastAPI, filtered: list[str]
) -> None:
    query = "&".join(["limit=1", "facets=category,state,tag,scope", *(FILTERS[name] for name in filtered)])
    facets = (await search(reader, "veterans", query))["facets"]
    assert list(facets) == list(COLUMN)
    for name, column in COLUMN.items():
        others = " and ".join(["true", *(CONDITIONS[other] for other in filtered if other != name)])
        expected = await rows(
            directory,
            f"select value, count(*) from search_rows s, unnest({column}) value where {VETERANS} and {others}"
            ' group by value order by count(*) desc, value collate "C" limit 50',
        )
        counted = [(term["value"], term["count"]) for term in facets[name]]
        assert dict(counted) == dict(expected) or len(counted) == 50, name
        assert [uses for _, uses in counted] == [uses for _, uses in expected], name
        assert all(term["name"] for term in facets[name])


async def test_facets_come_by_comma_or_repeated(reader: httpx.AsyncClient) -> None:
    comma = await search(reader, "housing", "limit=1&facets=category,scope")
    repeated = await search(reader, "housing", "limit=1&facets=category&facets=scope&facets=category")
    assert comma == repeated
    assert set(comma["facets"]) == {"category", "scope"}
    for bad in ("nonsense", "category,", ",", "category;state", "category,state,tag,scope,nonsense"):
        answer = await reader.get("/api/v1/search", params={"q": "x", "facets": bad})
        assert answer.status_code == 422, bad
        assert answer.json()["errors"][0]["pointer"].startswith("/query/facets")


async def test_national_programs_take_part_in_every_state(reader: httpx.AsyncClient) -> None:
    found = await search(reader, "veterans", "state=WY&limit=100")
    scopes = {hit["resource"]["scope"] for hit in found["items"]}
    assert "national" in scopes
    assert scopes & {"local", "state"}
    for hit in found["items"]:
        resource = hit["resource"]
        places = {*resource["states"], *(place["state"] for place in resource["locations"])}
        assert resource["scope"] == "national" or "WY" in places


@pytest.mark.parametrize("q", ["legal aid", "food pantry open on saturday", "homeless shelter in Texas", "xqzzy"])
async def test_pages_by_cursor_are_the_pages_by_offset(reader: httpx.AsyncClient, q: str) -> None:
    deep = (await search(reader, q, "limit=100"))["items"] + (await search(reader, q, "limit=100&offset=100"))["items"]
    found, query = [], "limit=33"
    while query:
        page = await search(reader, q, query)
        found += page["items"]
        query = f"limit=33&cursor={page['next_cursor']}" if page["next_cursor"] else ""
    assert found == deep
    assert len({hit["resource"]["id"] for hit in found}) == len(found) == min(200, page["total"])
    scores = [hit["score"] for hit in found]
    assert scores == sorted(scores, reverse=True)


async def test_a_misspelt_word_is_repaired_and_told(reader: httpx.AsyncClient) -> None:
    wrong = await search(reader, "Homless shleter in Austin, TX")
    right = await search(reader, "homeless shelter in Austin, TX")
    assert wrong["interpretation"]["corrected"] == "homeless shelter"
    assert right["interpretation"]["corrected"] is None
    assert wrong["items"] == right["items"]


async def test_a_place_is_understood_and_measured_from(reader: httpx.AsyncClient) -> None:
    found = await search(reader, "vet center columbus oh")
    assert found["interpretation"]["place"]["name"] == "Columbus, OH"
    assert found["items"][0]["resource"]["states"] == ["OH"]
    assert all(hit["distance_miles"] is not None for hit in found["items"] if hit["resource"]["scope"] == "local")


async def test_too_little_of_everything_asked_for_is_relaxed(reader: httpx.AsyncClient) -> None:
    found = await search(reader, "service dog and burial and scholarship and dental care")
    assert found["interpretation"]["relaxed"] == ["any_need"]
    assert not found["interpretation"]["fallback"]
    assert found["items"]


@pytest.mark.parametrize("q", ["xqzzy", "%", "!!!", "((", ":*", "жилье", "the of"])
async def test_nonsense_is_answered_with_where_to_turn(reader: httpx.AsyncClient, q: str) -> None:
    found = await search(reader, q)
    assert found["interpretation"]["fallback"] is True
    assert {hit["resource"]["scope"] for hit in found["items"]} == {"national"}
    tags = {tag for hit in found["items"] for tag in hit["resource"]["tags"]}
    assert {"crisis-support", "information-referral"} <= tags
    assert found["crisis"]["phone"] == "988"


async def test_highlights_are_ranges_of_code_points(reader: httpx.AsyncClient) -> None:
    found = await search(reader, "shelters", "highlight=true")
    marked = [
        hit["resource"][field][start:end].lower()
        for hit in found["items"]
        for field, ranges in hit["highlights"].items()
        if field != "organization"
        for start, end in ranges
    ]
    assert set(marked) <= {"shelter", "shelters", "sheltered", "sheltering"}
    assert "shelter" in marked
    assert all(hit["highlights"] is None for hit in (await search(reader, "shelters"))["items"])


async def test_an_explanation_is_in_plain_words(reader: httpx.AsyncClient) -> None:
    assert "location" in (await search(reader, "lawyer in Ohio"))["items"][0]["matched"]
    first = (await search(reader, "lawyer in Ohio", "explain=true"))["items"][0]
    reasons = {part["reason"]: part["value"] for part in first["explanation"]}
    assert reasons['is about Legal aid, for "lawyer"'] > 0.5
    assert reasons["serves Ohio"] > 0.9
    assert (await search(reader, "lawyer"))["items"][0]["explanation"] is None


@pytest.mark.parametrize(
    ("words", "is_crisis"),
    [("suicide", True), ("I want to die", True), ("kill myself", True), ("988", True), ("quiero morir", True),
     ("i don\u2019t want to live", True), ("sucide hotline", True), ("housing", False), ("die casting jobs", False)],
)  # fmt: skip
async def test_the_crisis_line_stands_beside_the_results(
    reader: httpx.AsyncClient, words: str, *, is_crisis: bool
) -> None:
    found = await search(reader, words)
    assert (found["crisis"] is not None) == is_crisis
    assert found["items"]
    if is_crisis:
        crisis = found["crisis"]
        assert (crisis["phone"], crisis["text"]) == ("988", "838255")
        assert crisis["chat_url"].startswith("https://www.veteranscrisisline.net/")
