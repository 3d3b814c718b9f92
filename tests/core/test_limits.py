"""Rate limits: exact in PostgreSQL, cheap in the process, bounded in both, and told to clients."""

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import APIRouter, FastAPI
from pydantic import ValidationError

from vibe4vets.core.config import LimitSettings, Settings
from vibe4vets.core.database import Database, Session, connect
from vibe4vets.core.errors import problem_responses
from vibe4vets.core.http import Limited, StrictRoute, address_key
from vibe4vets.core.limits import Limit, Limits, LocalLimit, TooManyRequests
from vibe4vets.core.limits.local import MOST_KEYS
from vibe4vets.core.limits.store import KEPT_ROWS, MOST_ROWS, SWEEP_EVERY
from vibe4vets.core.quotas import parse_limit
from vibe4vets.core.sweeping import keep_sweeping
from vibe4vets.main import create_app

STATES, SUBMIT, RUN = "/api/v1/states", "/trial/submissions", "/trial/runs/"
SECRET = b"a secret for tests, of more than 32 characters"


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("600/1m", Limit("x", 600, 60)),
        ("10/15m", Limit("x", 10, 900)),
        ("5/1h", Limit("x", 5, 3600)),
        ("1/30s", Limit("x", 1, 30)),
        ("9999999/12h", Limit("x", 9_999_999, 43_200)),
        ("off", None),
    ],
)
def test_a_limit_is_a_number_and_a_time(text: str, limit: Limit | None) -> None:
    assert parse_limit("x", text) == limit


