"""A real PostgreSQL for every test: made by the migrations, cloned from a template, reached as the service does."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker

from vibe4vets.connectors.service import RunReport, run_source
from vibe4vets.connectors.sources.records import RecordFile
from vibe4vets.core.config import Settings
from vibe4vets.core.database import Session, make_engine
from vibe4vets.core.embedded import EmbeddedPostgres, default_home
from vibe4vets.core.migrations import upgrade
from vibe4vets.main import create_app

PROJECT = Path(__file__).resolve().parents[1]
STARTER = PROJECT / "src/vibe4vets/connectors/starter/directory.ndjson"
REAL_RECORDS = PROJECT.parent / "shared/data/veteran_resources.jsonl"
SECRET = "a secret for tests, of more than 32 characters"
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "200"}


@pytest.fixture(scope="session", autouse=True)
def environment() -> Iterator[None]:
    """No test reads the settings of whoever runs it."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(("VIBE4VETS_", "DATABASE_")):
                patch.delenv(name)
        yield


@pytest.fixture(scope="session")
def server() -> Iterator[EmbeddedPostgres]:
    """One server for every pytest-xdist worker; the last one to use it stops it."""
    home = default_home()
    with EmbeddedPostgres(home.with_name(f"{home.name}-tests"), FAST).running() as server:
        yield server


@pytest.fixture(scope="session")
async def owner(server: EmbeddedPostgres) -> AsyncIterator[asyncpg.Connection]:
    """The owner's connection, outside every test database."""
    connection = await asyncpg.connect(server.owner_url("postgres"))
    yield connection
    await connection.close()


async def _template(
    server: EmbeddedPostgres, owner: asyncpg.Connection, name: str, make: Callable[[str], Awaitable[None]]
) -> str:
    """Make a template database once, whichever worker comes first; it stays for the next run."""
    async with owner.transaction():
        await owner.execute("select pg_advisory_xact_lock(42)")
        known = await owner.fetchval("select 1 from pg_database where datname = $1", name)
    if known:
        return name
    lock = await asyncpg.connect(server.owner_url("postgres"))
    await lock.execute("select pg_advisory_lock(43)")
    try:
        if not await owner.fetchval("select 1 from pg_database where datname = $1", name):
            await owner.execute(f'drop database if exists "{name}_new" with (force)')
            await owner.execute(f'create database "{name}_new"')
            await make(f"{name}_new")
            await owner.execute(f'alter database "{name}_new" rename to "{name}"')
    finally:
        await lock.close()
    return name


@pytest.fixture(scope="session")
async def empty_template(server: EmbeddedPostgres, owner: asyncpg.Connection) -> str:
    """A migrated database without rows, named after the migrations."""

    async def make(name: str) -> None:
        await asyncio.to_thread(upgrade, Settings.model_validate({"DATABASE_URL": server.owner_url(name)}).database_url)

    return await _template(server, owner, f"empty_{_digest(PROJECT / 'alembic')}", make)


@pytest.fixture(scope="session")
async def starter_template(server: EmbeddedPostgres, owner: asyncpg.Connection, empty_template: str) -> str:
    """A migrated database with the starter directory published, named after everything that makes it."""

    async def make(name: str) -> None:
        await owner.execute(f'drop database "{name}"')
        await owner.execute(f'create database "{name}" template "{empty_template}"')
        engine = make_engine(make_settings(server.app_url(name)).database_url, Settings().database)
        await import_file(engine, STARTER)
        await engine.dispose()

    return await _template(server, owner, f"starter_{_digest(PROJECT / 'alembic', PROJECT / 'src')}", make)


def _digest(*folders: Path) -> str:
    sources = sorted(
        path for folder in folders for path in folder.rglob("*") if path.suffix in {".py", ".ndjson", ".tsv"}
    )
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:12]


