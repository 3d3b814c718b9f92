"""Guessing passwords: ten tries for an account and thirty in all from an address, and never a lock on the owner."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from vibe4vets.auth.passwords import TooManySignIns
from vibe4vets.core.config import LimitSettings
from vibe4vets.core.database import Database
from vibe4vets.core.limits import Limits, LoginThrottle, TooManyRequests

TOKEN = "/api/v1/auth/token"
WRONG = "wrong"
ATTACKER, OWNER = "203.0.113.66", "198.51.100.7"
Try = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture
def attempt(app: FastAPI) -> Try:
    """Try to log in from an address."""

    async def attempt(email: str, password: str = WRONG, *, address: str = ATTACKER) -> httpx.Response:
        transport = httpx.ASGITransport(app, client=(address, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.post(TOKEN, data={"username": email, "password": password})

    return attempt


def statuses(answers: list[httpx.Response]) -> list[int]:
    return [answer.status_code for answer in answers]


async def test_ten_failures_at_an_account(attempt: Try, add_person: Any) -> None:
    """Rows E1 and E2: known or not, and the owner is elsewhere."""
    person = await add_person()
    for email in (person.email, "nobody@example.org"):
        answers = [await attempt(email) for _ in range(10)]
        assert statuses(answers) == [401] * 10
        refused = await attempt(email, person.password)
        assert (refused.status_code, refused.json()["type"]) == (429, "too-many-requests")
        assert 880 <= int(refused.headers["retry-after"]) <= 900
        assert '"login-failures-per-account";q=10;w=900' in refused.headers["ratelimit-policy"]
    assert (await attempt(f" {person.email.upper()}")).status_code == 429, "another spelling is no other account"
    other = await add_person()
    assert (await attempt(other.email, other.password)).status_code == 200
    assert (await attempt(person.email, person.password, address=OWNER)).status_code == 200
    assert (await attempt(person.email, person.password)).status_code == 429, "what the owner does is the owner's"


async def test_thirty_failures_from_an_address(attempt: Try, add_person: Any) -> None:
    person = await add_person()
    answers = [await attempt(f"{number}@example.org") for number in range(30)]
    assert statuses(answers) == [401] * 30
    assert (await attempt("next@example.org")).status_code == 429
    assert (await attempt(person.email, person.password)).status_code == 429
    assert (await attempt(person.email, person.password, address=OWNER)).status_code == 200


async def test_success_clears_the_account_and_not_the_address(attempt: Try, add_person: Any) -> None:
    """Or an attacker with an account could go on guessing at others for ever."""
    person = await add_person()
    for _ in range(3):
        assert statuses([await attempt(person.email) for _ in range(9)]) == [401] * 9
        assert (await attempt(person.email, person.password)).status_code == 200
    assert statuses([await attempt(person.email) for _ in range(4)]) == [401, 401, 401, 429], "27 and 3"


async def test_many_guesses_at_once_are_no_more(attempt: Try, sql: asyncpg.Connection) -> None:
    answers = await asyncio.gather(*[attempt("pat@example.org") for _ in range(40)])
    # 503: too many passwords at once, which is no failure
    assert {answer.status_code for answer in answers} <= {401, 429, 503}
    assert statuses(list(answers)).count(401) <= 10
    checked = await sql.fetchval("select sum(count) from audit_failures where action = 'auth.login_refused'")
    assert checked == statuses(list(answers)).count(401)


async def test_what_is_no_failure_is_not_counted(app: FastAPI) -> None:
    """A crowd that keeps the hashing busy must not cost the owner a try."""
    database: Database = app.state.database
    settings = LimitSettings(login_failures_per_account="2/1h", login_failures_per_address="3/1h")
    throttle = LoginThrottle(Limits(settings, app.state.settings.signing_key, database), OWNER)

    async def fail(account: str, error: type[Exception]) -> None:
        with pytest.raises(error):
            async with throttle.attempt(account, refusal=PermissionError):
                raise error

    for _ in range(5):
        await fail("pat", TooManySignIns)
    for _ in range(2):
        await fail("pat", PermissionError)
    for _ in range(5):  # refused before it begins: that is no failure either
        with pytest.raises(TooManyRequests):
            await fail("pat", PermissionError)
    await fail("kim", PermissionError)
    with pytest.raises(TooManyRequests):
        await fail("lee", PermissionError)
