"""The search rows of a large directory are brought together by region; searches go on, and nothing else changes."""

import asyncio
from typing import Any

import asyncpg
import httpx
import pytest

from vibe4vets.core.database import Session
from vibe4vets.resources import service
from vibe4vets.resources.service.search import weights

GROW = "update search_state set resources = $1, vocabulary = gen_random_uuid()"
SCRAMBLE = [
    "create table scrambled as select * from search_rows order by md5(id::text)",
    "delete from search_rows",
    "insert into search_rows select * from scrambled",
    "drop table scrambled",
    "analyze search_rows",
]
REGIONS = "select array_agg(region order by ctid) from search_rows"
CATALOG = """
select array(select pg_get_indexdef(indexrelid) from pg_index where indrelid = t.oid order by 1) as indexes,
  array(select pg_get_constraintdef(oid) || conname from pg_constraint where conrelid = t.oid order by 1) as checks,
  array(select pg_get_triggerdef(oid) from pg_trigger where tgrelid = t.oid order by 1) as triggers,
  array(select (attname, format_type(atttypid, atttypmod), attcollation, attnotnull, attstorage)::text
    from pg_attribute where attrelid = t.oid and attnum > 0 order by attnum) as columns,
  array(select acl::text from aclexplode(relacl) acl order by 1) as rights, reloptions, relowner
from pg_class t where t.oid = 'search_rows'::regclass
"""
CORRELATION = "select correlation from pg_stats where tablename = 'search_rows' and attname = 'region'"
SAMPLE = "select array_agg((s.*)::text order by id) from search_sample s"
OUGHT = "select array_agg((s.*)::text order by id) from search_rows s where get_byte(uuid_send(id), 15) % 32 = 0"


async def ask(client: httpx.AsyncClient, q: str) -> list[Any]:
    answer = await client.get("/api/v1/search", params={"q": q})
    assert answer.status_code == 200, answer.text
    return [hit["resource"]["id"] for hit in answer.json()["items"]]


@pytest.fixture
async def scrambled(sql: asyncpg.Connection) -> asyncpg.Connection:
    """A directory that is taken for a large one, whose rows lie anyhow."""
    for statement in SCRAMBLE:
        await sql.execute(statement)
    await sql.execute(GROW, weights.SAMPLED_FROM)
    return sql


async def test_rows_of_a_region_come_together(
    client: httpx.AsyncClient, session: Session, scrambled: asyncpg.Connection
) -> None:
    sql = scrambled
    catalog, regions, found = await sql.fetchrow(CATALOG), await sql.fetchval(REGIONS), await ask(client, "housing")
    assert regions != sorted(regions)
    await service.order_rows(session)
    await session.commit()
    ordered = await sql.fetchval(REGIONS)
    assert sorted(ordered) == sorted(regions)
    assert ordered[-1] == "~"
    assert await sql.fetchval(CORRELATION) > 0.9  # not 1: a row may go where an earlier page has room
    assert await sql.fetchrow(CATALOG) == catalog
    assert await ask(client, "housing") == found
    place = await sql.fetchval("select 'search_rows'::regclass::oid")
    await service.order_rows(session)
    assert await sql.fetchval("select 'search_rows'::regclass::oid") == place, "ordered rows were ordered again"


async def test_searches_go_on_meanwhile(
    client: httpx.AsyncClient, session: Session, scrambled: asyncpg.Connection
) -> None:
    is_done = asyncio.Event()
    place = await scrambled.fetchval("select 'search_rows'::regclass::oid")

    async def search_on() -> int:
        asked = 0
        while not is_done.is_set():
            await ask(client, f"housing {asked % 7}")
            asked += 1
        return asked

    async with asyncio.TaskGroup() as group:
        searchers = [group.create_task(search_on()) for _ in range(4)]
        for _ in range(3):
            for statement in SCRAMBLE:
                await scrambled.execute(statement)
            await service.order_rows(session)
            await session.commit()
        is_done.set()
    assert all(searcher.result() > 3 for searcher in searchers)
    assert await scrambled.fetchval("select 'search_rows'::regclass::oid") != place


async def test_a_small_directory_keeps_its_rows(session: Session, scrambled: asyncpg.Connection) -> None:
    regions = await scrambled.fetchval(REGIONS)
    await scrambled.execute(GROW, weights.SAMPLED_FROM - 1)
    await service.order_rows(session)
    await session.commit()
    assert await scrambled.fetchval(REGIONS) == regions


async def test_the_sample_follows_its_rows(session: Session, scrambled: asyncpg.Connection) -> None:
    sql = scrambled
    rows, sampled = await sql.fetchval("select count(*) from search_rows"), len(await sql.fetchval(SAMPLE))
    assert rows / 100 < sampled < rows / 10
    await service.order_rows(session)
    await session.commit()
    for change in (
        "update search_rows set title = title || ' too'",
        "delete from search_rows where id = (select min(id::text)::uuid from search_sample)",
        "delete from published_resources where id = (select max(id::text)::uuid from search_sample)",
    ):
        await sql.execute(change)
        assert await sql.fetchval(SAMPLE) == await sql.fetchval(OUGHT), change
    assert len(await sql.fetchval(SAMPLE)) == sampled - 2
