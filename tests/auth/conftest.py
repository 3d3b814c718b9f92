"""People with accounts, as the tests of accounts need them, and a clock that tests hold."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from vibe4vets.auth.passwords import hash_password
from vibe4vets.auth.tokens import mint_access_token
from vibe4vets.core import models
from vibe4vets.core.config import Settings

PASSWORD = "seven otters mend the quiet bridge"


@dataclass(frozen=True)
class Person:
    """Somebody with an account."""

    id: UUID
    email: str
    role: str
    password: str = PASSWORD


class Clock:
    """What time it is, for the whole service."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def advance(self, **span: float) -> None:
        """Let time pass."""
        self.now += timedelta(**span)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock that stands still until it is advanced."""
    clock = Clock()

    class Held(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return clock.now.astimezone(tz)

    monkeypatch.setattr(models, "datetime", Held)
    return clock


@pytest.fixture(scope="session")
async def password_hash() -> str:
    """The hash of PASSWORD, made once."""
    return await hash_password(PASSWORD)


AddPerson = Callable[..., Awaitable[Person]]


@pytest.fixture
def add_person(sql: asyncpg.Connection, password_hash: str) -> AddPerson:
    """Give somebody an account, which is active unless told otherwise: `await add_person("editor")`."""

    async def add(role: str = "partner", *, state: str = "active", email: str | None = None, **columns: Any) -> Person:
        email = email or f"{role}-{uuid4().hex[:8]}@example.org"
        row = {"email": email, "role": role, "state": state, "password_hash": password_hash, **columns}
        places = ", ".join(f"${number}" for number in range(1, len(row) + 1))
        insert = f"insert into users ({', '.join(row)}) values ({places}) returning id"
        return Person(await sql.fetchval(insert, *row.values()), email, role)

    return add


SignIn = Callable[[Person], Awaitable[dict[str, str]]]


@pytest.fixture
def sign_in(sql: asyncpg.Connection, settings: Settings) -> SignIn:
    """The header of somebody with a session, without the cost of a login."""

    async def sign_in(person: Person) -> dict[str, str]:
        session_id = await sql.fetchval(
            "insert into sessions (user_id, token_epoch, last_used_at, idle_expires_at, expires_at)"
            " select id, token_epoch, now(), now() + interval '14 days', now() + interval '30 days'"
            " from users where id = $1 returning id",
            person.id,
        )
        token = mint_access_token(
            settings, user_id=person.id, session_id=session_id, role=person.role, now=models.utc_now()
        )
        return {"Authorization": f"Bearer {token}"}

    return sign_in


LogIn = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture
def log_in(client: httpx.AsyncClient) -> LogIn:
    """Ask for tokens, as the form does."""

    async def log_in(person: Person, **form: str) -> httpx.Response:
        form = {"username": person.email, "password": person.password, **form}
        return await client.post("/api/v1/auth/token", data=form)

    return log_in
