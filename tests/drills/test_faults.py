"""A served API on a database that fails in every way we know (rows I4, I5, I6, I10)."""

import asyncio
import contextlib
import os
import shutil
import signal
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from vibe4vets.core.config import Settings
from vibe4vets.core.embedded import EmbeddedPostgres
from vibe4vets.core.migrations import upgrade

pytestmark = pytest.mark.drill

LATEST = 10  # seconds; the promise is 6, the rest is for a busy machine
RECOVERED = 10
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
LIST, READY, LIVE = "/api/v1/resources", "/health/ready", "/health/live"
WRITE, LOGIN = "/api/v1/suggestions", "/api/v1/auth/token"
SENT: dict[str, dict[str, Any]] = {
    WRITE: {"json": {"resource": {"title": "Food pantry", "categories": ["food"]}}},
    LOGIN: {"data": {"username": "nobody@example.org", "password": "a password of somebody else"}},
}
TABLES = ("published_resources", "alembic_version", "proposals", "users")


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A folder that the account of the server can reach."""
    path = Path(tempfile.mkdtemp(prefix="v4v-", dir="/tmp"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def postgres(home: Path) -> Iterator[EmbeddedPostgres]:
    """A durable server of this module's own, to be stopped, paused and refused."""
    with EmbeddedPostgres(home / "server").running() as server:
        upgrade(Settings.model_validate({"DATABASE_URL": server.owner_url()}).database_url)
        yield server


@pytest.fixture(scope="module")
def only_service(programs_in: Any, postgres: EmbeddedPostgres, home: Path) -> Iterator[Any]:
    """One `serve` process that lives through every fault."""
    with programs_in(home) as programs:
        limits = ("SUBMISSIONS_PER_ADDRESS", "LOGIN_FAILURES_PER_ACCOUNT")
        yield programs.serve(
            DATABASE_URL=postgres.app_url(),
            VIBE4VETS_DATA_DIR=home / "data",
            **{f"VIBE4VETS_LIMITS__{name}": "off" for name in limits},
        )


@pytest.fixture
def service(only_service: Any) -> Any:
    """The service, known to answer before the fault."""
    assert [only_service.get(path).status_code for path in (LIST, READY)] == [200, 200]
    return only_service


