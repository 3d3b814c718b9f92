"""A directory as a county sends it: without tags, coordinates or national programs, in words of its own."""

from typing import Any

import httpx
import pytest

from tests.resources.conftest import Shelf
from vibe4vets.resources.service import count_words, learn_places, seed_lexicon

RECORDS: list[dict[str, Any]] = [
    {"title": "Luke 19", "categories": ["food"], "city": "Canal Fulton", "zip": "44614"},
    {"title": "Village Food Pantry", "categories": ["food"], "city": "Hamilton", "zip": "45011"},
    {"title": "Butler Office", "categories": ["support_services"], "tags": ["legal-services"], "city": "Hamilton"},
    {"title": "Union County Veterans Service Office", "categories": ["benefits"], "city": "Marysville"},
]


@pytest.fixture
async def county(shelf: Shelf, client: httpx.AsyncClient) -> httpx.AsyncClient:
    await seed_lexicon(shelf.session)
    for number, record in enumerate(RECORDS):
        place = {key: record[key] for key in ("city", "zip") if key in record}
        rest = {key: value for key, value in record.items() if key not in place}
        address = {"city": place["city"], "state": "OH", "postal_code": place.get("zip")}
        await shelf.publish(str(number), locations=[address], **rest)
    await learn_places(shelf.session)
    await count_words(shelf.session)
    await shelf.session.commit()
    return client


async def search(client: httpx.AsyncClient, q: str) -> dict[str, Any]:
    answer = await client.get("/api/v1/search", params={"q": q})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def titles(found: dict[str, Any]) -> list[str]:
    return [hit["resource"]["title"] for hit in found["items"]]


async def test_a_category_tells_what_nothing_else_does(county: httpx.AsyncClient) -> None:
    found = await search(county, "food pantry canal fulton ohio")
    assert found["interpretation"]["place"]["name"] == "Canal Fulton, OH"
    assert titles(found)[0] == "Luke 19"


async def test_names_of_the_source_mean_what_the_lexicon_says(county: httpx.AsyncClient) -> None:
    assert titles(await search(county, "lawyer"))[0] == "Butler Office"


async def test_where_nothing_is_national_offices_stand_in(county: httpx.AsyncClient) -> None:
    found = await search(county, "qwertyuiop")
    assert found["interpretation"]["fallback"]
    assert titles(found) == ["Union County Veterans Service Office"]


async def test_half_a_phrase_is_no_need(county: httpx.AsyncClient) -> None:
    assert "Union County Veterans Service Office" in titles(await search(county, "service office"))
    assert (await search(county, "service dogs"))["interpretation"]["fallback"]
