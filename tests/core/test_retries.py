"""A transaction that loses a deadlock is tried again, and not for ever (row H8)."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from vibe4vets.core.database import Database, Session
from vibe4vets.core.errors import to_app_error
from vibe4vets.core.retries import MOST_RETRIES, in_transaction

ADD = text("update counts set count = count + 1 where name = :name")
GIVE_UP = "do $$ begin raise exception 'gave up' using errcode = '{}'; end $$"


@pytest.fixture
async def store(app: FastAPI, sql: asyncpg.Connection) -> AsyncIterator[Database]:
    await sql.execute("create table counts (name text primary key, count int not null)")
    await sql.execute("insert into counts values ('a', 0), ('b', 0)")
    await sql.execute("grant select, update on counts to public")
    yield app.state.database
    await sql.execute("drop table counts")  # the database is lent on


async def test_both_of_a_deadlock_get_through(store: Database, sql: asyncpg.Connection) -> None:
    """Each has what the other wants, which is made certain the first time."""
    both_began = asyncio.Barrier(2)
    tries = []

    async def add(session: Session, first: str, second: str) -> None:
        tries.append(first)
        await session.execute(ADD, {"name": first})
        if len(tries) <= both_began.parties:
            await both_began.wait()
        await session.execute(ADD, {"name": second})

    await asyncio.gather(
        in_transaction(store, lambda session: add(session, "a", "b")),
        in_transaction(store, lambda session: add(session, "b", "a")),
    )
    assert len(tries) >= 3, "one was chosen to lose"
    assert [row[0] for row in await sql.fetch("select count from counts")] == [2, 2]


@pytest.mark.parametrize(("state", "tries"), [("40P01", MOST_RETRIES + 1), ("40001", MOST_RETRIES + 1), ("22012", 1)])
async def test_it_ends(store: Database, sql: asyncpg.Connection, state: str, tries: int) -> None:
    done = []

    async def fail(session: Session) -> None:
        done.append(await session.execute(ADD, {"name": "a"}))
        await session.execute(text(GIVE_UP.format(state)))

    with pytest.raises(DBAPIError) as failed:
        await in_transaction(store, fail)
    assert len(done) == tries
    assert (to_app_error(failed.value).status == 503) == (tries > 1)
    assert await sql.fetchval("select sum(count) from counts") == 0


async def test_what_was_done_is_returned(store: Database) -> None:
    async def read(session: Session) -> int:
        return int((await session.execute(text("select count(*) from counts"))).scalar_one())

    assert await in_transaction(store, read) == 2
