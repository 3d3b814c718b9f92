"""A request that is sent twice is done once (row H7)."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest
from fastapi import APIRouter, FastAPI, Response
from sqlalchemy import text

from tests.document import DOCUMENT
from vibe4vets.core.config import Settings
from vibe4vets.core.database import SessionDep
from vibe4vets.core.errors import NotFound
from vibe4vets.core.http import IDEMPOTENT, StrictRoute
from vibe4vets.core.schemas import Input, Line
from vibe4vets.main import create_app

NOTES, USERS = "/trial/notes", "/api/v1/admin/users"
KEY = {"Idempotency-Key": "b8c6ab1e-6c3e-4d54-9a30-3c9b7e1f2a10"}
ADD = text("insert into notes (text) values (:text) returning id")
COUNT = "select count(*) from notes"
CANARY = "c4n4ry"


class Note(Input):
    text: Line
    pause: float = 0
    fails: bool = False


Serve = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


@pytest.fixture
async def serve(settings: Settings, sql: asyncpg.Connection) -> AsyncIterator[Serve]:
    """A client of the application with a list of notes, which keeps two that are alike."""
    await sql.execute("create table notes (id int generated always as identity, text text)")
    await sql.execute("grant select, insert on notes to public")

    async def add_note(session: SessionDep, note: Note, response: Response) -> dict[str, int | str]:
        number = (await session.execute(ADD, {"text": note.text})).scalar_one()
        await session.execute(text("select pg_sleep(:pause)"), {"pause": note.pause})
        if note.fails:
            raise NotFound
        response.headers["Location"] = f"{NOTES}/{number}"
        return {"id": number, "text": note.text}

    @asynccontextmanager
    async def serve(**update: Any) -> AsyncIterator[httpx.AsyncClient]:
        app = create_app(settings.model_copy(update=update))
        router = APIRouter(prefix="/trial", route_class=StrictRoute, dependencies=[IDEMPOTENT])
        router.post("/notes", status_code=HTTPStatus.CREATED)(add_note)
        router.post("/others", status_code=HTTPStatus.CREATED, name="add_other")(add_note)
        app.include_router(router)
        async with app.router.lifespan_context(app), client_of(app) as client:
            yield client

    yield serve
    await sql.execute("drop table notes")  # the database is lent on


def client_of(app: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")


@pytest.fixture
async def notes(serve: Serve) -> AsyncIterator[httpx.AsyncClient]:
    """The same, as it is by default."""
    async with serve() as client:
        yield client


@asynccontextmanager
async def notes_locked(sql: asyncpg.Connection, *, until: int) -> AsyncIterator[None]:
    """Hold what every insert needs until so many wait for it, or for whoever waits for it."""
    async with sql.transaction():
        await sql.execute("lock table notes")
        yield
        waits = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
        async with asyncio.timeout(30):
            while await sql.fetchval(waits) < until:
                await sql.execute("select pg_stat_clear_snapshot(), pg_sleep(0.01)")


async def test_thirty_at_once_make_one(notes: httpx.AsyncClient, sql: asyncpg.Connection) -> None:
    sending = [notes.post(NOTES, json={"text": "one"}, headers=KEY) for _ in range(30)]
    answers = await asyncio.gather(*sending)
    assert {answer.status_code for answer in answers} == {201}
    assert (
        len({(answer.content, answer.headers["location"], answer.headers["content-type"]) for answer in answers}) == 1
    )
    assert sorted(answer.headers.get("idempotency-replayed", "") for answer in answers) == ["", *["true"] * 29]
    assert len({answer.headers["x-request-id"] for answer in answers}) == 30
    assert await sql.fetchval(COUNT) == 1


async def test_a_duplicate_waits_for_the_first(notes: httpx.AsyncClient, sql: asyncpg.Connection) -> None:
    async with notes_locked(sql, until=2):
        sending = [asyncio.create_task(notes.post(NOTES, json={"text": "one"}, headers=KEY)) for _ in range(2)]
    answers = await asyncio.gather(*sending)
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert await sql.fetchval(COUNT) == 1


async def test_a_duplicate_of_one_that_fails_is_the_first(notes: httpx.AsyncClient, sql: asyncpg.Connection) -> None:
    """An error leaves nothing: not to those who wait, not to those who come again."""
    failing = {"text": "one", "fails": True}
    async with notes_locked(sql, until=2):
        sending = [asyncio.create_task(notes.post(NOTES, json=failing, headers=KEY)) for _ in range(2)]
    answers = await asyncio.gather(*sending)
    assert [answer.status_code for answer in answers] == [404, 404]
    assert not any("idempotency-replayed" in answer.headers for answer in answers)
    assert await sql.fetchval(COUNT) == await sql.fetchval("select count(*) from idempotency_keys") == 0
    assert (await notes.post(NOTES, json={"text": 1}, headers=KEY)).status_code == 422
    assert (await notes.post(NOTES, json={"text": "mended"}, headers=KEY)).status_code == 201


async def test_a_duplicate_waits_as_long_as_for_a_lock(
    serve: Serve, settings: Settings, sql: asyncpg.Connection
) -> None:
    limits = settings.database.model_copy(update={"lock_timeout": timedelta(milliseconds=100)})
    async with serve(database=limits) as notes:
        slow = {"text": "one", "pause": 0.9}
        answers = await asyncio.gather(*[notes.post(NOTES, json=slow, headers=KEY) for _ in range(2)])
        assert sorted(answer.status_code for answer in answers) == [201, 409]
        refused = next(answer for answer in answers if answer.status_code == 409)
        assert refused.json()["type"] == "idempotency-key-in-use"
        again = await notes.post(NOTES, json=slow, headers=KEY)
        assert (again.status_code, again.headers["idempotency-replayed"]) == (201, "true")
    assert await sql.fetchval(COUNT) == 1


async def test_a_key_stands_for_one_request(notes: httpx.AsyncClient, sql: asyncpg.Connection) -> None:
    assert (await notes.post(NOTES, json={"text": "one"}, headers=KEY)).status_code == 201
    other = await notes.post(NOTES, json={"text": "two"}, headers=KEY)
    assert (other.status_code, other.json()["type"]) == (422, "idempotency-key-reused")
    elsewhere = await notes.post("/trial/others", json={"text": "one"}, headers=KEY)
    assert elsewhere.status_code == 201, "another operation has keys of its own"
    assert "idempotency-replayed" not in elsewhere.headers
    assert (await notes.post(NOTES, json={"text": "one"}, headers={"Idempotency-Key": str(uuid4())})).status_code == 201
    assert (await notes.post(NOTES, json={"text": "one"})).status_code == 201
    assert await sql.fetchval(COUNT) == 4


async def test_a_key_outlives_a_restart_and_not_a_day(serve: Serve, sql: asyncpg.Connection) -> None:
    answers = []
    for hours in (0, 23, 24):
        await sql.execute("update idempotency_keys set created_at = now() - interval '1 hour' * $1", hours)
        async with serve() as notes:
            answers += [await notes.post(NOTES, json={"text": "one"}, headers=KEY) for _ in range(2)]
    assert [answer.json()["id"] for answer in answers] == [1, 1, 1, 1, 2, 2]
    assert await sql.fetchval(COUNT) == 2


async def test_the_row_and_the_key_are_stored_together(notes: httpx.AsyncClient, sql: asyncpg.Connection) -> None:
    """The commit fails, the very last thing that can."""
    await sql.execute("""
        create function fail() returns trigger language plpgsql as $$ begin raise 'no' using errcode = '53100'; end $$;
        create constraint trigger fail after insert on notes deferrable initially deferred
          for each row execute function fail();
    """)
    assert (await notes.post(NOTES, json={"text": "one"}, headers=KEY)).status_code == 503
    assert await sql.fetchval("select count(*) from idempotency_keys") == 0
    await sql.execute("drop trigger fail on notes")
    answer = await notes.post(NOTES, json={"text": "one"}, headers=KEY)
    assert (answer.status_code, answer.headers.get("idempotency-replayed")) == (201, None)


async def test_what_is_stored_tells_nothing(serve: Serve, sql: asyncpg.Connection) -> None:
    """Neither the request nor the answer, which may hold a key that is shown once."""
    async with serve() as notes:
        await notes.post(NOTES, json={"text": CANARY}, headers=KEY)
    row = b"".join(value for value in await sql.fetchrow("select key, request_hash, answer from idempotency_keys"))
    assert CANARY.encode() not in row
    assert KEY["Idempotency-Key"].encode() not in row
    assert NOTES.encode() not in row


@pytest.mark.parametrize("bad", ["short", "x" * 129, "with a space in it", "ñ" * 20, "", "x" * 15])
async def test_a_key_is_long_enough_not_to_be_a_strangers(notes: httpx.AsyncClient, bad: str) -> None:
    answer = await notes.post(NOTES, json={"text": "one"}, headers=[(b"idempotency-key", bad.encode())])
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/header/Idempotency-Key"


async def test_a_key_may_be_quoted(notes: httpx.AsyncClient) -> None:
    """As the draft of the standard has it."""
    quoted = {"Idempotency-Key": f'"{KEY["Idempotency-Key"]}"'}
    answers = [await notes.post(NOTES, json={"text": "one"}, headers=headers) for headers in (KEY, quoted)]
    assert answers[0].json() == answers[1].json()


def test_whatever_creates_takes_a_key() -> None:
    seen = []
    for path, methods in DOCUMENT["paths"].items():
        operation = methods.get("post", {"responses": {}})
        if "201" not in operation["responses"] and path != "/api/v1/auth/register":
            continue
        names = {parameter["name"] for parameter in operation.get("parameters", ())}
        assert "Idempotency-Key" in names, path
        types = {slug: status for status in ("409", "422") for slug in examples(operation, status)}
        assert {"idempotency-key-in-use", "idempotency-key-reused"} <= types.keys(), path
        headers = operation["responses"]["201" if "201" in operation["responses"] else "202"]["headers"]
        assert "Idempotency-Replayed" in headers, path
        seen.append(path)
    assert len(seen) >= 5


def examples(operation: dict[str, Any], status: str) -> dict[str, Any]:
    """The problems of a status."""
    found: dict[str, Any] = operation["responses"][status]["content"]["application/problem+json"]["examples"]
    return found
