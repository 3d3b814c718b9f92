"""Who sounds as if a life may be in danger, in whatever words, is told of the crisis line."""

from typing import Any

import httpx
import pytest

from vibe4vets.resources.service.crisis import speaks_of_crisis

IN_CRISIS = """
i dont want to be here anymore; Don’t want to live; my brother said he wants to kill himself; kill my slef; i cant go on
my son put a gun to his head; i have a gun and im done; nobody would miss me; im tired of living; wish i was dead
i feel like ending it all tonight; thinking about ending it; took all my pills; life isn't worth living; kms
everyone is better off without me; I WANNA DIE; he took his own life; crisis line; suicide prevention; unalive myself
i lost my job and want to die; suicide lost my job; crisis line i lost my job; whats the point anymore
bought a rope; suicide prevention coordinator
quiero matarme; me quiero morir; ya no quiero vivir; está cansado de vivir; no quiero estar aquí; quitarme la vida
"""
OF_WORK_OR_LIFE = """
suicide prevention training job; suicide prevention coordinator job; volunteer for crisis line; crisis line volunteer
crisis intervention team police officer jobs; jobs at the veterans crisis line; veteran suicide statistics
die casting jobs; i dont want to live in a shelter; gun range; take my pills to the va; rope course; end my lease
"""


def queries(text: str) -> list[str]:
    return [query.strip() for line in text.strip().splitlines() for query in line.split(";")]


@pytest.mark.parametrize("query", queries(IN_CRISIS))
def test_words_of_a_life_in_danger_are_heard(query: str) -> None:
    assert speaks_of_crisis(query)


@pytest.mark.parametrize("query", queries(OF_WORK_OR_LIFE))
def test_work_and_everyday_life_are_no_crisis(query: str) -> None:
    assert not speaks_of_crisis(query)


@pytest.mark.parametrize("q", ["my son put a gun to his head", "siucidal husband help", "nobody would miss me"])
async def test_a_crisis_is_answered_with_support_whatever_else_is_said(reader: httpx.AsyncClient, q: str) -> None:
    found: dict[str, Any] = (await reader.get("/api/v1/search", params={"q": q, "limit": 3})).json()
    assert found["crisis"]["phone"] == "988"
    assert not found["interpretation"]["fallback"]
    assert "crisis-support" in found["items"][0]["resource"]["tags"]


async def test_looking_for_work_in_prevention_is_no_crisis(reader: httpx.AsyncClient) -> None:
    answer = await reader.get("/api/v1/search", params={"q": "suicide prevention training job"})
    assert answer.json()["crisis"] is None
