"""A real PostgreSQL for every test: made by the migrations, cloned from a template, reached as the service does."""

import asyncio
import contextlib
import hashlib
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import unquote

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker

from tests.databases import Lender
from tests.publisher import Publisher
from vibe4vets.cli.directory import seed
from vibe4vets.connectors.service import RunReport, run_source
from vibe4vets.connectors.sources.records import RecordFile
from vibe4vets.core.config import FetchSettings, Settings
from vibe4vets.core.database import Session, connect, make_engine
from vibe4vets.core.embedded import EmbeddedPostgres, default_home
from vibe4vets.core.fetch import Fetcher
from vibe4vets.core.fetch.hosts import PostgresHosts
from vibe4vets.core.jobs import Workbench
from vibe4vets.core.logging import configure_logging
from vibe4vets.core.migrations import upgrade
from vibe4vets.main import create_app

PROJECT = Path(__file__).resolve().parents[1]
LEXICON = PROJECT / "src/vibe4vets/resources/lexicon"
STARTER = PROJECT / "src/vibe4vets/connectors/starter/directory.ndjson"
SECRET = "a secret for tests, of more than 32 characters"
UNLIMITED = {"public_reads": "off"}
"""Thousands of tests read from one address within a minute."""
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # httpx would read every known authority for each client
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "200"}


@pytest.fixture(scope="session", autouse=True)
def environment() -> Iterator[None]:
    """No test reads the settings of whoever runs it, and every one logs as the service does.

    What structlog does unless told otherwise takes seconds to draw a traceback.
    """
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(("VIBE4VETS_", "DATABASE_")):
                patch.delenv(name)
        configure_logging(Settings(_env_file=None))
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
    """A migrated database with our lexicon and without resources, named after what makes it."""

    async def make(name: str) -> None:
        url = Settings.model_validate({"DATABASE_URL": server.owner_url(name)}).database_url
        assert url is not None
        await asyncio.to_thread(upgrade, url)
        await seed(url, Settings().database)

    return await _template(server, owner, f"empty_{_digest(PROJECT / 'alembic', LEXICON)}", make)


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
    values = {
        "DATABASE_URL": url,
        "secret_key": SecretStr(SECRET),
        "_env_file": None,
        "limits": UNLIMITED,
        **given,
    }
    return Settings(**values)  # type: ignore[arg-type]


async def import_file(engine: AsyncEngine, path: Path, *, publish: bool = True, dry_run: bool = False) -> RunReport:
    """Import a record file as the command line does, without its progress bar."""
    return await run_source(
        engine, RecordFile(path), publish=publish, dry_run=dry_run, progress=lambda _stage, _done, _total: None
    )


@pytest.fixture(scope="session")
async def lender(server: EmbeddedPostgres, owner: asyncpg.Connection, empty_template: str) -> AsyncIterator[Lender]:
    """Lends databases without resources."""
    lender = Lender(server, owner, empty_template)
    yield lender
    await lender.close()


@pytest.fixture
async def database(lender: Lender, request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """The name of a database that is as new, and this test's own while it runs."""
    if "programs" in request.fixturenames:
        yield await lender.own()
    else:
        async with lender.lent() as name:
            yield name


@pytest.fixture
async def sql(lender: Lender, database: str) -> AsyncIterator[asyncpg.Connection]:
    """The owner's connection to this test's database: to see what is stored, to plant what should not be."""
    async with lender.connection(database) as connection:
        yield connection


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
async def bench(settings: Settings) -> AsyncIterator[Workbench]:
    """What a worker has."""
    database = await connect(settings)
    async with Fetcher(settings.fetch, PostgresHosts(database.writes)) as fetcher:
        yield Workbench(settings, database, fetcher, asyncio.Event())
    await database.dispose()


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client that speaks to `app` in this process."""
    async with make_client(app) as client:
        yield client


def make_client(app: FastAPI) -> httpx.AsyncClient:
    """A client whose relative addresses are below /api/v1 unless they begin with a slash."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")


@pytest.fixture
async def publisher() -> AsyncIterator[Publisher]:
    """A publisher on a real socket, which answers what the test writes."""
    async with Publisher().running() as publisher:
        yield publisher


@pytest.fixture
async def fetcher(engine: AsyncEngine, publisher: Publisher) -> AsyncIterator[Fetcher]:
    """The real fetcher; the publisher is the one exception to its address checks."""
    async with Fetcher(FetchSettings(allow=publisher.address), PostgresHosts(engine)) as fetcher:
        yield fetcher