def sql(server: EmbeddedPostgres, statement: str) -> str:
    """Run one statement as the owner, who may write even where others may not."""
    command = ["psql", "-XAtqc", statement]
    environment = server.client_environment() | {"PGOPTIONS": "-c default_transaction_read_only=off"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()


def end_sessions(server: EmbeddedPostgres) -> None:
    """End every session of the service."""
    sql(server, "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'vibe4vets_app'")


@contextlib.contextmanager
def stopped(server: EmbeddedPostgres) -> Iterator[None]:
    """Connections are refused."""
    server.stop()
    try:
        yield
    finally:
        server.start()


@contextlib.contextmanager
def hung(server: EmbeddedPostgres) -> Iterator[None]:
    """Connections are taken, and nothing ever answers."""
    postmaster = (server.home / "data/postmaster.pid").read_text().split()[0]
    children = subprocess.run(["pgrep", "-P", postmaster], capture_output=True, text=True, check=True).stdout.split()
    processes = [int(pid) for pid in (postmaster, *children)]
    for pid in processes:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in processes:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


@contextlib.contextmanager
def starting(server: EmbeddedPostgres) -> Iterator[None]:
    """A server that recovers and takes no sessions yet: a standby that is not to be read from."""
    server.stop()
    standby = server.home / "data/standby.signal"
    standby.touch()
    shutil.chown(standby, (server.home / "data").stat().st_uid)
    cold = EmbeddedPostgres(server.home, {"hot_standby": "off"})
    cold.patience = 20
    cold.start()
    try:
        yield
    finally:
        cold.stop()
        standby.unlink()
        server.start()


@contextlib.contextmanager
def full(server: EmbeddedPostgres) -> Iterator[None]:
    """The role has no connection left."""
    sql(server, "alter role vibe4vets_app connection limit 0")
    end_sessions(server)
    try:
        yield
    finally:
        sql(server, "alter role vibe4vets_app connection limit -1")


@contextlib.contextmanager
def locked(server: EmbeddedPostgres) -> Iterator[None]:
    """Another session holds what every read needs."""
    with subprocess.Popen(
        ["psql", "-XAtq"], env=server.client_environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as session:
        assert session.stdin
        assert session.stdout
        session.stdin.write(f"begin; lock table {', '.join(TABLES)}; select 'held';\n")
        session.stdin.flush()
        assert session.stdout.readline() == "held\n"
        yield
        session.kill()


@contextlib.contextmanager
def slow(server: EmbeddedPostgres) -> Iterator[None]:
    """Every read takes longer than a statement may."""
    tables = ("published_resources", "alembic_version")
    for table in tables:
        sql(server, f"alter table {table} rename to real_{table}")
        sql(server, f"create view {table} as select t.* from real_{table} t, pg_sleep(30) s where s::text = ''")
        sql(
            server, f"create or replace view {table} as select t.* from pg_sleep(30) s left join real_{table} t on true"
        )
    try:
        yield
    finally:
        for table in tables:
            sql(server, f"drop view {table}")
            sql(server, f"alter table real_{table} rename to {table}")


def assert_unavailable(answer: httpx.Response, took: float) -> None:
    """It is a problem that says when to come again, and it came in time."""
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.json()["instance"] == answer.headers["x-request-id"]
    assert took < LATEST


async def ask(service: Any, paths: list[str]) -> list[tuple[httpx.Response, float]]:
    """Ask for every path at the same time, or send what belongs there; each answer with the seconds it took."""
    everyone = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=service.url, timeout=15, limits=everyone, verify=NO_TLS) as client:

        async def one(path: str) -> tuple[httpx.Response, float]:
            begun = time.monotonic()
            answer = await client.request("POST" if path in SENT else "GET", path, **SENT.get(path, {}))
            return answer, time.monotonic() - begun

        return await asyncio.gather(*map(one, paths))


@pytest.mark.parametrize("fault", [stopped, hung, starting, full, locked, slow])
async def test_a_failing_database_is_a_503_in_time(fault: Any, service: Any, postgres: EmbeddedPostgres) -> None:
    good = [LIST, READY, WRITE, LOGIN]
    assert [answer.status_code for answer, _ in await ask(service, good)] == [200, 200, 202, 401], "a good day"
    with fault(postgres):
        # what is slow is slow to read; a login looks nowhere there
        for answer, took in await ask(service, [LIST, READY] if fault is slow else good):
            assert_unavailable(answer, took)
        ((alive, _),) = await ask(service, [LIVE])
        assert alive.status_code == 200
    for path in (LIST, READY):
        await asyncio.to_thread(service.await_status, path, 200, RECOVERED)
    assert service.process.poll() is None, "it recovered without a restart"


async def test_a_read_only_database_still_answers_reads(service: Any, postgres: EmbeddedPostgres) -> None:
    sql(postgres, "alter database vibe4vets set default_transaction_read_only = on")
    end_sessions(postgres)
    try:
        assert [answer.status_code for answer, _ in await ask(service, [LIST, READY, WRITE])] == [200, 200, 503]
    finally:
        sql(postgres, "alter database vibe4vets reset default_transaction_read_only")


async def test_started_before_its_database(programs: Any, postgres: EmbeddedPostgres, folder: Path) -> None:
    with stopped(postgres):
        service = programs.serve(DATABASE_URL=postgres.app_url(), VIBE4VETS_DATA_DIR=folder / "data")
        for answer, took in await ask(service, [READY, LIST]):
            assert_unavailable(answer, took)
    await asyncio.to_thread(service.await_status, READY, 200, RECOVERED)
    assert service.get(LIST).status_code == 200


SESSIONS = "select state, count(*) as size from pg_stat_activity where usename = 'vibe4vets_app' group by state"


@pytest.mark.parametrize("fault", [locked, hung])
async def test_two_hundred_at_once_leak_no_connection(fault: Any, service: Any, postgres: EmbeddedPostgres) -> None:
    """Row I10: a pool that runs dry while its database does not answer."""
    limits = Settings().database
    pool = limits.read_pool_size
    assert all(answer.status_code in {200, 503} for answer, _ in await ask(service, [LIST] * 200)), "a good day"
    with fault(postgres):
        crowd = asyncio.create_task(ask(service, [LIST] * 200))
        for _ in range(5):
            await asyncio.sleep(0.2)
            assert [answer.status_code for answer, _ in await ask(service, [LIVE])] == [200]
        for answer, took in await crowd:
            assert_unavailable(answer, took)
    await asyncio.to_thread(service.await_status, LIST, 200, RECOVERED)
    again = await ask(service, [LIST] * pool)
    assert [answer.status_code for answer, _ in again] == [200] * pool
    sessions = dict(line.split("|") for line in sql(postgres, SESSIONS).splitlines())
    assert set(sessions) == {"idle"}
    assert 1 <= int(sessions["idle"]) <= pool + 2 * limits.pool_size
