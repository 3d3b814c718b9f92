"""The one session, and the one place a transaction ends."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import asyncpg
from fastapi import Depends, Request
from sqlalchemy import URL, AdaptedConnection, event, text
from sqlalchemy.exc import DisconnectionError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlmodel.ext.asyncio.session import AsyncSession as SQLModelSession

from vibe4vets.core.config import DatabaseSettings, Settings

_NOTHING = text("select")
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


class Session(SQLModelSession):
    """The session that every domain shares: `exec` for models, `execute` for Core statements and SQL text."""

    execute = AsyncSession.execute  # SQLModel deprecates it, for whoever expects models and gets rows


@dataclass(frozen=True)
class Database:
    """The engines of one process. `reads` commits by itself; `directory` may be a replica."""

    writes: AsyncEngine
    reads: AsyncEngine
    directory: AsyncEngine

    @property
    def write_sessions(self) -> async_sessionmaker[Session]:
        return async_sessionmaker(self.writes, class_=Session, expire_on_commit=False)

    async def dispose(self) -> None:
        """Close every connection."""
        for engine in {self.writes, self.reads, self.directory}:
            await engine.dispose()


def connect(settings: Settings) -> Database:
    """Make the engines; no connection is opened before the first use."""
    if settings.database_url is None:
        raise NoDatabaseError
    limits = settings.database
    writes = make_engine(settings.database_url, limits, pool_size=limits.pool_size)
    reads = make_engine(settings.database_url, limits, pool_size=limits.read_pool_size, autocommit=True)
    directory = (
        make_engine(settings.database_replica_url, limits, pool_size=limits.read_pool_size, autocommit=True)
        if settings.database_replica_url
        else reads
    )
    return Database(writes, reads, directory)


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
        connect_args={
            "connection_class": ImpatientConnection,
            "timeout": limits.connect_timeout.total_seconds(),
            # a server that hangs enforces no timeout of its own
            "command_timeout": (statement_timeout or limits.statement_timeout).total_seconds() + 0.5,
            "server_settings": {
                "application_name": "vibe4vets",
                "timezone": "UTC",
                "jit": "off",  # compiling costs more than any of our statements runs
                "statement_timeout": _milliseconds(statement_timeout or limits.statement_timeout),
                "lock_timeout": _milliseconds(limits.lock_timeout),
                "idle_in_transaction_session_timeout": _milliseconds(limits.idle_in_transaction_timeout),
            },
        },
        isolation_level="AUTOCOMMIT" if autocommit else "READ COMMITTED",
        pool_reset_on_return=None if autocommit else "rollback",
    )
    event.listen(engine.sync_engine, "checkout", _refuse_closed)
    return engine


def _milliseconds(span: timedelta) -> str:
    return str(int(span.total_seconds() * 1000))


def _refuse_closed(connection: AdaptedConnection, _record: object, _proxy: object) -> None:
    """After a restart of the server every pooled connection is dead, and asyncpg knows: reconnect at once."""
    if connection.driver_connection.is_closed():
        raise DisconnectionError


async def get_session(request: Request) -> AsyncGenerator[Session]:
    """One request, one transaction: committed before the response leaves, rolled back on any error.

    A safe method reads on autocommit instead, without the round trips of BEGIN and ROLLBACK; a public read
    of what is published goes to the replica when one is configured.
    """
    database: Database = request.app.state.database
    if request.method not in SAFE_METHODS:
        async with database.write_sessions.begin() as session:
            yield session
        return
    engine = database.directory if getattr(request.scope.get("route"), "is_public", False) else database.reads
    async with Session(engine, expire_on_commit=False) as session:
        yield session


# scope="function" is load-bearing: the default commits after the client has its 201.
SessionDep = Annotated[Session, Depends(get_session, scope="function")]


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
