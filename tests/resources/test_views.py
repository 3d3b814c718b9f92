"""Readings are counted by resource and day, and by nothing else."""

from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy.exc import DBAPIError

from tests.resources.conftest import Shelf
from vibe4vets.core.database import Session, own_transaction
from vibe4vets.resources import service


async def stored(sql: asyncpg.Connection) -> dict[UUID, int]:
    return {row["resource_id"]: row["views"] for row in await sql.fetch("select * from resource_views")}


async def test_a_reading_counts_once_it_is_stored(
    app: FastAPI, client: httpx.AsyncClient, shelf: Shelf, sql: asyncpg.Connection
) -> None:
    shown, draft = await shelf.publish("1"), await shelf.put("2")
    for id_ in (shown, shown, draft, uuid4()):
        await client.get(f"/api/v1/resources/{id_}")
    await client.get("/api/v1/resources")
    assert await stored(sql) == {}
    for _ in range(2):  # the second finds nothing new
        async with own_transaction(app.state.database) as session:
            await app.state.views.store(session)
        assert await stored(sql) == {shown: 2}
    await client.get(f"/api/v1/resources/{shown}")
    async with own_transaction(app.state.database) as session:
        await app.state.views.store(session)
    assert await stored(sql) == {shown: 3}
    columns = "select column_name from information_schema.columns where table_name = 'resource_views'"
    assert {row[0] for row in await sql.fetch(columns)} == {"resource_id", "day", "views"}


async def test_memory_is_bounded_and_a_failure_loses_nothing(
    app: FastAPI, shelf: Shelf, sql: asyncpg.Connection
) -> None:
    first, second = await shelf.publish("1"), await shelf.publish("2")
    views = service.Views(most=2)
    for id_ in (uuid4(), first, second, first):  # one that was purged meanwhile; the second is one too many
        views.count(id_)
    async with Session(app.state.database.reads) as session:
        await sql.execute("alter table resource_views rename to hidden")
        with pytest.raises(DBAPIError):
            await views.store(session)
        await sql.execute("alter table hidden rename to resource_views")
    views.count(first)
    async with own_transaction(app.state.database) as session:
        await views.store(session)
    assert await stored(sql) == {first: 3}


async def test_old_days_are_forgotten(app: FastAPI, shelf: Shelf, sql: asyncpg.Connection) -> None:
    id_ = await shelf.publish()
    today = "cast(now() at time zone 'UTC' as date)"
    await sql.execute(f"insert into resource_views select $1, {today} - n, 1 from generate_series(0, 40) n", id_)
    async with own_transaction(app.state.database) as session:
        await service.forget_views(session)
    assert await sql.fetchval("select count(*) from resource_views") == 30
