"""The one session, and the one place a transaction ends."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import asyncpg
from fastapi import Depends, Request
from sqlalchemy import URL, AdaptedConnection, Dialect, QueuePool, Result, Select, TextualSelect, event, text
from sqlalchemy.exc import DisconnectionError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlmodel.ext.asyncio.session import AsyncSession as SQLModelSession

from vibe4vets.core.config import DRIVER, DatabaseSettings, Settings

_NOTHING = text("select")
_DIALECT: Dialect = URL.create(DRIVER).get_dialect()()
_CLOSE_PATIENCE_SECONDS = 0.15
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class NoDatabaseError(RuntimeError):
    """No database URL is known: neither set nor given by the embedded server."""

    def __init__(self) -> None:
        super().__init__("DATABASE_URL is not set; `vibe4vets serve` starts an embedded server when it is not.")


if TYPE_CHECKING:
    _Connection = asyncpg.Connection[asyncpg.Record]
else:
    _Connection = asyncpg.Connection


class ImpatientConnection(_Connection):
    """Closes soon: SQLAlchemy waits 2 s for the goodbye of a server that hangs, and the answer with it."""

    async def close(self, *, timeout: float | None = None) -> None:  # noqa: ARG002, ASYNC109  the driver's signature
        """Close, long enough for a server that lives to learn that its statement is cancelled."""
        await super().close(timeout=_CLOSE_PATIENCE_SECONDS)


class Row(asyncpg.Record):
    """A row of the driver's whose columns are attributes, as SQLAlchemy's are."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  a column of any type
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


class Statement:
    """A SELECT with named parameters, compiled once: the driver runs it without SQLAlchemy's cost per request."""

    def __init__(self, select: Select[Any] | TextualSelect) -> None:
        self.select = select
        compiled = select.compile(dialect=_DIALECT)
        self.sql = str(compiled)
        self._names = compiled.positiontup or []
        self._defaults = dict(compiled.params)

    def arguments(self, values: Mapping[str, Any]) -> list[Any]:
        """What stands for $1, $2 ... when the parameters have `values`."""
        return [values[name] if name in values else self._defaults[name] for name in self._names]


class Session(SQLModelSession):
    """The session that every domain shares: `exec` for models, `execute` for Core statements and SQL text."""

    execute = AsyncSession.execute  # SQLModel deprecates it, for whoever expects models and gets rows
    published: "PublishedPool | None" = None
    """Set on the session of a public read: `rows` goes this shorter way."""

    async def rows(self, statement: Statement, values: Mapping[str, Any]) -> Sequence[Any]:
        """Every row of `statement`; on a public read by the driver alone, which takes half the time."""
        if self.published is not None:
            return await self.published.fetch(statement.sql, statement.arguments(values))
        result: Result[Any] = await self.execute(statement.select, dict(values))
        return result.all()

    async def fetch(self, sql: str, arguments: Sequence[Any]) -> Sequence[Any]:
        """Every row of a SELECT written as text for the driver, with $1, $2 ... for the `arguments`."""
        if self.published is not None:
            return await self.published.fetch(sql, arguments)
        raw = await (await self.connection()).get_raw_connection()
        driver: Any = raw.driver_connection
        rows: Sequence[Any] = await driver.fetch(sql, *arguments, record_class=Row)
        return rows


class PublishedPool:
    """The driver's connections for public reads, perhaps to a replica. Each statement is a transaction."""

    def __init__(self, url: URL, limits: DatabaseSettings) -> None:
        self._wait = limits.pool_wait.total_seconds()
        _, options = _DIALECT.create_connect_args(url)
        self._pool = asyncpg.create_pool(
            **options,
            **_published_options(limits),
            min_size=0,  # the service starts with the database down
            max_size=limits.read_pool_size,
            record_class=Row,
            reset=_keep,
        )

    async def open(self) -> None:
        """Make the pool ready; no connection is opened before the first use."""
        await self._pool

    async def close(self) -> None:
        """Close every connection."""
        await self._pool.close()

    def usage(self) -> tuple[int, int]:
        """How many connections are open, and how many of them in use."""
        return self._pool.get_size(), self._pool.get_size() - self._pool.get_idle_size()

    async def fetch(self, sql: str, arguments: Sequence[Any]) -> Sequence[Any]:
        """Every row of one statement; TimeoutError when no connection is free in time."""
        connection = await self._pool.acquire(timeout=self._wait)
        try:
            rows: Sequence[Any] = await connection.fetch(sql, *arguments)
        finally:
            await self._pool.release(connection, timeout=_CLOSE_PATIENCE_SECONDS)
        return rows


async def _keep(_connection: object) -> None:
    """Leave the connection as it is: a single SELECT changes nothing that the next one would see."""


@dataclass(frozen=True)
class Database:
    """The connections of one process. `reads` commits by itself; `published` may go to a replica."""

    writes: AsyncEngine
    reads: AsyncEngine
    published: PublishedPool

    @property
    def write_sessions(self) -> async_sessionmaker[Session]:
        return async_sessionmaker(self.writes, class_=Session, expire_on_commit=False)

    def usage(self) -> dict[str, tuple[int, int]]:
        """Of each pool how many connections are open, and how many of them in use."""
        pools = {"writes": self.writes.pool, "reads": self.reads.pool}
        counted = {
            name: (pool.checkedin() + pool.checkedout(), pool.checkedout())
            for name, pool in pools.items()
            if isinstance(pool, QueuePool)
        }
        return counted | {"published": self.published.usage()}

    async def dispose(self) -> None:
        """Close every connection."""
        await self.published.close()
        for engine in (self.writes, self.reads):
            await engine.dispose()


