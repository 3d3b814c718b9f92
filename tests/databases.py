"""One database lent to one test after another, as new each time: emptying one costs a third of making one."""

import io
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from uuid import uuid4

import asyncpg

from vibe4vets.core.embedded import EmbeddedPostgres

# What is no row of a table: definitions, settings, and that it is this database. A database where any of it has changed
# is thrown away. Planners' statistics, what VACUUM notes and tables of a session that has ended do not count.
CATALOGS = {
    "pg_class": "relnamespace = 'public'::regnamespace", "pg_attribute": "attrelid >= 16384",
    "pg_index": "indexrelid >= 16384", "pg_namespace": "nspname !~ '^pg_'", "pg_extension": "true",
    "pg_attrdef": "oid >= 16384", "pg_constraint": "oid >= 16384", "pg_event_trigger": "oid >= 16384",
    "pg_policy": "oid >= 16384", "pg_proc": "oid >= 16384", "pg_rewrite": "oid >= 16384",
    "pg_trigger": "oid >= 16384", "pg_type": "oid >= 16384",
}  # fmt: skip
LATEST = "array[count(*), max(xmin::text::bigint)]"
SHAPE = f"""
select (select array[oid::text, xmin::text] from pg_database where datname = current_database()),
       (select count(*) from pg_db_role_setting),
       {", ".join(f"(select {LATEST} from {catalog} where {which})" for catalog, which in CATALOGS.items())}
"""
TABLES = "select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace order by relname"
SEQUENCES = "select relname from pg_class where relkind = 'S' and relnamespace = 'public'::regnamespace"
ALWAYS = "select tgrelid::regclass::text, tgname from pg_trigger where tgenabled = 'A'"
LEAVE = "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = $1"
MOST_GROWTH_BYTES = 8_000_000  # what is deleted still takes room, and time


@dataclass(frozen=True)
class _New:
    """What a new database is like, and how to make it so again."""

    shape: Sequence[object]
    size: int
    filled: dict[str, bytes]  # the rows of tables that have some
    look: str  # one row: for each table whether it has rows, or for a filled one how many with which latest change
    states: dict[str, object]  # that of the filled ones
    sequences: dict[str, tuple[int, bool]]
    always: dict[str, list[str]]  # triggers that nothing but ALTER TABLE turns off


class Lender:
    """Makes clones of a template, and lends the one that it has until a test has changed its shape."""

    def __init__(self, server: EmbeddedPostgres, owner: asyncpg.Connection, template: str) -> None:
        self._server = server
        self._owner = owner
        self._template = template
        self._kept: tuple[str, _New] | None = None

    @asynccontextmanager
    async def own(self) -> AsyncIterator[str]:
        """A database that nobody has after: for programs, which may outlive the test by a moment."""
        name = f"test_{uuid4().hex[:12]}"
        await self._owner.execute(f'create database "{name}" template "{self._template}" strategy file_copy')
        yield name
        await self._drop(name)

    @asynccontextmanager
    async def lent(self) -> AsyncIterator[str]:
        """A database as new; whoever still uses it afterwards is put out."""
        if self._kept is None:
            name = f"test_{uuid4().hex[:12]}"
            await self._owner.execute(f'create database "{name}" template "{self._template}" strategy file_copy')
            connection = await asyncpg.connect(self._server.owner_url(name))
            self._kept = name, await _look_at_new(connection)
            await connection.close()
        (name, new), self._kept = self._kept, None
        yield name
        await self._owner.fetch(LEAVE, name)
        if renewed := await self._renew(name, new):
            self._kept = name, renewed
        else:
            await self._drop(name)

    async def close(self) -> None:
        """Throw away what is kept."""
        if self._kept is not None:
            (name, _), self._kept = self._kept, None
            await self._drop(name)

    async def _drop(self, name: str) -> None:
        await self._owner.execute(f'drop database if exists "{name}" with (force)')

    async def _renew(self, name: str, new: _New) -> _New | None:
        try:
            connection = await asyncpg.connect(self._server.owner_url(name))
        except asyncpg.PostgresError:  # a test has closed it
            return None
        try:
            grown = await connection.fetchval("select pg_database_size(current_database())") - new.size
            if grown > MOST_GROWTH_BYTES or await connection.fetchrow(SHAPE) != new.shape:
                return None
            found = await connection.fetchrow(new.look)
            changed = [table for table, state in found.items() if state and state != new.states.get(table)]
            async with connection.transaction():
                await connection.execute("set local session_replication_role = replica")  # neither triggers nor keys
                for table in changed:
                    await _refill(connection, table, new)
                for sequence, (value, called) in new.sequences.items():
                    await connection.execute(f"select setval('{sequence}', {value}, {called})")
            return await _look_again(connection, new) if changed else new
        finally:
            await connection.close()


async def _refill(connection: asyncpg.Connection, table: str, new: _New) -> None:
    for trigger in new.always.get(table, ()):
        await connection.execute(f'alter table "{table}" disable trigger "{trigger}"')
    await connection.execute(f'delete from "{table}"')
    for trigger in new.always.get(table, ()):
        await connection.execute(f'alter table "{table}" enable always trigger "{trigger}"')
    if table in new.filled:
        rows = io.BytesIO(new.filled[table])
        await connection.copy_to_table(table, source=rows, format="binary")


async def _look_at_new(connection: asyncpg.Connection) -> _New:
    look, filled = [], {}
    for (table,) in await connection.fetch(TABLES):
        if await connection.fetchval(f'select exists (select from "{table}")'):
            rows = io.BytesIO()
            await connection.copy_from_table(table, output=rows, format="binary")
            filled[table] = rows.getvalue()
            look.append(f'(select {LATEST} from "{table}") as "{table}"')
        else:
            look.append(f'exists (select from "{table}") as "{table}"')
    sequences = {
        name: tuple(await connection.fetchrow(f'select last_value, is_called from "{name}"'))
        for (name,) in await connection.fetch(SEQUENCES)
    }
    always: dict[str, list[str]] = {}
    for table, trigger in await connection.fetch(ALWAYS):
        always.setdefault(table, []).append(trigger)
    size = await connection.fetchval("select pg_database_size(current_database())")
    return await _look_again(connection, _New((), size, filled, "select " + ", ".join(look), {}, sequences, always))


async def _look_again(connection: asyncpg.Connection, new: _New) -> _New:
    """As before, but for the numbers of the transactions that have restored it."""
    found = await connection.fetchrow(new.look)
    return replace(new, shape=await connection.fetchrow(SHAPE), states={table: found[table] for table in new.filled})
