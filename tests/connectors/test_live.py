"""Watching a run over a real socket: who may, what is told, and that nobody is slowed down by anybody else."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
import uvicorn
from fastapi import FastAPI
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.auth.conftest import AddPerson, SignIn
from tests.conftest import SECRET, Programs, Service
from vibe4vets.connectors.models import ConnectorRun
from vibe4vets.connectors.schemas import RunSummary
from vibe4vets.connectors.service import Watcher, Watching
from vibe4vets.core.config import HTTPSettings, Settings
from vibe4vets.core.database import Session
from vibe4vets.core.embedded import EmbeddedPostgres

GOOD, EVIL = "https://staff.example.org", "https://staff.example.org.evil.example"
PATIENCE = 30  # against a hang only

Token = Callable[..., Awaitable[str]]
Watch = Callable[..., AbstractAsyncContextManager[ClientConnection]]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"http": HTTPSettings(cors_origins=(GOOD,))})


@pytest.fixture
async def address(app: FastAPI) -> AsyncIterator[str]:
    """A real uvicorn in front of the application, with the options of `serve`."""
    config = uvicorn.Config(app, port=0, lifespan="off", log_config=None, http="httptools", ws_max_size=8 * 1024)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110  it has no event for it
        await asyncio.sleep(0.02)
    yield f"ws://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    await serving


@pytest.fixture
def token(add_person: AddPerson, sign_in: SignIn) -> Token:
    """An access token of somebody with a role."""

    async def token(role: str = "reviewer") -> str:
        return (await sign_in(await add_person(role)))["Authorization"].removeprefix("Bearer ")

    return token


@pytest.fixture
async def run(session: Session) -> ConnectorRun:
    """A run that waits for a worker."""
    run = ConnectorRun(connector="ohio_211", subject="hsds.example.org")
    session.add(run)
    await session.commit()
    return run


@asynccontextmanager
async def watch(address: str, run_id: object, token: object = None, **options: Any) -> AsyncIterator[ClientConnection]:
    """A socket on a run, greeted with the token when there is one."""
    async with connect(f"{address}/api/v1/connectors/runs/{run_id}/live", proxy=None, **options) as socket:
        if token is not None:
            await socket.send(json.dumps({"token": token}))
        yield socket


async def told(socket: ClientConnection) -> dict[str, Any]:
    """The next message."""
    async with asyncio.timeout(PATIENCE):
        message: dict[str, Any] = json.loads(await socket.recv())
    return message


async def until(socket: ClientConnection, done: int) -> dict[str, Any]:
    """Messages up to the one that has got so far."""
    while (state := await told(socket))["done"] < done:
        pass
    return state


async def closed(socket: ClientConnection) -> int:
    """The code that the service closes with, whatever it tells before."""
    async with asyncio.timeout(PATIENCE):
        with suppress(ConnectionClosed):
            async for _ in socket:
                pass
        await socket.wait_closed()
    assert socket.close_code is not None
    return socket.close_code


async def refusal(address: str, run_id: object, **options: Any) -> tuple[int, dict[str, Any]]:
    """How a socket is refused before it opens: status and problem."""
    with pytest.raises(InvalidStatus) as refused:
        async with watch(address, run_id, **options):
            pass
    answer = refused.value.response
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-request-id"]
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, json.loads(answer.body or b"")


async def go_on(sql: asyncpg.Connection, run_id: UUID, done: int) -> None:
    """What a worker does to the row of its run."""
    await sql.execute(
        "update connector_runs set state = 'running', lease_until = now() + interval '1 minute', done = $2"
        " where id = $1",
        run_id,
        done,
    )


async def end(sql: asyncpg.Connection, run_id: UUID) -> None:
    await sql.execute(
        "update connector_runs set state = 'succeeded', lease_until = null, finished_at = now() where id = $1", run_id
    )


async def test_a_run_is_shown_as_it_goes(
    address: str, run: ConnectorRun, token: Token, sql: asyncpg.Connection
) -> None:
    async with watch(address, run.id, await token()) as one, watch(address, run.id, await token("admin")) as other:
        for socket in (one, other):
            first = await told(socket)
            assert (first["id"], first["state"], first["done"]) == (str(run.id), "queued", 0)
            assert set(first) == set(RunSummary.model_fields)
        for done in (10, 20):
            await go_on(sql, run.id, done)
            for socket in (one, other):
                assert (await until(socket, done))["state"] == "running"
        await end(sql, run.id)
        for socket in (one, other):
            assert await closed(socket) == 1000
    async with watch(address, run.id, await token("editor")) as late:
        assert (await told(late))["state"] == "succeeded"
        assert await closed(late) == 1000


async def test_who_may_not_is_told_by_the_code(
    address: str, run: ConnectorRun, token: Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    for bad in ("x.y.z", "", 7, None, ["a"]):
        async with watch(address, run.id) as socket:
            await socket.send(json.dumps({"token": bad}))
            assert await closed(socket) == 4401
    for message in ("", "token", "[]", '{"no": "token"}', "[" * 3000, b"\x00"):
        async with watch(address, run.id) as socket:
            await socket.send(message)
            assert await closed(socket) == 4401
    async with watch(address, run.id) as socket:
        await socket.send("x" * 5000)
        assert await closed(socket) == 1009
    async with watch(address, run.id) as socket:
        await socket.send("x" * 9000)
        assert await closed(socket) == 1009
    async with watch(address, run.id, await token("partner")) as socket:
        assert await closed(socket) == 4403
    for nothing in (uuid4(), "7"):
        async with watch(address, nothing, await token()) as socket:
            assert await closed(socket) == 4404
        async with watch(address, nothing, "x") as socket:
            assert await closed(socket) == 4401
    monkeypatch.setattr("vibe4vets.connectors.router.live.GREETING_SECONDS", 0.1)
    async with watch(address, run.id) as silent:
        assert await closed(silent) == 4401


async def test_a_session_that_ends_ends_the_watching(
    address: str, run: ConnectorRun, token: Token, sql: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vibe4vets.connectors.router.live.CHECK_SECONDS", 0.05)
    async with watch(address, run.id, await token()) as socket:
        await told(socket)
        await sql.execute("update users set role = 'partner' where role = 'reviewer'")
        assert await closed(socket) == 4403
    async with watch(address, run.id, await token("admin")) as socket:
        await told(socket)
        await sql.execute("update sessions set ended_at = now(), end_reason = 'logout'")
        assert await closed(socket) == 4401
    async with watch(address, run.id, await token("editor")) as socket:
        await told(socket)
        await socket.send(json.dumps({"token": await token("reviewer")}))
        await sql.execute("update users set role = 'partner' where role = 'editor'")
        await go_on(sql, run.id, 5)
        assert (await until(socket, 5))["state"] == "running"
        await socket.send(json.dumps({"token": "x"}))
        assert await closed(socket) == 4401


async def test_a_page_of_another_origin_is_refused(address: str, run: ConnectorRun, token: Token) -> None:
    for origin in (EVIL, "null", "http://staff.example.org", f"{GOOD}:443"):
        status, problem = await refusal(address, run.id, additional_headers={"Origin": origin})
        assert (status, problem["type"]) == (403, "forbidden")
    async with watch(address, run.id, await token(), additional_headers={"Origin": GOOD}) as socket:
        assert (await told(socket))["state"] == "queued"


async def test_the_doorway_looks_at_sockets_too(address: str, run: ConnectorRun) -> None:
    for query, slug in (("access_token=x", "credentials-in-address"), ("a=%FF", "malformed-request")):
        with pytest.raises(InvalidStatus) as refused:
            async with connect(f"{address}/api/v1/connectors/runs/{run.id}/live?{query}", proxy=None):
                pass
        answer = refused.value.response
        assert (answer.status_code, json.loads(answer.body or b"")["type"]) == (400, slug)
    with pytest.raises(InvalidStatus) as refused:
        async with connect(f"{address}/api/v1/nowhere", proxy=None):
            pass
    assert refused.value.response.status_code in {403, 404}


async def test_a_process_has_so_many_places(
    app: FastAPI, settings: Settings, address: str, run: ConnectorRun, token: Token
) -> None:
    app.state.watching = Watching(settings, app.state.database, most=2)
    async with watch(address, run.id, await token()) as one, watch(address, run.id) as other:
        await told(one)
        status, problem = await refusal(address, run.id)
        assert (status, problem["type"]) == (503, "unavailable")
        await other.close()
        await one.close()
        await one.wait_closed()
    async with asyncio.timeout(PATIENCE):
        while app.state.watching._seats:  # noqa: ASYNC110, SLF001  the server learns of it in its own time
            await asyncio.sleep(0.01)
    async with watch(address, run.id, await token()) as next_one:
        await told(next_one)


async def test_whoever_reads_slowly_gets_the_newest_state_only(
    app: FastAPI, run: ConnectorRun, sql: asyncpg.Connection
) -> None:
    watching: Watching = app.state.watching
    async with watching.watch(run.id) as slow, watching.watch(run.id) as quick:
        assert (await slow.next()).done == 0
        for done in range(1, 6):
            await go_on(sql, run.id, done)
            async with asyncio.timeout(PATIENCE):
                while (await quick.next()).done < done:
                    pass
        assert (await slow.next()).done == 5
        assert not slow._is_new.is_set()  # noqa: SLF001  nothing waits behind it
    assert watching._listener is None  # noqa: SLF001  nobody watches, so nobody listens


async def test_a_lost_listener_comes_back_and_tells_what_was_missed(
    app: FastAPI, run: ConnectorRun, sql: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vibe4vets.connectors.service.watching._LOOK_ANYWAY_SECONDS", 3600)
    monkeypatch.setattr("vibe4vets.core.listening._PAUSE_SECONDS", 0.05)
    listeners = "select pid from pg_stat_activity where datname = current_database() and query ilike 'listen%'"
    watching: Watching = app.state.watching
    async with watching.watch(run.id) as watcher, asyncio.timeout(PATIENCE):
        await watcher.next()
        while not (before := await sql.fetch(listeners)):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        assert len(before) == 1
        await sql.fetch("select pg_terminate_backend($1)", before[0]["pid"])
        await go_on(sql, run.id, 7)
        while (await watcher.next()).done < 7:
            pass
        await sql.execute("select pg_notify('connector_runs', 'no run')")
        await go_on(sql, run.id, 8)
        while (await watcher.next()).done < 8:
            pass


async def test_without_a_listener_it_is_looked_at_anyway(
    app: FastAPI, run: ConnectorRun, sql: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vibe4vets.connectors.service.watching._LOOK_ANYWAY_SECONDS", 0.05)
    monkeypatch.setattr("vibe4vets.connectors.service.watching.CHANNEL", "somewhere_else")
    async with app.state.watching.watch(run.id) as watcher, asyncio.timeout(PATIENCE):
        await watcher.next()
        await go_on(sql, run.id, 3)
        while (await watcher.next()).done < 3:
            pass


async def test_a_state_that_says_nothing_new_is_not_told(run: ConnectorRun) -> None:
    watcher = Watcher(RunSummary.of(run))
    await watcher.next()
    watcher.tell(RunSummary.of(run))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(watcher.next(), 0.05)


async def test_several_processes_tell_the_same(  # noqa: PLR0913, PLR0917
    programs: Programs,
    server: EmbeddedPostgres,
    database: str,
    run: ConnectorRun,
    token: Token,
    sql: asyncpg.Connection,
) -> None:
    """Two `serve` processes with what they share: the database, and the key of the tokens."""
    shared = {"DATABASE_URL": server.app_url(database), "VIBE4VETS_SECRET_KEY": SECRET}

    def serve(number: int) -> Service:
        folder = programs.folder / f"data-{number}"
        return programs.serve("--no-worker", **shared, VIBE4VETS_DATA_DIR=folder)

    services = await asyncio.gather(*(asyncio.to_thread(serve, number) for number in range(2)))
    addresses = [service.url.replace("http", "ws", 1) for service in services]
    async with watch(addresses[0], run.id, await token()) as one, watch(addresses[1], run.id, await token()) as other:
        for socket in (one, other):
            assert (await told(socket))["state"] == "queued"
        for done in (10, 20, 30):
            await go_on(sql, run.id, done)
            for socket in (one, other):
                assert (await until(socket, done))["done"] == done
        await end(sql, run.id)
        for socket in (one, other):
            assert await closed(socket) == 1000
    logged = services[0].log.read_text()
    assert '"method":"WEBSOCKET","route":"/api/v1/connectors/runs/{run_id}/live","status":101' in logged
