"""A database that tests are lent one after another is as new for each."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from tests.databases import Lender
from vibe4vets.core.embedded import EmbeddedPostgres


@pytest.fixture
async def own_lender(server: EmbeddedPostgres, owner: asyncpg.Connection, empty_template: str) -> AsyncIterator[Lender]:
    """One whose database no other test has had."""
    lender = Lender(server, owner, empty_template)
    yield lender
    await lender.close()


async def contents(url: str) -> dict[str, list[str]]:
    """Every row of every table, and where each sequence stands."""
    connection = await asyncpg.connect(url)
    names = await connection.fetch(
        "select relname from pg_class where relkind in ('r', 'S') and relnamespace = 'public'::regnamespace"
    )
    found = {}
    for (name,) in names:
        columns = "last_value, is_called" if name.endswith("_seq") else "t::text"
        found[name] = sorted(str(tuple(row)) for row in await connection.fetch(f'select {columns} from "{name}" t'))
    await connection.close()
    return found


@pytest.mark.parametrize(
    "change",
    [
        "select",
        "insert into sources (slug, name, tier) values ('a', 'A', 1)",
        "insert into audit_events (actor_kind, action) values ('system', 'trial.made')",
        "select nextval('audit_events_sequence_seq')",
        "update taxonomy_terms set name = name || '!'",
        "delete from lexicon_entries",
        "update search_state set resources = 99",
    ],
)
async def test_rows_and_sequences_are_as_new(own_lender: Lender, server: EmbeddedPostgres, change: str) -> None:
    lent = []
    for turn in range(3):
        async with own_lender.lent() as name:
            lent.append(name)
            if turn == 0:
                new = await contents(server.owner_url(name))
            assert await contents(server.owner_url(name)) == new
            connection = await asyncpg.connect(server.owner_url(name))
            await connection.execute(change)
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)):  # whoever stays is put out
            await connection.fetch("select 1")
        connection.terminate()
    assert len(set(lent)) == 1


@pytest.mark.parametrize(
    "change",
    [
        "create table more (id int)",
        "alter table sources add more int",
        "alter table sources alter name drop not null",
        "alter table resources drop constraint ck_resources_scope",
        "drop index ix_audit_events_action",
        "drop trigger keep_an_admin on users",
        "alter table audit_events disable trigger refuse_change",
        "create or replace function queue_audit_event() returns trigger language plpgsql as 'begin return null; end'",
        "create schema more",
        "revoke insert on sources from vibe4vets_app",
        "alter database current set work_mem = '1MB'",
        "create extension tablefunc",
    ],
)
async def test_a_changed_shape_is_thrown_away(own_lender: Lender, server: EmbeddedPostgres, change: str) -> None:
    async with own_lender.lent() as first:
        connection = await asyncpg.connect(server.owner_url(first))
        await connection.execute(change.replace("current", f'"{first}"'))
        await connection.close()
    async with own_lender.lent() as second:
        assert second != first


async def test_programs_have_one_that_nobody_has_after(own_lender: Lender) -> None:
    async with own_lender.own() as first, own_lender.lent() as second:
        assert first != second
    async with own_lender.lent() as again:
        assert again == second