async def connect(settings: Settings, *, statement_timeout: timedelta | None = None) -> Database:
    """Make the engines and the pool; no connection is opened before the first use.

    `statement_timeout` is for work without a reader; requests have the one of the settings.
    """
    if settings.database_url is None:
        raise NoDatabaseError
    limits = settings.database
    url, size, timeout = settings.database_url, limits.pool_size, statement_timeout
    writes = make_engine(url, limits, pool_size=size, statement_timeout=timeout)
    reads = make_engine(url, limits, pool_size=size, autocommit=True, statement_timeout=timeout)
    published = PublishedPool(settings.database_replica_url or settings.database_url, limits)
    await published.open()
    return Database(writes, reads, published)


def make_engine(
    url: URL,
    limits: DatabaseSettings,
    *,
    pool_size: int = 2,
    autocommit: bool = False,
    statement_timeout: timedelta | None = None,
) -> AsyncEngine:
    """An engine whose every session has the time limits of row I9; `autocommit` sends no BEGIN."""
    engine = create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=limits.pool_wait.total_seconds(),
        connect_args=_connect_options(limits, statement_timeout or limits.statement_timeout),
        isolation_level="AUTOCOMMIT" if autocommit else "READ COMMITTED",
        pool_reset_on_return=None if autocommit else "rollback",
    )
    event.listen(engine.sync_engine, "checkout", _refuse_closed)
    return engine


def make_pool(url: URL, limits: DatabaseSettings, *, size: int) -> "asyncpg.Pool[asyncpg.Record]":
    """The driver's own pool with the time limits of row I9, for the queue; await it to open it."""
    _, options = _DIALECT.create_connect_args(url)
    return asyncpg.create_pool(
        **options, **_connect_options(limits, limits.statement_timeout), min_size=0, max_size=size
    )


async def dedicated_connection(url: URL, limits: DatabaseSettings) -> "asyncpg.Connection[asyncpg.Record]":
    """A connection outside every pool, for whoever listens; it has the time limits of any other."""
    _, options = _DIALECT.create_connect_args(url)
    connection: asyncpg.Connection[asyncpg.Record] = await asyncpg.connect(
        **options, **_connect_options(limits, limits.statement_timeout)
    )
    return connection


def _connect_options(limits: DatabaseSettings, statement_timeout: timedelta) -> dict[str, Any]:
    return {
        "connection_class": ImpatientConnection,
        "timeout": limits.connect_timeout.total_seconds(),
        # a server that hangs enforces no timeout of its own
        "command_timeout": statement_timeout.total_seconds() + 0.5,
        "server_settings": {
            "application_name": "vibe4vets",
            "timezone": "UTC",
            "jit": "off",  # compiling costs more than any of our statements runs
            # a plan made for unknown values reads the whole table for a rare word or a small state
            "plan_cache_mode": "force_custom_plan",
            "statement_timeout": _milliseconds(statement_timeout),
            "lock_timeout": _milliseconds(limits.lock_timeout),
            "idle_in_transaction_session_timeout": _milliseconds(limits.idle_in_transaction_timeout),
        },
    }


def _published_options(limits: DatabaseSettings) -> dict[str, Any]:
    """As any other, but for the planner: under a LIMIT it would read a table on and on where matches are scarce."""
    options = _connect_options(limits, limits.statement_timeout)
    return {**options, "server_settings": {**options["server_settings"], "enable_seqscan": "off"}}


def _milliseconds(span: timedelta) -> str:
    return str(int(span.total_seconds() * 1000))


def _refuse_closed(connection: AdaptedConnection, _record: object, _proxy: object) -> None:
    """After a restart of the server every pooled connection is dead, and asyncpg knows: reconnect at once."""
    if connection.driver_connection.is_closed():
        raise DisconnectionError


async def get_database(request: Request) -> Database:
    """The connections themselves, for work that must not hold one while it waits for something else."""
    database: Database = request.app.state.database
    return database


async def get_session(request: Request) -> AsyncGenerator[Session]:
    """One request, one transaction: committed before the response leaves, rolled back on any error.

    A safe method reads on autocommit instead, without the round trips of BEGIN and ROLLBACK; a public read
    of what is published has the driver's own pool, to the replica when one is configured.
    """
    database: Database = request.app.state.database
    if request.method not in SAFE_METHODS:
        async with database.write_sessions.begin() as session:
            yield session
        return
    async with Session(database.reads, expire_on_commit=False) as session:
        if getattr(request.scope.get("route"), "is_public", False):
            session.published = database.published
        yield session


# scope="function" is load-bearing: the default commits after the client has its 201.
SessionDep = Annotated[Session, Depends(get_session, scope="function")]
DatabaseDep = Annotated[Database, Depends(get_database)]


@asynccontextmanager
async def own_transaction(database: Database) -> AsyncIterator[Session]:
    """A transaction apart from the request's, for facts that must outlive its rollback."""
    async with database.write_sessions.begin() as session:
        yield session


async def copy_rows(session: Session, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    """COPY `rows` into `table` within the transaction of `session`."""
    if not rows:
        return
    # SQLAlchemy sends BEGIN with its first statement; COPY goes past it, and would be a transaction of its own
    await session.execute(_NOTHING)
    raw = await (await session.connection()).get_raw_connection()
    driver: Any = raw.driver_connection
    await driver.copy_records_to_table(table, columns=columns, records=rows)


def violates(error: IntegrityError, *constraints: str) -> bool:
    """Whether `error` was raised by one of the named constraints or unique indexes."""
    cause = getattr(error.orig, "__cause__", None)
    return getattr(cause, "constraint_name", None) in constraints
