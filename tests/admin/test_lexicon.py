"""The lexicon and the searches over HTTP: who may, what changes, and that every process knows it at once."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from tests.admin.conftest import Ask
from tests.auth.conftest import AddPerson, Clock, Person, SignIn, clock
from tests.conftest import make_client
from tests.databases import Lender
from vibe4vets.core.config import Settings
from vibe4vets.core.database import own_transaction
from vibe4vets.main import create_app
from vibe4vets.resources.service.search.learning import Outcome

__all__ = ["clock"]
FOUND = Outcome(matches=3, is_fallback=False, unmatched=())
IN_VAIN = Outcome(matches=0, is_fallback=True, unmatched=("flurbish",))


@pytest.fixture
async def database(lender: Lender, starter_template: str) -> AsyncIterator[str]:
    """The name of a database with the starter directory."""
    async with lender.lent(starter_template) as name:
        yield name


async def fallback(client: httpx.AsyncClient, query: str) -> bool:
    return bool((await client.get("/api/v1/search", params={"q": query})).json()["interpretation"]["fallback"])


async def test_an_entry_is_live_at_once_in_every_process(
    ask: Ask, admin: Person, client: httpx.AsyncClient, settings: Settings, sql: asyncpg.Connection
) -> None:
    other_app = create_app(settings)
    async with other_app.router.lifespan_context(other_app), make_client(other_app) as other:
        for process in (client, other):
            assert await fallback(process, "flurbish")
        body = {"phrase": "Flúrbish!", "codes": {"legal-aid": 1}}
        answer = await ask("POST", "/lexicon", json=body)
        assert answer.status_code == 201, answer.text
        made = answer.json()
        assert (made["phrase"], made["version"], made["origin"], made["kind"]) == ("flurbish", 1, "admin", "need")
        assert answer.headers["location"] == f"/api/v1/admin/lexicon/{made['id']}"
        for process in (client, other):
            items = (await process.get("/api/v1/search?q=flurbish")).json()["items"]
            assert all("legal-aid" in hit["resource"]["tags"] for hit in items[:5])
            assert not await fallback(process, "flurbish")
        path = f"/lexicon/{made['id']}"
        etag = (await ask("GET", path)).headers["etag"]
        assert etag == answer.headers["etag"]
        assert (await ask("DELETE", path, headers={"if-match": etag})).status_code == 204
        for process in (client, other):
            assert await fallback(process, "flurbish")
        assert (await ask("GET", path)).json()["type"] == "lexicon-entry-not-found"
    events = await sql.fetch(
        "select action, actor_id, target_kind, target_id from audit_events where action like 'lexicon.%'"
        " order by sequence"
    )
    target = (str(admin.id), "lexicon_entry", made["id"])
    assert [tuple(event) for event in events] == [("lexicon.create", *target), ("lexicon.delete", *target)]


async def test_a_synonym_finds_what_its_official_words_find(ask: Ask, client: httpx.AsyncClient) -> None:
    body = {"phrase": "glimmerwick", "kind": "synonym", "official_words": "Cemetery"}
    assert (await ask("POST", "/lexicon", json=body)).status_code == 201
    found = (await client.get("/api/v1/search?q=glimmerwick")).json()
    assert found["interpretation"]["fallback"] is False
    assert any("cemetery" in hit["resource"]["title"].lower() for hit in found["items"])


async def test_a_change_names_the_version_it_is_made_against(ask: Ask, sql: asyncpg.Connection) -> None:
    body = {"phrase": "flurbish", "codes": {"legal-aid": 1}}
    made = (await ask("POST", "/lexicon", json=body)).json()
    path = f"/lexicon/{made['id']}"
    change = {"json": {"codes": {"dental": 0.5}}}
    current = (await ask("GET", path)).headers["etag"]
    for method, rest in (("PATCH", change), ("DELETE", {})):
        assert (await ask(method, path, **rest)).status_code == 428
        answer = await ask(method, path, headers={"if-match": '"stale"'}, **rest)
        assert (answer.status_code, answer.headers["etag"]) == (412, current)
    answer = await ask("PATCH", path, headers={"if-match": current}, **change)
    assert (answer.status_code, answer.json()["codes"], answer.json()["version"]) == (200, {"dental": 0.5}, 2)
    assert answer.headers["etag"] != current
    again = await ask("PATCH", path, headers={"if-match": answer.headers["etag"]}, **change)
    assert (again.status_code, again.json()["version"]) == (200, 2)
    assert (await ask("GET", path, headers={"if-none-match": answer.headers["etag"]})).status_code == 304
    assert await sql.fetchval("select count(*) from audit_events where action = 'lexicon.update'") == 1


async def test_the_same_request_makes_one_entry(ask: Ask) -> None:
    request = {"json": {"phrase": "flurbish"}, "headers": {"idempotency-key": uuid4().hex}}
    first, second = [await ask("POST", "/lexicon", **request) for _ in range(2)]
    assert (first.status_code, second.status_code, second.headers["idempotency-replayed"]) == (201, 201, "true")
    assert first.json() == second.json()
    taken = await ask("POST", "/lexicon", json={"phrase": "FLURBISH"})
    assert (taken.status_code, taken.json()["type"]) == (409, "lexicon-phrase-taken")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/body/phrase"),
        ({"phrase": "!!!"}, "/body/phrase"),
        ({"phrase": "x" * 101}, "/body/phrase"),
        ({"phrase": "x", "codes": {"no-such-term": 1}}, "/body/codes"),
        ({"phrase": "x", "codes": {"legal-aid": 2}}, "/body/codes/legal-aid"),
        ({"phrase": "x", "codes": None}, "/body/codes"),
        ({"phrase": "x", "origin": "project"}, "/body/origin"),
        ({"phrase": "x", "version": 7}, "/body/version"),
    ],
)
async def test_what_cannot_be_an_entry(ask: Ask, body: dict[str, Any], pointer: str) -> None:
    answer = await ask("POST", "/lexicon", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)


async def test_the_list_is_filtered_and_paged(ask: Ask, sql: asyncpg.Connection) -> None:
    conditions = {
        "": "true",
        "q=RÉNT": "phrase like '%rent%'",
        "kind=acronym": "kind = 'acronym'",
        "kind=acronym&kind=synonym": "kind in ('acronym', 'synonym')",
        "code=legal-aid&code=dental": "codes ?| '{legal-aid,dental}'",
        "q=va&kind=need&code=appeals": "phrase like '%va%' and kind = 'need' and codes ? 'appeals'",
    }
    for query, condition in conditions.items():
        wanted = [
            row["phrase"]
            for row in await sql.fetch(
                f"select phrase from lexicon_entries where not is_retired and {condition} order by phrase, id"
            )
        ]
        found: list[str] = []
        page: dict[str, Any] = {"next_cursor": ""}
        while page["next_cursor"] is not None and len(found) < 300:
            cursor = f"&cursor={page['next_cursor']}" if page["next_cursor"] else ""
            page = (await ask("GET", f"/lexicon?limit=100&{query}{cursor}")).json()
            assert page["total"] == len(wanted), query
            found += [item["phrase"] for item in page["items"]]
        assert found == wanted[: len(found)], query
        assert len(found) >= min(len(wanted), 300), query
    assert (await ask("GET", "/lexicon?q=%25")).status_code == 422


async def test_who_may_write(client: httpx.AsyncClient, add_person: AddPerson, sign_in: SignIn) -> None:
    for role, status in (("reviewer", 403), ("editor", 201)):
        headers = await sign_in(await add_person(role))
        assert (await client.get("/api/v1/admin/lexicon", headers=headers)).status_code == 200
        answer = await client.post("/api/v1/admin/lexicon", headers=headers, json={"phrase": f"{role} phrase"})
        assert answer.status_code == status
        assert (await client.get("/api/v1/admin/searches", headers=headers)).status_code == 403


async def test_an_admin_sees_what_people_search_for_and_adds_what_is_missing(
    clock: Clock, ask: Ask, app: FastAPI
) -> None:
    for day in range(2):
        clock.advance(days=day or -1)
        for number in range(5 + day):
            learning = app.state.search_learning
            learning.hear(f"192.0.2.{number}", "housing", FOUND)
            learning.hear(f"192.0.2.{number}", "flurbish card", IN_VAIN)
            if day:
                learning.hear(f"192.0.2.{number}", "dentist", Outcome(0, is_fallback=False, unmatched=()))
        app.state.search_learning.hear("192.0.2.1", "secret of one", FOUND)
        async with own_transaction(app.state.database) as session:
            await app.state.search_learning.store(session)
    today = clock.now.date().isoformat()

    async def searches(query: str) -> list[tuple[str, int, int, int, str]]:
        answer = await ask("GET", f"/searches?{query}")
        assert answer.status_code == 200, answer.text
        assert answer.headers["cache-control"] == "no-store"
        return [tuple(item.values()) for item in answer.json()["items"]]

    assert await searches("") == [
        ("flurbish card", 11, 11, 11, today),
        ("housing", 11, 0, 0, today),
        ("dentist", 6, 6, 0, today),
    ]
    assert await searches("days=1") == [
        ("dentist", 6, 6, 0, today),
        ("flurbish card", 6, 6, 6, today),
        ("housing", 6, 0, 0, today),
    ]
    assert [row[0] for row in await searches("kind=zero_results")] == ["flurbish card", "dentist"]
    assert [row[0] for row in await searches("kind=fallback")] == ["flurbish card"]
    page = (await ask("GET", "/searches?limit=1&offset=0")).json()
    rest = await searches(f"limit=2&cursor={page['next_cursor']}")
    assert (page["total"], [row[0] for row in rest]) == (3, ["housing", "dentist"])
    assert await searches("kind=unmatched_words") == [("flurbish", 11, 11, 11, today)]
    assert (await ask("POST", "/lexicon", json={"phrase": "flurbish", "codes": {"legal-aid": 1}})).status_code == 201
    assert await searches("kind=unmatched_words") == []
    for query in ("kind=all", "days=0", "days=91", "limit=0"):
        assert (await ask("GET", f"/searches?{query}")).status_code == 422
