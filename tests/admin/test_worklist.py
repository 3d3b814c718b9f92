"""The worklist: what to verify first, why, and that it goes once somebody has."""

import asyncio
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from tests.admin.conftest import AddPerson, SignIn
from vibe4vets.admin import service
from vibe4vets.core.config import Settings
from vibe4vets.worker import run_worker

Headers = dict[str, str]
YEARS = "update resources set created_at = now() - make_interval(days => 365 * $2) where id = $1"


@pytest.fixture
async def staff(add_person: AddPerson, sign_in: SignIn) -> Headers:
    """An editor, who may create and verify."""
    return await sign_in(await add_person("editor"))


async def add(client: httpx.AsyncClient, staff: Headers, title: str, **given: Any) -> str:
    new = {"title": title, "organization": "O", "categories": ["food"], "scope": "local", "states": ["OH"], **given}
    answer = await client.post("/api/v1/resources", json=new, headers=staff)
    assert answer.status_code == 201, answer.text
    id_: str = answer.json()["id"]
    return id_


async def worklist(client: httpx.AsyncClient, staff: Headers, query: str = "") -> list[dict[str, Any]]:
    answer = await client.get(f"/api/v1/admin/worklist?{query}", headers=staff)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    assert answer.json()["total"] == len(items)
    return items


async def test_the_old_the_risky_and_the_read_come_first(
    app: FastAPI, client: httpx.AsyncClient, staff: Headers, sql: asyncpg.Connection
) -> None:
    ages = {"New": 0, "Old": 2, "Read": 2, "National": 2, "Line": 2, "Reported": 0}
    more = {"National": {"scope": "national", "phone": "614-555-0123"}, "Line": {"phone": "988"}}
    ids = {title: await add(client, staff, title, **more.get(title, {})) for title in ages}
    for title, years in ages.items():
        await sql.execute(YEARS, ids[title], years)
    for note in ("rings out", "still rings out"):
        report = {"kind": "wrong_phone", "note": note}
        assert (await client.post(f"/api/v1/resources/{ids['Reported']}/feedback", json=report)).status_code == 202
    await sql.execute(
        "insert into resource_views select $1, current_date - n, 50 from generate_series(0, 1) n", ids["Read"]
    )
    assert await worklist(client, staff) == [], "nothing is weighed yet"
    assert await service.refresh_worklist(app.state.database) == 5
    items = {item["title"]: item for item in await worklist(client, staff)}
    assert list(items) == ["Line", "Read", "National", "Reported", "Old"]
    assert [item["priority"] for item in items.values()] == [8, 6.01, 4, 4, 2]
    old = (await sql.fetchval("select created_at from resources where id = $1", ids["Old"])).date()
    assert {title: item["reasons"][1:] for title, item in items.items()} == {
        "Line": ["A crisis line"],
        "Read": ["100 views in 30 days"],
        "National": ["A national program with a telephone number"],
        "Reported": ["2 open reports say that something is wrong"],
        "Old": [],
    }
    assert items["Old"]["reasons"] == [f"Never verified; here since {old}"]


async def test_a_worker_weighs_as_soon_as_it_begins(
    settings: Settings, client: httpx.AsyncClient, staff: Headers, sql: asyncpg.Connection
) -> None:
    await sql.execute(YEARS, await add(client, staff, "Old"), 3)
    stopping = asyncio.Event()
    working = asyncio.create_task(run_worker(settings, stopping))
    for _ in range(600):
        if await worklist(client, staff):
            break
        await asyncio.sleep(0.05)
    stopping.set()
    await working
    assert [item["title"] for item in await worklist(client, staff)] == ["Old"]


async def test_it_goes_with_the_etag_that_it_shows(
    app: FastAPI, client: httpx.AsyncClient, staff: Headers, sql: asyncpg.Connection
) -> None:
    ids = [await add(client, staff, title) for title in ("First", "Second", "Third")]
    for id_ in ids:
        await sql.execute(YEARS, id_, 3)
    await service.refresh_worklist(app.state.database)
    item = (await worklist(client, staff))[0]
    done = {**staff, "if-match": item["etag"]}
    verified = await client.post(f"/api/v1/resources/{item['id']}/verify", json={"how": "phone"}, headers=done)
    assert verified.status_code == 200, verified.text
    left = await worklist(client, staff)
    assert item["id"] not in {entry["id"] for entry in left}
    gone = {**staff, "if-match": left[0]["etag"]}
    assert (await client.delete(f"/api/v1/resources/{left[0]['id']}", headers=gone)).status_code == 204
    assert [entry["id"] for entry in await worklist(client, staff)] == [left[1]["id"]]
    assert await service.refresh_worklist(app.state.database) == 1
    assert await sql.fetchval("select count(*) from verification_needs") == 1
    await sql.execute("update resources set verified_at = now() - interval '2 years' where id = $1", left[1]["id"])
    await service.refresh_worklist(app.state.database)
    (entry,) = await worklist(client, staff)
    assert entry["reasons"][0] == f"Last verified on {entry['verified_at'][:10]}"


async def test_a_broken_link_is_a_reason_until_somebody_verifies(
    app: FastAPI, client: httpx.AsyncClient, staff: Headers, sql: asyncpg.Connection
) -> None:
    id_ = await add(client, staff, "Site", website="https://gone.example.org/")
    await sql.execute(
        """
        insert into links (key, url, host, next_check_at, failures, first_failed_at, broken_at)
        select encode(sha256(convert_to(website, 'UTF8')), 'hex'), website, 'gone.example.org', now(), 3,
          now() - interval '3 days', now() from resources where id = $1""",
        id_,
    )
    assert await service.refresh_worklist(app.state.database) == 1
    (item,) = await worklist(client, staff)
    assert (item["priority"], item["reasons"][1:]) == (2, ["Its web site does not answer, or not as it did"])
    await sql.execute("update resources set verified_at = now() + interval '1 second' where id = $1", id_)
    assert await service.refresh_worklist(app.state.database) == 0


async def test_it_is_filtered_and_paged(
    app: FastAPI, client: httpx.AsyncClient, staff: Headers, sql: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vibe4vets.admin.service.worklist._BATCH", 2)
    for number in range(5):
        await sql.execute(YEARS, await add(client, staff, f"R{number}"), 4 - number // 2)
    texan = await add(client, staff, "Texan", states=["TX"], categories=["legal"])
    await sql.execute(YEARS, texan, 1.5)
    await sql.execute("update resources set as_of = '2019-05-01' where id = $1", texan)
    assert await service.refresh_worklist(app.state.database) == 6
    for query in ("state=TX", "category=legal&category=family", "state=TX&source=editors"):
        (item,) = await worklist(client, staff, query)
        assert (item["title"], item["reasons"]) == (
            "Texan",
            ["Never verified; its source's facts are as of 2019-05-01"],
        )
    assert await worklist(client, staff, "state=TX&source=nobody") == []
    seen, query = [], "limit=2"
    while True:
        page = (await client.get(f"/api/v1/admin/worklist?{query}", headers=staff)).json()
        seen += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        query = f"limit=2&cursor={page['next_cursor']}"
    assert len(seen) == len(set(seen)) == 6