@pytest.mark.parametrize("text", ["", "0/1m", "5/0m", "5/1d", "5/13h", "-1/1m", "5 / 1m", "5/m", "5", "OFF", "1e3/1m"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="public_reads"):
        LimitSettings(public_reads=text)


class Clock:
    """Stands still until it is set."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def served(spend: Callable[[], None], times: int) -> int:
    """How many of so many are."""
    done = 0
    for _ in range(times):
        try:
            spend()
        except TooManyRequests:
            continue
        done += 1
    return done


def test_a_local_limit_begins_anew_when_it_says() -> None:
    clock = Clock()
    limit = LocalLimit(Limit("reads", 3, 60), clock=clock)
    assert served(lambda: limit.spend("a"), 5) == 3
    assert served(lambda: limit.spend("b"), 5) == 3
    clock.now += 20.5
    with pytest.raises(TooManyRequests) as refused:
        limit.spend("a")
    wait = int(refused.value.headers["Retry-After"])
    assert wait == math.ceil(39.5)
    clock.now += wait - 1
    assert served(lambda: limit.spend("a"), 1) == 0
    clock.now += 1
    assert served(lambda: limit.spend("a"), 5) == 3


def test_a_local_limit_that_is_off_counts_nothing() -> None:
    limit = LocalLimit(None)
    assert (served(lambda: limit.spend("a"), 1000), len(limit)) == (1000, 0)


def test_a_million_addresses_take_no_more_memory() -> None:
    """Row E8; whoever has most of them gets no more than it would have had."""
    limit = LocalLimit(Limit("reads", 2, 60), clock=Clock())
    for number in range(1_000_000):
        limit.spend(f"2001:db8:{number >> 16:x}:{number & 0xFFFF:x}::/64")
    assert len(limit) == MOST_KEYS
    assert address_key.cache_info().maxsize == 4096
    assert served(lambda: limit.spend("2001:db8:f:423f::/64"), 5) == 1, "the latest are still counted"


def test_what_is_over_is_forgotten() -> None:
    clock = Clock()
    limit = LocalLimit(Limit("reads", 2, 60), clock=clock)
    for number in range(1000):
        limit.spend(str(number))
    clock.now += 60
    limit.spend("0")
    assert len(limit) == 1


@pytest.fixture
async def store(settings: Settings) -> AsyncIterator[Database]:
    """Connections like those of a process."""
    database = await connect(settings)
    yield database
    await database.dispose()


def make_limits(store: Database, **limits: str) -> Limits:
    return Limits(LimitSettings(**limits), SECRET, store)


async def served_of(limits: Limits, times: int, key: str = "a", name: str = "submissions") -> int:
    """How many of so many at once are."""
    done = await asyncio.gather(*[limits.spend(name, key) for _ in range(times)], return_exceptions=True)
    assert all(one is None or isinstance(one, TooManyRequests) for one in done), done
    return done.count(None)


async def test_two_processes_share_a_limit(settings: Settings, store: Database) -> None:
    other = await connect(settings)
    both = make_limits(store, submissions="20/1h"), make_limits(other, submissions="20/1h")
    counts = await asyncio.gather(*[served_of(limits, 40) for limits in both])
    assert sum(counts) == 20
    assert await served_of(both[0], 1, key="b") == 1
    assert await served_of(both[0], 1, name="connector_runs") == 1
    await other.dispose()


async def test_retry_after_is_true(store: Database) -> None:
    limits = make_limits(store, submissions="2/1s")
    assert await served_of(limits, 5) == 2
    with pytest.raises(TooManyRequests) as refused:
        await limits.spend("submissions", "a")
    assert refused.value.headers["Retry-After"] == "1"
    await asyncio.sleep(1)
    assert await served_of(limits, 5) == 2


async def test_what_is_given_back_can_be_spent_again(store: Database) -> None:
    limits = make_limits(store, submissions="3/1h")
    assert await served_of(limits, 9) == 3
    await limits.give_back("submissions", "a")
    assert await served_of(limits, 9) == 1, "those that were refused are no debt"
    await limits.clear("submissions", "a")
    await limits.give_back("submissions", "a")
    assert await served_of(limits, 9) == 3


async def test_a_limit_that_is_off_needs_no_store(store: Database, sql: asyncpg.Connection) -> None:
    limits = make_limits(store, submissions="off")
    assert await served_of(limits, 50) == 50
    await limits.give_back("submissions", "a")
    await limits.clear("submissions", "a")
    assert await sql.fetchval("select count(*) from rate_limits") == 0


async def test_no_address_is_stored(store: Database, sql: asyncpg.Connection) -> None:
    """Row K8."""
    await make_limits(store).spend("submissions", "203.0.113.9")
    kept = await sql.fetchrow("select key, resets_at - now() < interval '12 hours' from rate_limits")
    assert kept[1]
    await Limits(LimitSettings(), SECRET + b"x", store).spend("submissions", "203.0.113.9")
    assert await sql.fetchval("select count(distinct key) from rate_limits") == 2, "the hash needs the secret"


FILL = """
insert into rate_limits select sha256(n::text::bytea), 1 + (n % 10 = 0)::int, now() + interval '1 hour' * $2
from generate_series($3::int, $3 + $1 - 1) n
"""


async def test_the_table_is_bounded(store: Database, sql: asyncpg.Connection) -> None:
    """Row E8: whoever has spent more is kept longer."""
    limits = make_limits(store, submissions="1000000/1h")
    await limits.spend("submissions", "all")
    await limits.spend("submissions", "all")
    await sql.execute(FILL, MOST_ROWS + 30_000, 1, 1)
    await limits.sweep()
    assert await sql.fetchval("select count(*) from rate_limits") == KEPT_ROWS
    spent = "select count(*) from rate_limits where spent > 1"
    assert await sql.fetchval(spent) == (MOST_ROWS + 30_000) // 10 + 1
    await limits.spend("submissions", "all")
    assert await sql.fetchval("select max(spent) from rate_limits") == 3


async def test_new_rows_make_a_process_look(store: Database, sql: asyncpg.Connection) -> None:
    limits = make_limits(store)
    await sql.execute(FILL, MOST_ROWS, 1, 1)
    await sql.execute(FILL, 50, -1, MOST_ROWS + 1)
    for number in range(SWEEP_EVERY - 1):
        await limits.spend("submissions_per_address", str(number))
    assert await sql.fetchval("select count(*) from rate_limits") == MOST_ROWS + 50 + SWEEP_EVERY - 1
    await limits.spend("submissions_per_address", "the hundredth")
    assert await sql.fetchval("select count(*) from rate_limits") == KEPT_ROWS


async def test_sweeping_goes_on(settings: Settings, sql: asyncpg.Connection, store: Database) -> None:
    """What is over goes by itself, also after a round that failed; what is not stays."""
    nowhere = await connect(settings.model_copy(update={"database_url": store.writes.url.set(database="none")}))
    failing = asyncio.create_task(keep_sweeping(nowhere, make_limits(nowhere), timedelta(milliseconds=10)))
    await sql.execute(FILL, 10, -1, 1)
    await sql.execute(FILL, 5, 1, 11)
    keys = "insert into idempotency_keys values (sha256($1), sha256(''), null, now() - interval '1 hour' * $2)"
    await sql.executemany(keys, [(b"old", 25), (b"new", 23)])
    chores: list[Session] = []

    async def chore(session: Session) -> None:
        chores.append(session)

    sweep = keep_sweeping(store, make_limits(store), timedelta(milliseconds=10), chores=[chore])
    sweeping = asyncio.create_task(sweep)
    try:
        async with asyncio.timeout(30):
            while await sql.fetchval("select count(*) from rate_limits") > 5:
                await sql.fetch("select pg_sleep(0.01)")
            while await sql.fetchval("select count(*) from idempotency_keys") > 1 or not chores:
                await sql.fetch("select pg_sleep(0.01)")
        assert not failing.done()
    finally:
        for task in (sweeping, failing):
            task.cancel()
            await asyncio.wait([task])
        await nowhere.dispose()


Serve = Callable[..., AbstractAsyncContextManager[FastAPI]]


@pytest.fixture
def serve(settings: Settings) -> Serve:
    """The application with other limits, and with operations that have some."""

    @asynccontextmanager
    async def serve(*, update: dict[str, Any] | None = None, **limits: str) -> AsyncIterator[FastAPI]:
        app = create_app(settings.model_copy(update={"limits": LimitSettings(**limits), **(update or {})}))
        router = APIRouter(prefix="/trial", route_class=StrictRoute, responses=problem_responses(TooManyRequests))

        @router.post("/submissions", dependencies=[Limited("submissions_per_address"), Limited("submissions")])
        async def submit(answer: str) -> str:
            return answer

        @router.post("/runs/{name}", dependencies=[Limited("connector_runs")])
        async def run(name: str) -> str:
            return name

        app.include_router(router)
        async with app.router.lifespan_context(app):
            yield app

    return serve


def client_at(app: FastAPI, address: str = "203.0.113.9") -> httpx.AsyncClient:
    """A client with an address."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app, client=(address, 1)), base_url="http://test")


def assert_refused(answer: httpx.Response, policy: str, most_seconds: int) -> None:
    assert (answer.status_code, answer.json()["type"]) == (429, "too-many-requests")
    assert answer.headers["content-type"] == "application/problem+json"
    wait = int(answer.headers["retry-after"])
    assert 1 <= wait <= most_seconds
    assert f"{wait} seconds" in answer.json()["detail"]
    assert policy in answer.headers["ratelimit-policy"].split(", ")
    name = policy.partition(";")[0]
    assert f"{name};r=0;t={wait}" in answer.headers["ratelimit"].split(", ")
    assert answer.headers["cache-control"] == "no-store"


async def test_public_reads_have_a_limit_per_address(serve: Serve) -> None:
    """Rows E6 and E7; whatever they are answered."""
    async with serve(public_reads="6/1m") as app, client_at(app) as one, client_at(app, "203.0.113.10") as two:
        answers = [
            await one.get(STATES),
            await one.head(STATES),
            await one.get(STATES, headers={"If-None-Match": "*"}),
            await one.get(STATES, params={"nonsense": 1}),
            await one.get("/api/v1/resources/00000000-0000-0000-0000-000000000000"),
            await one.get("/api/v1/search", params={"q": "x"}),
        ]
        assert [answer.status_code for answer in answers] == [200, 200, 304, 422, 404, 200]
        assert {answer.headers["ratelimit-policy"] for answer in answers} == {'"public-reads";q=6;w=60'}
        left = [answer.headers["ratelimit"].split(";")[1] for answer in answers]
        assert left == [f"r={number}" for number in (5, 4, 3, 2, 1, 0)]
        refused = await one.get(STATES)
        assert_refused(refused, '"public-reads";q=6;w=60', 60)
        assert refused.headers["access-control-allow-origin"] == "*"
        assert (await one.get("/health/live")).status_code == 200
        assert (await two.get(STATES)).status_code == 200


async def test_one_network_of_ipv6_is_one_client(serve: Serve) -> None:
    async with serve(public_reads="1/1m") as app:
        for address, status in (("2001:db8::1", 200), ("2001:db8::ffff:2", 429), ("2001:db8:0:1::1", 200)):
            async with client_at(app, address) as client:
                assert (await client.get(STATES)).status_code == status


async def test_a_route_with_two_limits(serve: Serve) -> None:
    async with serve(submissions_per_address="2/1h", submissions="3/1h") as app:
        async with client_at(app) as greedy:
            answers = [await greedy.post(SUBMIT, params={"answer": "x"}) for _ in range(6)]
            assert [answer.status_code for answer in answers] == [200, 200, 429, 429, 429, 429]
            assert (
                answers[0].headers["ratelimit-policy"]
                == '"submissions-per-address";q=2;w=3600, "submissions";q=3;w=3600'
            )
            assert_refused(answers[2], '"submissions-per-address";q=2;w=3600', 3600)
        async with client_at(app, "203.0.113.10") as other:
            assert (await other.post(SUBMIT, params={"answer": "x"})).status_code == 200, "the greedy one took only two"
            assert_refused(await other.post(SUBMIT, params={"answer": "x"}), '"submissions";q=3;w=3600', 3600)


async def test_a_limit_per_path(serve: Serve) -> None:
    async with serve(connector_runs="1/1h") as app, client_at(app) as client:
        for name, status in (("va", 200), ("va", 429), ("hud", 200)):
            assert (await client.post(RUN + name)).status_code == status


async def test_a_request_that_is_not_valid_counts_too(serve: Serve) -> None:
    async with serve(submissions="1/1h") as app, client_at(app) as client:
        assert [(await client.post(RUN.replace("runs/", "submissions"))).status_code for _ in range(2)] == [422, 429]


async def test_limits_that_are_off_are_not_told(serve: Serve) -> None:
    off = dict.fromkeys(LimitSettings.model_fields, "off")
    async with serve(**off) as app, client_at(app) as client:
        for answer in [await client.get(STATES), await client.post(SUBMIT, params={"answer": "x"})]:
            assert answer.status_code == 200
            assert not [name for name in answer.headers if name.startswith("ratelimit")]


async def test_without_the_store_writes_are_refused_and_reads_go_on(serve: Serve, settings: Settings) -> None:
    """Row E5: the primary is away, a replica answers."""
    assert settings.database_url is not None
    away = settings.database_url.set(host="127.0.0.1", port=1, query={})
    urls = {"database_url": away, "database_replica_url": settings.database_url}
    async with serve(update=urls, public_reads="2/1m") as app, client_at(app) as client:
        assert [(await client.get(STATES)).status_code for _ in range(3)] == [200, 200, 429]
        login = {"username": "pat@example.org", "password": "x"}
        for answer in (
            await client.post(SUBMIT, params={"answer": "x"}),
            await client.post("/api/v1/auth/token", data=login),
        ):
            assert (answer.status_code, answer.json()["type"]) == (503, "unavailable")