def make_settings(url: str, **given: object) -> Settings:
    """The settings of a test: a database, a secret, nothing from outside."""
    values = {"DATABASE_URL": url, "secret_key": SecretStr(SECRET), "_env_file": None, **given}
    return Settings(**values)  # type: ignore[arg-type]


async def import_file(engine: AsyncEngine, path: Path, *, publish: bool = True, dry_run: bool = False) -> RunReport:
    """Import a record file as the command line does, without its progress bar."""
    return await run_source(
        engine, RecordFile(path), publish=publish, dry_run=dry_run, progress=lambda _stage, _done, _total: None
    )


@pytest.fixture
async def database(owner: asyncpg.Connection, empty_template: str) -> AsyncIterator[str]:
    """The name of a database of this test's own."""
    name = f"test_{uuid4().hex[:12]}"
    await owner.execute(f'create database "{name}" template "{empty_template}" strategy file_copy')
    yield name
    await owner.execute(f'drop database "{name}" with (force)')


@pytest.fixture
async def sql(server: EmbeddedPostgres, database: str) -> AsyncIterator[asyncpg.Connection]:
    """The owner's connection to this test's database: to see what is stored, to plant what should not be."""
    connection = await asyncpg.connect(server.owner_url(database))
    yield connection
    await connection.close()


@pytest.fixture
def settings(server: EmbeddedPostgres, database: str, tmp_path: Path) -> Settings:
    """Settings that point at this test's database, as the role that serves."""
    return make_settings(server.app_url(database), data_dir=tmp_path)


@pytest.fixture
async def engine(settings: Settings) -> AsyncIterator[AsyncEngine]:
    """An engine of the role that serves."""
    assert settings.database_url is not None
    engine = make_engine(settings.database_url, settings.database, pool_size=3)
    yield engine
    await engine.dispose()


@pytest.fixture
async def session(engine: AsyncEngine) -> AsyncIterator[Session]:
    """A session of this test's database; what it writes is seen by others once committed."""
    async with async_sessionmaker(engine, class_=Session, expire_on_commit=False)() as session:
        yield session


@pytest.fixture
async def app(settings: Settings) -> AsyncIterator[FastAPI]:
    """The real application on this test's database; no dependency is overridden."""
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client that speaks to `app` in this process."""
    async with make_client(app) as client:
        yield client


def make_client(app: FastAPI) -> httpx.AsyncClient:
    """A client whose relative addresses are below /api/v1 unless they begin with a slash."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")


@pytest.fixture(scope="session")
async def directory(
    server: EmbeddedPostgres, owner: asyncpg.Connection, starter_template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[FastAPI]:
    """The application over the published starter directory, for tests that only read."""
    name = f"directory_{uuid4().hex[:12]}"
    await owner.execute(f'create database "{name}" template "{starter_template}" strategy file_copy')
    app = create_app(make_settings(server.app_url(name), data_dir=tmp_path_factory.mktemp("data")))
    async with app.router.lifespan_context(app):
        yield app
    await owner.execute(f'drop database "{name}" with (force)')


@pytest.fixture
async def reader(directory: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the published starter directory."""
    async with make_client(directory) as client:
        yield client


SendRaw = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture
def send_raw(directory: FastAPI) -> SendRaw:
    """Send a request as its bytes, which no client would: `await send_raw(path, query, method=..., headers=...)`."""

    async def send(
        path: bytes, query: bytes = b"", *, method: str = "GET", headers: Sequence[tuple[bytes, bytes]] = ()
    ) -> httpx.Response:
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": unquote(path.decode("latin-1")),
            "raw_path": path,
            "query_string": query,
            "root_path": "",
            "headers": [(b"host", b"test"), *headers],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
            "state": {},
        }
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def keep(message: Any) -> None:
            sent.append(message)

        await directory(scope, receive, keep)
        body = b"".join(message.get("body", b"") for message in sent[1:])
        return httpx.Response(sent[0]["status"], headers=sent[0]["headers"], content=body)

    return send
