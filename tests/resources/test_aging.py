"""Trust ages without a change of its resource."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from tests.resources.conftest import Shelf
from vibe4vets.resources import service

YEAR_AGO = str((datetime.now(UTC) - timedelta(days=365)).date())
TRACES = (
    "select id, version, status, updated_at, verified_at from resources",
    "select resource_id, kind, changed_in, changed_at from published_changes",
    "select * from published_terms",
    "select resource_id, number from resource_revisions",
    "select id, updated_at, document_version, areas, open_hours, open_week, states from published_resources",
    "select * from search_rows",
    "select * from published_words",
    "select action from audit_events",
)
DAY_LATER = "update resources set as_of = as_of - 1, verified_at = verified_at - interval '1 day'"


async def traces(sql: asyncpg.Connection) -> list[Any]:
    """All that a change of a resource would leave somewhere."""
    found = [[tuple(row) for row in await sql.fetch(f"{query} order by 1")] for query in TRACES]
    assert [row[0] for row in found[0]] == [row[0] for row in found[4]], "the control: there is something"
    return found


async def test_only_the_trust_of_the_document_changes(
    app: FastAPI, client: httpx.AsyncClient, shelf: Shelf, sql: asyncpg.Connection
) -> None:
    id_ = await shelf.publish(title="Aging", as_of=YEAR_AGO)
    address = f"/api/v1/resources/{id_}"
    first = await client.get(address)
    await sql.execute(DAY_LATER)  # a day has gone by
    before = await traces(sql)
    assert await service.refresh_trust(app.state.database) == 1
    assert await traces(sql) == before
    second = await client.get(address)
    assert second.json().pop("trust") != first.json().pop("trust")
    assert {**second.json(), "trust": None} == {**first.json(), "trust": None}
    assert second.headers["etag"] != first.headers["etag"]
    assert second.json()["trust"]["score"] == pytest.approx(0.5 * 2 ** (-1 / 365), abs=1e-3)
    assert await service.refresh_trust(app.state.database) == 0, "what is up to date is passed over"


async def test_it_is_what_reindex_would_render(app: FastAPI, shelf: Shelf, sql: asyncpg.Connection) -> None:
    for number, as_of in enumerate((YEAR_AGO, "2025-01-01", "2001-01-01", None)):
        await shelf.publish(str(number), as_of=as_of)
    await sql.execute(DAY_LATER)
    await sql.execute("update resources set created_at = created_at - interval '2 days' where as_of is null")
    assert await service.refresh_trust(app.state.database) == 3, "the oldest lies at the floor already"
    rendered = "select id, document, etag, trust_score from published_resources order by id"
    standing = "select id, standing from published_names order by id"
    refreshed = await sql.fetch(rendered), await sql.fetch(standing)
    await service.reindex_batch(shelf.session, after=None)
    await shelf.session.commit()
    assert (await sql.fetch(rendered), await sql.fetch(standing)) == refreshed


async def test_more_than_a_batch_and_a_row_that_somebody_holds(
    app: FastAPI, shelf: Shelf, sql: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [await shelf.publish(str(number), as_of=YEAR_AGO) for number in range(5)]
    monkeypatch.setattr("vibe4vets.resources.service.aging._BATCH", 2)
    await sql.execute(DAY_LATER)
    async with sql.transaction():
        await sql.execute("select from resources where id = $1 for update", ids[2])
        async with asyncio.timeout(20):  # against a hang only
            assert await service.refresh_trust(app.state.database) == 4
    assert await service.refresh_trust(app.state.database) == 1