@pytest.fixture(scope="session")
async def directory(
    server: EmbeddedPostgres, lender: Lender, starter_template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[FastAPI]:
    """The application over the published starter directory, for tests that only read."""
    url = server.app_url(await lender.own(starter_template))
    app = create_app(make_settings(url, data_dir=tmp_path_factory.mktemp("data")))
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
async def reader(directory: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the published starter directory."""
    async with make_client(directory) as client:
        yield client


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the account of an embedded server can reach; pytest's own are closed to it."""
    path = Path(tempfile.mkdtemp(prefix="v4v-", dir="/tmp"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def data_dir(folder: Path) -> Iterator[Path]:
    """An empty data directory; whatever a test leaves running on it is stopped."""
    path = folder / "data"
    yield path
    if (path / "data").exists():
        server = EmbeddedPostgres(path)
        server.start()
        server.stop()


@dataclass
class Service:
    """A `serve` process of its own, spoken to over TCP."""

    process: subprocess.Popen[str]
    url: str
    log: Path

    def get(self, path: str) -> httpx.Response:
        """Ask once, on a connection of its own; 15 s are against a hang only."""
        return httpx.get(f"{self.url}{path}", timeout=15, verify=NO_TLS)

    def await_status(self, path: str, status: int, seconds: float = 10) -> httpx.Response:
        """Ask until `status` comes."""
        deadline = time.monotonic() + seconds
        while True:
            with contextlib.suppress(httpx.TransportError):
                answer = self.get(path)
                if answer.status_code == status:
                    return answer
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, f"{path} did not become {status}"
            time.sleep(0.05)


class Programs(contextlib.ExitStack):
    """Starts `python -m vibe4vets` in a folder away from any `.env`; kills at the end what still runs."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def run(self, *arguments: object, **settings: object) -> subprocess.Popen[str]:
        """Start a command with settings in its environment; its output is for `communicate()`."""
        return self._start(arguments, settings, subprocess.PIPE, subprocess.PIPE)

    def serve(self, *arguments: object, **settings: object) -> Service:
        """Start `serve` on a free port and wait until it lives; it writes to a file, for a pipe would fill up.

        Without a worker unless `--worker` is given: it would cost every test a process.
        """
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        log = self.folder / f"serve-{port}.log"
        with log.open("w") as out:
            process = self._start(
                ("serve", "--port", port, "--no-worker", *arguments), settings, out, subprocess.STDOUT
            )
        service = Service(process, f"http://127.0.0.1:{port}", log)
        service.await_status("/health/live", 200, seconds=60)
        return service

    def _start(
        self, arguments: Iterable[object], settings: Mapping[str, object], out: IO[str] | int, err: int
    ) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "vibe4vets", *map(str, arguments)],
            cwd=self.folder,
            env=os.environ
            | {f"VIBE4VETS_LIMITS__{name.upper()}": value for name, value in UNLIMITED.items()}
            | {name: str(value) for name, value in settings.items()},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            text=True,
        )
        self.enter_context(process)
        self.callback(process.kill)
        return process


@pytest.fixture
def programs(folder: Path) -> Iterator[Programs]:
    """Processes of this test's own."""
    with Programs(folder) as programs:
        yield programs


@pytest.fixture(scope="session")
def programs_in() -> type[Programs]:
    """The same, for fixtures that live longer than a test."""
    return Programs


@pytest.fixture(scope="session")
def eventually() -> Callable[[Callable[[], bool]], None]:
    """Wait until something happens."""

    def wait(happens: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 30  # against a hang only
        while not happens():
            assert time.monotonic() < deadline
            time.sleep(0.02)

    return wait


SendRaw = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture
def send_raw(directory: FastAPI) -> SendRaw:
    """Send a request as its bytes, which no client would: `await send_raw(path, query, method=..., headers=...)`."""

    async def send(path: bytes, query: bytes = b"", **rest: Any) -> httpx.Response:
        return await send_to(directory, path, query, **rest)

    return send


@pytest.fixture(scope="session")
def send_raw_to() -> SendRaw:
    """The same for any application, which comes first."""
    return send_to


async def send_to(  # noqa: PLR0913 - the parts of a request
    app: FastAPI,
    path: bytes,
    query: bytes = b"",
    *,
    method: str = "GET",
    headers: Sequence[tuple[bytes, bytes]] = (),
    body: Iterable[bytes] = (),
) -> httpx.Response:
    """Send a request as its bytes, in the chunks of `body`; a Host is added where none is given."""
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
        "headers": [*([] if any(name == b"host" for name, _ in headers) else [(b"host", b"test")]), *headers],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "state": {},
    }
    sent: list[dict[str, Any]] = []
    chunks = iter(body)

    async def receive() -> dict[str, Any]:
        chunk = next(chunks, None)
        return {"type": "http.request", "body": chunk or b"", "more_body": chunk is not None}

    async def keep(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, keep)
    content = b"".join(message.get("body", b"") for message in sent[1:])
    return httpx.Response(sent[0]["status"], headers=sent[0]["headers"], content=content)
