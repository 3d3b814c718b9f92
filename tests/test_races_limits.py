"""Two processes on one database, as clients of several addresses see them: limits are one, keys are one."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from tests.auth.conftest import AddPerson, Person, SignIn, add_person, password_hash, sign_in
from tests.databases import Lender
from vibe4vets.core.embedded import EmbeddedPostgres

__all__ = ["add_person", "password_hash", "sign_in"]

SECRET = "a secret for tests, of more than 32 characters"
ADMIN, TOKEN, REGISTER, STATES = "/api/v1/admin", "/api/v1/auth/token", "/api/v1/auth/register", "/api/v1/states"
ATTACKER, OWNER, PROXY = "127.0.0.2", "127.0.0.3", "127.0.0.4"
CLAIMS = ("X-Forwarded-For", "X-Real-IP", "True-Client-IP", "CF-Connecting-IP")
QUOTA = 100

Client = Callable[..., httpx.AsyncClient]


@pytest.fixture(scope="module")
async def database(lender: Lender) -> str:
    """The name of the one database."""
    return await lender.own()


@pytest.fixture(scope="module")
async def pair(
    server: EmbeddedPostgres, database: str, programs_in: Any, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[list[Client]]:
    """Two processes, each as what makes a client at an address of this machine's."""
    folder: Path = tmp_path_factory.mktemp("limits")
    given = {
        "DATABASE_URL": server.app_url(database),
        "VIBE4VETS_SECRET_KEY": SECRET,
        "VIBE4VETS_DATA_DIR": folder,
        "VIBE4VETS_DATABASE__POOL_WAIT": "00:00:05",  # a busy machine is not what is looked at
        "VIBE4VETS_AUTH__REGISTRATION": "true",
        "VIBE4VETS_HTTP__TRUSTED_PROXIES": PROXY,
        "VIBE4VETS_LIMITS__REGISTRATIONS_PER_ADDRESS": f"{QUOTA}/1h",
        "VIBE4VETS_LIMITS__PUBLIC_READS": "2/1m",
    }
    async with AsyncExitStack() as stack:
        programs = stack.enter_context(programs_in(folder))
        yield [client_of(programs.serve(**given).url, stack) for _ in range(2)]


def client_of(url: str, stack: AsyncExitStack) -> Client:
    """Makes clients of a process, each with an address."""

    def client(address: str = "127.0.0.1") -> httpx.AsyncClient:
        transport = httpx.AsyncHTTPTransport(local_address=address, limits=httpx.Limits(max_connections=None))
        made = httpx.AsyncClient(transport=transport, base_url=url, timeout=60)
        stack.push_async_callback(made.aclose)
        return made

    return client


async def log_in(client: httpx.AsyncClient, person: Person, **form: str) -> httpx.Response:
    return await client.post(TOKEN, data={"username": person.email, "password": person.password, **form})


async def test_three_hundred_at_once_are_served_a_hundred_times(pair: list[Client], sql: asyncpg.Connection) -> None:
    """Row E4; without a body, so that what is served takes no hashing."""
    clients = itertools.cycle([process() for process in pair])
    barrier = asyncio.Barrier(3 * QUOTA)

    async def register(client: httpx.AsyncClient) -> httpx.Response:
        await barrier.wait()
        return await client.post(REGISTER, json={})

    answers = await asyncio.gather(*[register(next(clients)) for _ in range(3 * QUOTA)])
    statuses = [answer.status_code for answer in answers]
    assert (statuses.count(422), statuses.count(429)) == (QUOTA, 2 * QUOTA)
    left = sorted(int(answer.headers["ratelimit"].split("r=")[1].split(";")[0]) for answer in answers)
    assert left == [0] * 2 * QUOTA + list(range(QUOTA))
    assert await sql.fetchval("select max(spent) from rate_limits") == QUOTA + 1
    elsewhere = await pair[0](ATTACKER).post(REGISTER, json={})
    assert elsewhere.status_code == 422


async def test_an_attacker_elsewhere_keeps_nobody_out(pair: list[Client], add_person: AddPerson) -> None:
    """Rows E1 and E2: ten failures, at whichever process; neither a header nor the other process gives more."""
    person = await add_person()
    attackers = [process(ATTACKER) for process in pair]
    for number, attacker in zip(range(10), itertools.cycle(attackers)):
        claims = dict.fromkeys(CLAIMS, f"203.0.113.{number}") | {"Forwarded": f"for=203.0.113.{number}"}
        guess = await attacker.post(TOKEN, data={"username": person.email, "password": "guess"}, headers=claims)
        assert guess.status_code == 401
    for attacker in attackers:
        refused = await log_in(attacker, person)
        assert (refused.status_code, refused.json()["type"]) == (429, "too-many-requests")
        assert 1 <= int(refused.headers["retry-after"]) <= 900
    for process in pair:
        assert (await log_in(process(OWNER), person)).status_code == 200
    assert (await log_in(attackers[0], person)).status_code == 429


async def test_only_our_proxy_says_for_whom_it_asks(pair: list[Client]) -> None:
    """Row E3."""
    process, _ = pair

    async def statuses(client: httpx.AsyncClient, name: str = "X-Forwarded-For") -> list[int]:
        claims = [{name: f"203.0.113.{number}"} for number in range(4)]
        return [(await client.get(STATES, headers=claim)).status_code for claim in claims]

    assert await statuses(process(PROXY)) == [200] * 4
    for address, name in zip((ATTACKER, OWNER, "127.0.0.1", "127.0.0.5"), CLAIMS, strict=True):
        assert await statuses(process(address), name) == [200, 200, 429, 429], name
    again = [(await process(PROXY).get(STATES, headers={"X-Forwarded-For": "203.0.113.0"})).status_code for _ in "ab"]
    assert again == [200, 429], "that one has asked before"
    assert await statuses(process(PROXY), "Forwarded") == [200, 200, 429, 429]


async def test_a_key_is_made_once_by_two_processes(
    pair: list[Client], sql: asyncpg.Connection, add_person: AddPerson, sign_in: SignIn
) -> None:
    """Row H7: thirty at once, some rounds of them."""
    clients = [process() for process in pair]
    partner, headers = await add_person("partner"), await sign_in(await add_person("admin"))
    path = f"{ADMIN}/users/{partner.id}/api-keys"
    for number in range(5):
        new = {"name": f"site {number}", "scopes": ["proposals:read"]}
        key = {"Idempotency-Key": str(uuid4())}
        barrier = asyncio.Barrier(30)

        async def create(client: httpx.AsyncClient, sent: Any = (new, key, barrier)) -> httpx.Response:
            body, its_key, begin = sent
            await begin.wait()
            return await client.post(path, json=body, headers=headers | its_key)

        answers = await asyncio.gather(*[create(client) for client in clients * 15])
        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.content for answer in answers}) == 1
        replayed = [answer for answer in answers if answer.headers.get("idempotency-replayed") == "true"]
        assert len(replayed) == 29
        assert await sql.fetchval("select count(*) from api_keys") == number + 1
    assert await sql.fetchval("select count(*) from idempotency_keys") == 5
    assert await sql.fetchval("select count(*) from audit_events where action like 'api_key.%'") == 5
