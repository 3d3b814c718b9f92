"""Near, within a radius, in a box, by distance: against distances computed here, on the starter directory and edges."""

import math
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from tests.resources.conftest import Shelf
from vibe4vets.core.database import own_transaction

COLUMBUS = (39.9612, -82.9988)
HERE = {"near": f"{COLUMBUS[0]},{COLUMBUS[1]}"}


def miles(here: tuple[float, float], there: tuple[float, float]) -> float:
    """The haversine formula, on a sphere of 3,958.76 miles."""
    (a, b), (c, d) = ((math.radians(x), math.radians(y)) for x, y in (here, there))
    h = math.sin((c - a) / 2) ** 2 + math.cos(a) * math.cos(c) * math.sin((d - b) / 2) ** 2
    return 2 * 3958.7613 * math.asin(math.sqrt(h))


def nearest(resource: dict[str, Any], here: tuple[float, float] = COLUMBUS) -> float:
    """How far the nearest location is; infinity without coordinates."""
    places = [(place["latitude"], place["longitude"]) for place in resource["locations"]]
    return min((miles(here, place) for place in places if place[0] is not None), default=math.inf)


async def read_all(client: httpx.AsyncClient, **query: Any) -> list[dict[str, Any]]:
    """Every item of a list, page by page."""
    items: list[dict[str, Any]] = []
    query = {"limit": 100, **query}
    while True:
        answer = await client.get("/api/v1/resources", params=query)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        items += page["items"]
        if page["next_cursor"] is None:
            assert page["total"] == len(items)
            return items
        query["cursor"] = page["next_cursor"]


def ids(items: list[dict[str, Any]]) -> set[str]:
    return {item["id"] for item in items}


@pytest.mark.parametrize("radius", [1, 20, 300.5])
async def test_a_radius_holds_what_is_within_and_what_serves_the_state(
    reader: httpx.AsyncClient, radius: float
) -> None:
    everything = await read_all(reader)
    statewide = {item["id"] for item in everything if item["scope"] == "state" and "OH" in item["states"]}
    within = {item["id"] for item in everything if nearest(item) <= radius}
    national = {item["id"] for item in everything if item["scope"] == "national"}
    assert statewide
    assert ids(await read_all(reader, **HERE, radius_miles=radius)) == within | statewide
    assert ids(await read_all(reader, **HERE, radius_miles=radius, include_national=True)) == (
        within | statewide | national
    )
    assert 0 < len(within | statewide) < len(everything)


async def test_near_alone_means_fifty_miles_or_the_order(reader: httpx.AsyncClient) -> None:
    assert await read_all(reader, **HERE) == await read_all(reader, **HERE, radius_miles=50)
    everything = await read_all(reader)
    assert ids(await read_all(reader, **HERE, sort="distance")) == ids(everything)


async def test_the_nearest_come_first_and_what_is_nowhere_last(reader: httpx.AsyncClient) -> None:
    for more in ({}, {"category": "housing"}, {"scope": ["local", "national"]}, {"radius_miles": 100}):
        for limit in (7, 100):
            found = await read_all(reader, **HERE, **more, sort="distance", limit=limit)
            distances = [nearest(item) for item in found]
            assert distances == sorted(distances)
            assert len(ids(found)) == len(found)
            assert len(found) > 20
    page = (await reader.get("/api/v1/resources", params={**HERE, "sort": "distance", "limit": 5, "offset": 3})).json()
    whole = await read_all(reader, **HERE, sort="distance")
    assert [item["id"] for item in page["items"]] == [item["id"] for item in whole[3:8]]
    assert nearest(whole[-1]) == math.inf


