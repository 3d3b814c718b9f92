"""Suggestions: what begins so, then such words in any order, then what is alike; of every kind, and flat."""

from typing import Any

import httpx
import pytest
from sqlalchemy import text

from tests.resources.conftest import Shelf

TITLES = {
    "1": "American Legion Post 5", "2": "Ohio American Legion", "3": "Legion Riders of America", "4": "Americorps",
    "5": "Veterans Center Columbus", "6": "Columbus Vet Center", "7": "Center for Vets", "8": "O'Fallon Peña Shelter",
}  # fmt: skip


async def suggest(client: httpx.AsyncClient, q: str, **query: Any) -> list[dict[str, Any]]:
    answer = await client.get("/api/v1/search/suggest", params={"q": q, **query})
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


@pytest.fixture
async def titles(shelf: Shelf) -> None:
    for number, title in TITLES.items():
        scope = "national" if number == "1" else "local"
        await shelf.publish(number, title=title, scope=scope, organization="Zeta" if number != "4" else "Legion House")


@pytest.mark.usefixtures("titles")
@pytest.mark.parametrize(
    ("q", "numbers"),
    [
        ("amer", "1423"), ("amer leg", "1234"), ("american legion post", "1"), ("leg amer", "1234"),
        ("LEGION", "3124"), ("vetern cent", "5"), ("legion legion", ""),
        ("vet cen", "5 67"), ("center vet", "7 65"), ("columbus", "65"), ("ofal", "8"), ("pena", "8"), ("Peña sh", "8"),
        ("o\u2019fallon", "8"), ("zzz", ""), ("american legoin", "12"), ("shleter", "8"), ("zeta", "1345678 2"),
    ],
)  # fmt: skip
async def test_titles_by_their_words(client: httpx.AsyncClient, q: str, numbers: str) -> None:
    found = [item["text"] for item in await suggest(client, q, kind="resource")]
    by_title = {title: number for number, title in TITLES.items()}
    got = "".join(by_title[title] for title in found)
    first, _, others = numbers.partition(" ")
    if q == "zeta":
        assert sorted(got) == sorted("1235678")
    elif others:
        assert got[: len(first)] == first
        assert set(others) <= set(got)
    else:
        assert got[: len(first)] == first
        assert got or not numbers


@pytest.mark.usefixtures("titles")
async def test_a_suggestion_names_its_resource(client: httpx.AsyncClient, shelf: Shelf) -> None:
    id_ = await shelf.publish(
        "9", title="Solo", locations=[{"city": "Toledo", "state": "OH"}, {"city": "Lima", "state": "OH"}]
    )
    assert await suggest(client, "sol", kind="resource") == [
        {
            "kind": "resource",
            "text": "Solo",
            "resource": {
                "id": str(id_),
                "title": "Solo",
                "organization": "Helpers",
                "city": "Toledo",
                "state": "OH",
                "source": {"slug": "s", "record_id": "9"},
            },
            "organization_id": None,
            "tag": None,
            "place": None,
        }
    ]
    await shelf.publish("9", title="Duo")
    assert await suggest(client, "sol", kind="resource") == []
    assert (await suggest(client, "duo"))[0]["resource"]["state"] is None
    await shelf.withdraw(id_)
    assert await suggest(client, "duo") == []


@pytest.mark.parametrize(
    ("q", "names"),
    [
        ("legion", ["Legion of Valor", "American Legion", "The American Legion, Department of Ohio"]),
        ("legion amer", ["American Legion", "The American Legion, Department of Ohio"]),
        ("american legion ohio", ["The American Legion, Department of Ohio"]),
        ("le", ["Legion of Valor"]),
        ("draft", []),
        ("legoin amer", ["American Legion", "The American Legion, Department of Ohio"]),
    ],
)
async def test_organizations_by_their_words(client: httpx.AsyncClient, shelf: Shelf, q: str, names: list[str]) -> None:
    known = ["The American Legion, Department of Ohio", "Legion of Valor", "American Legion", "Elks"]
    for number, name in enumerate(known):
        await shelf.publish(str(number), organization=name)
    await shelf.put("9", organization="Draft Legion")
    assert [item["text"] for item in await suggest(client, q, kind="organization")] == names


async def test_every_kind_has_room(reader: httpx.AsyncClient) -> None:
    items = await suggest(reader, "vet", limit=20)
    assert {item["kind"] for item in items} >= {"resource", "tag"}
    assert len(items) == 20
    assert [item["kind"] for item in items[:15]] == ["resource"] * 15
    (organization,) = await suggest(reader, "legal aid", kind="organization", limit=1)
    answer = await reader.get(f"/api/v1/organizations/{organization['organization_id']}")
    assert answer.json()["name"] == organization["text"]
    tag = (await suggest(reader, "rent as", kind="tag"))[0]
    assert (tag["tag"], tag["text"]) == ("rent-assistance", "Rent help")
    assert (await reader.get("/api/v1/resources", params={"tag": tag["tag"]})).json()["total"] > 0
    place = (await suggest(reader, "ohi", kind="place"))[0]
    assert place["place"]["name"] == "Ohio"
    city = (await suggest(reader, "colu", kind="place"))[0]
    assert (await reader.get("/api/v1/resources", params={"near": city["text"]})).status_code == 200
    kinds = {item["kind"] for item in await suggest(reader, "co", kind=["tag", "place"])}
    assert kinds == {"tag", "place"}


@pytest.mark.parametrize("q", ["%", "_", "((", "'", "\\", "!!!", "\u0645\u0631\u062d", "a' | b", "x" * 100, "a " * 50])
async def test_any_fragment_is_harmless(reader: httpx.AsyncClient, q: str) -> None:
    items = await suggest(reader, q.strip())
    assert len(items) <= 10
    if not any(letter.isascii() and letter.isalnum() for letter in q):
        assert items == []


@pytest.mark.parametrize("query", ["", "?q=", "?q=a&limit=21", "?q=a&limit=0", "?q=a&kind=county", f"?q={'x' * 101}"])
async def test_what_is_not_asked_well_is_refused(reader: httpx.AsyncClient, query: str) -> None:
    assert (await reader.get(f"/api/v1/search/suggest{query}")).status_code == 422


async def test_reindexing_names_what_was_published_before(client: httpx.AsyncClient, shelf: Shelf) -> None:
    await shelf.publish("1", title="Before")
    await shelf.session.execute(text("delete from published_names"))
    await shelf.session.commit()
    assert await suggest(client, "bef") == []
    await shelf.publish("1", title="Before")
    assert [item["text"] for item in await suggest(client, "bef")] == ["Before"]


async def test_a_slip_is_of_the_word_that_most_names_have(client: httpx.AsyncClient, shelf: Shelf) -> None:
    for number, title in enumerate(["Holmes House", "Homeless Help", "Homeless Open Hands", "Homeless Outreach"]):
        await shelf.publish(str(number), title=title)
    found = [item["text"] for item in await suggest(client, "homles", kind="resource")]
    assert {title.split()[0] for title in found[:3]} == {"Homeless"}
