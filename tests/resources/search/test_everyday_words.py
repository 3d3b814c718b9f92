"""What people type in their own words: plain English stays as it is, a place alone is enough, and talk is no name."""

from typing import Any

import httpx
import pytest

from vibe4vets.resources.service.search.plain import everyday_words, plain_words


async def search(client: httpx.AsyncClient, q: str) -> dict[str, Any]:
    answer = await client.get("/api/v1/search", params={"q": q, "limit": 10})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


@pytest.mark.parametrize(
    "q",
    [
        "my landlord is kicking me out",
        "my back hurts and the va keeps cancelling",
        "wife left me and im drowning in bills",
        "shower chair",
        "scammed by claim shark",
        "court fines",
        "grandpa served in korea",
        "food in toledo",
    ],
)
async def test_plain_english_is_never_respelt(reader: httpx.AsyncClient, q: str) -> None:
    assert (await search(reader, q))["interpretation"]["corrected"] is None


async def test_a_slip_beside_plain_english_is_repaired(reader: httpx.AsyncClient) -> None:
    corrected = (await search(reader, "my landlord is kicking me out need shleter"))["interpretation"]["corrected"]
    assert corrected == "my landlord is kicking me out need shelter"


def test_slips_and_words_of_the_field_are_not_plain() -> None:
    assert plain_words().isdisjoint(["homless", "vetran", "benifits", "recieve", "thier", "asistance", "cemetary"])
    assert {"kicking", "stolen", "ayuda", "vivienda"} <= plain_words()
    assert everyday_words().isdisjoint(["eviction", "shelter", "disability", "cemetery"])


@pytest.mark.parametrize("q", ["they are going to shut off my lights", "landlord threw me out", "angry all the time"])
async def test_everyday_words_for_a_need_find_it(reader: httpx.AsyncClient, q: str) -> None:
    found = await search(reader, q)
    assert not found["interpretation"]["fallback"]
    tags = {tag for hit in found["items"][:3] for tag in hit["resource"]["tags"]}
    assert tags & {"utility-assistance", "rent-assistance", "counseling", "mental-health-care"}, tags


@pytest.mark.parametrize("q", ["43215", "columbus, oh", "detroit", "texas"])
async def test_a_place_alone_is_answered_with_what_serves_it(reader: httpx.AsyncClient, q: str) -> None:
    found = await search(reader, q)
    assert found["interpretation"]["place"] is not None
    assert not found["interpretation"]["fallback"]
    states = {"43215": "OH", "columbus, oh": "OH", "detroit": "MI", "texas": "TX"}
    assert all(states[q] in hit["resource"]["states"] for hit in found["items"][:5])


@pytest.mark.parametrize("q", ["help", "i need help", "hello", "what can you do for me"])
async def test_conversation_alone_is_answered_with_where_to_turn(reader: httpx.AsyncClient, q: str) -> None:
    found = await search(reader, q)
    assert found["interpretation"]["fallback"]
    assert found["crisis"] is not None


async def test_a_name_of_plain_words_is_found(reader: httpx.AsyncClient) -> None:
    assert "Give an Hour" in (await search(reader, "give an hour"))["items"][0]["resource"]["title"]
