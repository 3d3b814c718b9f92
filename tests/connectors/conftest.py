"""Staff who see to connectors, and sources that say what a test wants."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import asyncpg
import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.auth.conftest import AddPerson, SignIn, add_person, password_hash, sign_in
from tests.connectors.feeds import COMMUNITY, OFFICIAL, Feed

__all__ = ["add_person", "password_hash", "sign_in"]

Ask = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture
async def ask(client: httpx.AsyncClient, add_person: AddPerson, sign_in: SignIn) -> Ask:
    """Ask as one of the staff: `await ask("POST", "/va_facilities/runs", role="admin", json={...})`."""
    credentials: dict[str, Mapping[str, str]] = {}

    async def ask(
        method: str, path: str, *, role: str = "admin", headers: Mapping[str, str] | None = None, **rest: Any
    ) -> httpx.Response:
        if role not in credentials:
            credentials[role] = await sign_in(await add_person(role))
        address = f"/api/v1/connectors{path}"
        return await client.request(method, address, headers={**credentials[role], **(headers or {})}, **rest)

    return ask


@pytest.fixture
def official(engine: AsyncEngine, sql: asyncpg.Connection) -> Feed:
    """A state agency's feed."""
    return Feed(engine, sql, OFFICIAL)


@pytest.fixture
def community(engine: AsyncEngine, sql: asyncpg.Connection) -> Feed:
    """A community list, which nobody official vouches for."""
    return Feed(engine, sql, COMMUNITY)
