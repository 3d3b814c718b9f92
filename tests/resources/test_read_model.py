"""The rows beside a published document: they come and go with it, and no index keeps words waiting."""

import asyncpg
import pytest

from tests.resources.conftest import Shelf

BESIDE = ("published_locations", "published_names", "search_rows")


async def counts(sql: asyncpg.Connection) -> list[int]:
    return [await sql.fetchval(f"select count(*) from {table}") for table in BESIDE]


async def test_they_go_with_the_document(shelf: Shelf, sql: asyncpg.Connection) -> None:
    placed = await shelf.publish("1", locations=[{"state": "OH", "latitude": 40.0, "longitude": -83.0}])
    other = await shelf.publish("2")
    assert await counts(sql) == [1, 2, 2]
    await shelf.withdraw(placed)
    assert await counts(sql) == [0, 1, 1]
    await sql.execute("delete from published_resources where id = $1", other)
    assert await counts(sql) == [0, 0, 0]


@pytest.mark.parametrize("index", ["ix_search_rows_words", "ix_published_names_words"])
async def test_no_word_waits_for_its_index(shelf: Shelf, sql: asyncpg.Connection, index: str) -> None:
    await shelf.publish(title="Housing")
    assert await sql.fetchval("select gin_clean_pending_list($1::text::regclass)", index) == 0
