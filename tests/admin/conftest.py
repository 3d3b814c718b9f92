"""Admins, and what they do over HTTP."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import httpx
import pytest

from tests.auth.conftest import AddPerson, Person, SignIn, add_person, password_hash, sign_in

__all__ = ["add_person", "password_hash", "sign_in"]

Ask = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture
async def admin(add_person: AddPerson) -> Person:
    """The admin who asks."""
    return await add_person("admin")


@pytest.fixture
async def ask(client: httpx.AsyncClient, admin: Person, sign_in: SignIn) -> Ask:
    """Ask as an admin: `await ask("POST", "/users", json={...})`."""
    credentials = await sign_in(admin)

    async def ask(method: str, path: str, *, headers: Mapping[str, str] | None = None, **rest: Any) -> httpx.Response:
        return await client.request(method, f"/api/v1/admin{path}", headers={**credentials, **(headers or {})}, **rest)

    return ask
