"""The feed of changes: complete, in order, each resource once, nothing passed over that commits late."""

from dataclasses import replace
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from tests.resources.conftest import Shelf, settle
from vibe4vets.resources import service


class Mirror:
    """Asks for changes, once the transactions of other tests on this server no longer hold them back."""

    def __init__(self, app: FastAPI, client: httpx.AsyncClient, sql: asyncpg.Connection) -> None:
        self.client, self.sql = client, sql
        self.cursors = replace(app.state.cursors, address="/api/v1/resources/changes")

    async def read(
        self, since: str | None = None, limit: int = 100, *, wait: bool = True
    ) -> tuple[list[Any], str, bool]:
        if wait:
            await settle(self.sql)
        query = {"limit": limit} | ({"since": since} if since else {})
        answer = await self.client.get("/api/v1/resources/changes", params=query)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        return body["items"], body["next_cursor"], body["is_current"]


@pytest.fixture
def mirror(app: FastAPI, client: httpx.AsyncClient, sql: asyncpg.Connection) -> Mirror:
    return Mirror(app, client, sql)


async def test_a_mirror_follows_what_is_published(client: httpx.AsyncClient, mirror: Mirror, shelf: Shelf) -> None:
    nothing, cursor, is_current = await mirror.read()
    assert (nothing, is_current) == ([], True)
    draft = await shelf.put("9")
    first, second = await shelf.publish("1", title="One"), await shelf.publish("2", title="Two")
    items, cursor, _ = await mirror.read(cursor)
    assert [(item["kind"], item["id"]) for item in items] == [("created", str(first)), ("created", str(second))]
    assert items[0]["changed_at"].endswith("Z")  # as every other instant
    assert items[0]["resource"] == (await client.get(f"/api/v1/resources/{first}")).json()
    assert await mirror.read(cursor) == ([], cursor, True)
    await shelf.publish("1", title="Uno")
    await shelf.withdraw(second, first)
    items, cursor, _ = await mirror.read(cursor)
    assert [(item["kind"], item["id"]) for item in items] == [("updated", str(first)), ("deleted", str(second))]
    assert items[0]["resource"]["title"] == "Uno"
    assert (items[1]["resource"], items[1]["successor"]) == (None, str(first))
    await shelf.publish("2", title="Two again")
    items, cursor, _ = await mirror.read(cursor)
    assert [(item["kind"], item["id"], item["successor"]) for item in items] == [("created", str(second), None)]
    everything, _, _ = await mirror.read()
    assert {item["id"] for item in everything} == {str(first), str(second)}
    assert str(draft) not in str(everything)


async def test_rendering_anew_is_no_change(mirror: Mirror, shelf: Shelf) -> None:
    id_ = await shelf.publish()
    _, cursor, _ = await mirror.read()
    await service.reindex_batch(shelf.session, after=None)
    await shelf.session.commit()
    await shelf.session.execute(text("update published_resources set etag = 'x', trust_score = 0"))
    await shelf.session.commit()
    assert (await mirror.read(cursor))[0] == []
    await shelf.session.execute(text("delete from resources where id = :id"), {"id": id_})
    await shelf.session.commit()
    assert (await mirror.read())[0] == []


async def test_pages_have_no_gap(mirror: Mirror, shelf: Shelf) -> None:
    ids = [str(await shelf.publish(str(number))) for number in range(5)]
    seen, cursor = [], None
    while True:
        items, cursor, is_current = await mirror.read(cursor, limit=2)
        seen += [item["id"] for item in items]
        if is_current:
            break
    assert seen == ids


async def test_what_commits_late_is_not_passed_over(mirror: Mirror, shelf: Shelf, sql: asyncpg.Connection) -> None:
    """A transaction that began first and commits last would be older than a cursor given out in between."""
    slow = await shelf.publish("1")
    _, cursor, _ = await mirror.read()
    late = sql.transaction()
    await late.start()
    await sql.execute("update published_resources set updated_at = now() + interval '1 s' where id = $1", slow)
    quick = await shelf.publish("2")
    items, between, _ = await mirror.read(cursor, wait=False)
    assert items == []
    await late.commit()
    items, _, _ = await mirror.read(between)
    assert [item["id"] for item in items] == [str(slow), str(quick)]


async def test_a_foreign_cursor_is_refused(client: httpx.AsyncClient, shelf: Shelf) -> None:
    await shelf.publish("1")
    await shelf.publish("2")
    page = (await client.get("/api/v1/resources?limit=1")).json()
    for cursor in ("AAAA", page["next_cursor"]):
        answer = await client.get("/api/v1/resources/changes", params={"since": cursor})
        assert (answer.status_code, answer.json()["type"]) == (400, "invalid-cursor")


async def test_a_directory_that_was_moved_is_numbered_anew(
    mirror: Mirror, shelf: Shelf, sql: asyncpg.Connection
) -> None:
    """Numbers of the other server lie ahead: a mirror that kept its cursor would miss what follows."""
    id_ = str(await shelf.publish())
    await sql.execute("update published_changes set changed_in = changed_in + 1000000000")
    number = await sql.fetchval("select changed_in from published_changes")
    signed = mirror.cursors.encode([number, id_], query="changes")
    await service.remove_strays(shelf.session)
    await shelf.session.commit()
    assert [item["id"] for item in (await mirror.read())[0]] == [id_]
    answer = await mirror.client.get("/api/v1/resources/changes", params={"since": signed})
    assert (answer.status_code, answer.json()["type"]) == (400, "invalid-cursor")