async def test_the_index_gives_the_order(directory: FastAPI, reader: httpx.AsyncClient) -> None:
    """At a million rows, sorting them all would take seconds."""
    ran: list[tuple[str, Any]] = []
    published = directory.state.database.published
    fetch = published.fetch

    async def noting(sql: str, arguments: Any) -> Any:
        ran.append((sql, arguments))
        return await fetch(sql, arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(published, "fetch", noting)
        await reader.get("/api/v1/resources", params={**HERE, "sort": "distance"})
    sql, arguments = ran[-1]
    async with own_transaction(directory.state.database) as session:
        connection: Any = (await (await session.connection()).get_raw_connection()).driver_connection
        for way in ("seqscan", "sort", "hashjoin"):  # which are quicker on so few rows
            await connection.execute(f"set local enable_{way} = off")
        plan = "\n".join(row[0] for row in await connection.fetch(f"explain {sql}", *arguments))
    assert "Index Scan using ix_published_locations_globe" in plan, plan
    assert "Order By: (cube(" in plan


async def test_a_box_holds_what_lies_in_it(reader: httpx.AsyncClient) -> None:
    everything = await read_all(reader)

    def inside(item: dict[str, Any], west: float, south: float, east: float, north: float) -> bool:
        return any(
            place["latitude"] is not None
            and south <= place["latitude"] <= north
            and (west <= place["longitude"] <= east if west <= east else not east < place["longitude"] < west)
            for place in item["locations"]
        )

    for box in ((-85.0, 38.0, -80.0, 42.0), (-180.0, -90.0, 180.0, 90.0), (140.0, -20.0, -150.0, 30.0)):
        found = await read_all(reader, bbox=",".join(map(str, box)))
        assert ids(found) == {item["id"] for item in everything if inside(item, *box)}
        assert found
    pacific = await read_all(reader, bbox="140,-20,-150,30")
    assert {place["state"] for item in pacific for place in item["locations"]} >= {"GU", "HI"}


async def test_search_tells_how_far(reader: httpx.AsyncClient) -> None:
    found = (
        await reader.get("/api/v1/search", params={"q": "veterans", **HERE, "radius_miles": 150, "limit": 100})
    ).json()
    assert found["items"]
    for hit in found["items"]:
        expected = nearest(hit["resource"])
        is_near = expected <= 150 or hit["resource"]["scope"] == "national" or "OH" in hit["resource"]["states"]
        assert is_near
        if expected == math.inf:
            assert hit["distance_miles"] is None
        else:
            assert hit["distance_miles"] == pytest.approx(expected, abs=0.06)
    plain = (await reader.get("/api/v1/search", params={"q": "veterans"})).json()
    assert {hit["distance_miles"] for hit in plain["items"]} == {None}


async def test_several_locations_count_once_by_the_nearest(client: httpx.AsyncClient, shelf: Shelf) -> None:
    far, near, middle = ({"latitude": 39.96, "longitude": x, "state": "OH"} for x in (-70.0, -83.0, -84.0))
    two = await shelf.publish("1", locations=[far, near])
    one = await shelf.publish("2", locations=[middle])
    none = await shelf.publish("3")
    twins = [await shelf.publish(str(number), locations=[far]) for number in range(4, 7)]
    found = await read_all(client, near="39.96,-83", sort="distance", limit=1)
    assert [item["id"] for item in found] == [str(id_) for id_ in (two, one, *sorted(twins), none)]
    await shelf.publish("1", locations=[far])
    found = await read_all(client, near="39.96,-83", sort="distance")
    assert found[0]["id"] == str(one)
    await shelf.withdraw(one)
    assert ids(await read_all(client, near="39.96,-83", radius_miles=60)) == set()


@pytest.mark.parametrize(
    ("here", "there", "radius"),
    [((13.45, 144.8), (13.6, 144.9), 20), ((51.9, 179.9), (51.9, -179.9), 20), ((-14.3, -170.7), (-14.3, 179.9), 700),
     ((89.99, 0), (89.99, 180), 5), ((0.0, 0.0), (0.0, 0.1), 10)],
)  # fmt: skip
async def test_near_the_date_line_the_poles_and_nothing(
    client: httpx.AsyncClient, shelf: Shelf, here: tuple[float, float], there: tuple[float, float], radius: float
) -> None:
    id_ = await shelf.publish(locations=[{"latitude": there[0], "longitude": there[1]}])
    query = {"near": f"{here[0]},{here[1]}"}
    assert ids(await read_all(client, **query, radius_miles=radius)) == {str(id_)}
    assert await read_all(client, **query, radius_miles=round(miles(here, there) - 0.5, 3)) == []


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("near=Nowhere,+ZZ", "/query/near"), ("near=Springfield+Nowhere", "/query/near"), ("near=00000", "/query/near"),
        ("near=91,0", "/query/near"), ("near=nan,nan", "/query/near"), ("near=inf,0", "/query/near"),
        ("near=Ohio", "/query/near"), ("near=", "/query/near"), ("near=43215&radius_miles=0", "/query/radius_miles"),
        ("near=43215&radius_miles=-1", "/query/radius_miles"), ("near=43215&radius_miles=nan", "/query/radius_miles"),
        ("near=43215&radius_miles=inf", "/query/radius_miles"), ("near=43215&radius_miles=1e3", "/query/radius_miles"),
        ("near=43215&radius_miles=5000.1", "/query/radius_miles"), ("radius_miles=5", "/query"),
        ("bbox=1,2,3", "/query/bbox"), ("bbox=1,2,3,4,5", "/query/bbox"), ("bbox=a,b,c,d", "/query/bbox"),
        ("bbox=0,10,10,0", "/query/bbox"), ("bbox=-181,0,0,10", "/query/bbox"), ("bbox=0,0,0,90.1", "/query/bbox"),
        ("bbox=nan,0,0,1", "/query/bbox"), ("bbox=0,0,1e1,1", "/query/bbox"),
    ],
)  # fmt: skip
async def test_what_is_no_place_is_refused_with_advice(reader: httpx.AsyncClient, query: str, pointer: str) -> None:
    for address in ("/api/v1/resources?", "/api/v1/search?q=helpers&"):
        answer = await reader.get(address + query)
        assert answer.status_code == 422, answer.text
        (error,) = answer.json()["errors"]
        assert error["pointer"] == pointer
    if pointer == "/query/near" and query != "near=":
        assert "ZIP code" in error["message"]


async def test_distance_needs_a_place(reader: httpx.AsyncClient) -> None:
    answer = await reader.get("/api/v1/resources?sort=distance")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "near_missing")
