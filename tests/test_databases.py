"""A database that tests are lent one after another is as new for each."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from tests.databases import Lender
from vibe4vets.core.embedded import EmbeddedPostgres


@pytest.fixture
async def own_lender(server: EmbeddedPostgres, owner: asyncpg.Connection, empty_template: str) -> AsyncIterator[Lender]:
    """One whose databases no other test has had, nor left traces in."""
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
    assert len(set(lent)) < len(lent)  # lent again; in a long run one was seen to be thrown away between two loans


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
    own = await own_lender.own()
    async with own_lender.lent() as first:
        assert first != own
    async with own_lender.lent() as again:
        assert again == first


async def test_the_connection_that_stays_is_as_new(own_lender: Lender) -> None:
    async with own_lender.lent() as first, own_lender.connection(first) as connection:
        pid = connection.get_server_pid()
        await connection.execute("create temp table mine (id int); set work_mem = '1MB'; begin")
        await connection.execute("select pg_advisory_lock(7); select from sources for update")
    async with own_lender.lent() as again, own_lender.connection(again) as connection:
        assert (again, connection.get_server_pid()) == (first, pid)
        assert not connection.is_in_transaction()
        assert await connection.fetchval("show work_mem") != "1MB"
        assert await connection.fetchval("select to_regclass('mine')") is None
        assert (
            await connection.fetchval(
                "select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()"
            )
            == 0
        )


async def test_a_connection_that_is_put_out_takes_its_database_with_it(own_lender: Lender) -> None:
    async with own_lender.lent() as first, own_lender.connection(first) as connection:
        with pytest.raises(asyncpg.PostgresError):
            await connection.execute("select pg_terminate_backend(pg_backend_pid())")
    async with own_lender.lent() as second, own_lender.connection(second) as connection:
        assert second != first
        assert await connection.fetchval("select 1") == 1


async def test_each_template_is_lent_apart(own_lender: Lender, starter_template: str) -> None:
    resources = "select count(*) from resources"
    for turn in range(2):
        async with (
            own_lender.lent() as empty,
            own_lender.lent(starter_template) as full,
            own_lender.connection(empty) as one,
            own_lender.connection(full) as other,
        ):
            assert (await one.fetchval(resources), await other.fetchval(resources) > 1000) == (0, True), turn
            await other.execute("delete from published_resources")
