"""One database lent to one test after another, as new each time: emptying one costs a third of making one."""

import io
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
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
SIZE = "select pg_database_size(current_database())"
TABLES = "select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace order by relname"
SEQUENCES = "select relname from pg_class where relkind = 'S' and relnamespace = 'public'::regnamespace"
ALWAYS = "select tgrelid::regclass::text, tgname from pg_trigger where tgenabled = 'A'"
LEAVE = "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = $1 and pid <> $2"
MOST_GROWTH_BYTES = 16_000_000  # what is deleted still takes room, and time


def copy_home(made: Path, home: Path) -> EmbeddedPostgres:
    """Another home with the cluster of a server that has stopped: copying one takes a tenth of making one."""
    subprocess.run(["cp", "-a", made, home], check=True)
    return EmbeddedPostgres(home)


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


@dataclass(frozen=True)
class _Kept:
    """A database that is lent, with a connection that stays: a new one would read every catalog anew."""

    name: str
    connection: asyncpg.Connection
    new: _New


class Lender:
    """Clones templates, and lends the clone that it has until a test has changed its shape.

    None is dropped before the end: for a minute ext4 looks at each deleted file again whenever one is made,
    and a clone has six hundred.
    """

    def __init__(self, server: EmbeddedPostgres, owner: asyncpg.Connection, template: str) -> None:
        self._server = server
        self._owner = owner
        self._template = template
        self._kept: dict[str, _Kept] = {}
        self._lent: dict[str, _Kept] = {}
        self._made: list[str] = []

    async def own(self, template: str | None = None) -> str:
        """A database that nobody else gets: for programs, which may outlive their test, and for many tests at once."""
        name = f"test_{uuid4().hex[:12]}"
        await self._owner.execute(
            f'create database "{name}" template "{template or self._template}" strategy file_copy'
        )
        self._made.append(name)
        return name

    @asynccontextmanager
    async def lent(self, template: str | None = None) -> AsyncIterator[str]:
        """A database as new; whoever still uses it afterwards is put out."""
        template = template or self._template
        kept = self._kept.pop(template, None) or await self._keep(await self.own(template))
        self._lent[kept.name] = kept
        yield kept.name
        del self._lent[kept.name]
        await self._owner.fetch(LEAVE, kept.name, kept.connection.get_server_pid())
        if renewed := await _renew(kept.connection, kept.new):
            self._kept[template] = replace(kept, new=renewed)
        else:
            kept.connection.terminate()

    @asynccontextmanager
    async def connection(self, name: str) -> AsyncIterator[asyncpg.Connection]:
        """The owner's connection to a database; where it is lent, the one that stays."""
        if kept := self._lent.get(name):
            yield kept.connection
        else:
            connection = await asyncpg.connect(self._server.owner_url(name))
            yield connection
            await connection.close()

    async def close(self) -> None:
        """Drop every database that was made."""
        for kept in self._kept.values():
            kept.connection.terminate()
        for name in self._made:
            await self._owner.execute(f'drop database if exists "{name}" with (force)')

    async def _keep(self, name: str) -> _Kept:
        connection = await asyncpg.connect(self._server.owner_url(name))
        return _Kept(name, connection, await _look_at_new(connection))


async def _renew(connection: asyncpg.Connection, new: _New) -> _New | None:
    """Make a database as new; None when more than rows and sequences has changed."""
    try:
        await connection.reset()
        await connection.execute("discard temp")
        grown = await connection.fetchval(SIZE) - new.size
        if grown > MOST_GROWTH_BYTES or await connection.fetchrow(SHAPE) != new.shape:
            return None
        return await _restore(connection, new)
    except (asyncpg.PostgresError, asyncpg.InterfaceError):  # a test has put out this connection too
        return None


async def _restore(connection: asyncpg.Connection, new: _New) -> _New:
    found = await connection.fetchrow(new.look)
    changed = [table for table, state in found.items() if state and state != new.states.get(table)]
    async with connection.transaction():
        await connection.execute("set local session_replication_role = replica")  # neither triggers nor keys
        for table in changed:
            await _refill(connection, table, new)
        for sequence, (value, called) in new.sequences.items():
            await connection.execute(f"select setval('{sequence}', {value}, {called})")
    return await _look_again(connection, new) if changed else new


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
    size = await connection.fetchval(SIZE)
    return await _look_again(connection, _New((), size, filled, "select " + ", ".join(look), {}, sequences, always))


async def _look_again(connection: asyncpg.Connection, new: _New) -> _New:
    """As before, but for the numbers of the transactions that have restored it."""
    found = await connection.fetchrow(new.look)
    return replace(new, shape=await connection.fetchrow(SHAPE), states={table: found[table] for table in new.filled})
