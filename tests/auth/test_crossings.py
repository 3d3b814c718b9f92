"""A token opens what it was made for, and nothing else (row D3): four kinds, each tried as the three others."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from vibe4vets.auth import service
from vibe4vets.auth.exceptions import InvalidResetToken
from vibe4vets.auth.models import KeyScope
from vibe4vets.core.audit import SYSTEM
from vibe4vets.core.config import Settings
from vibe4vets.core.database import Session

ME = "/api/v1/auth/me"
KINDS = ("access", "refresh", "key", "reset")


@pytest.fixture
async def tokens(engine: AsyncEngine, settings: Settings, add_person: Any, log_in: Any) -> dict[str, str]:
    """One token of each kind, all of one account."""
    person = await add_person("partner")
    pair = (await log_in(person)).json()
    async with Session(engine, expire_on_commit=False) as session, session.begin():
        user = await service.lock_user(session, person.id)
        given: dict[str, Any] = {"name": "site", "scopes": KeyScope, "lifetime": timedelta(days=1), "actor": SYSTEM}
        key = await service.create_key(session, settings.signing_key, user, **given)
        reset = await service.create_reset(session, settings.signing_key, user, actor=SYSTEM)
    return {"access": pair["access_token"], "refresh": pair["refresh_token"], "key": key.text, "reset": reset.token}


@pytest.fixture
def uses(client: httpx.AsyncClient, app: Any, settings: Settings) -> dict[str, Callable[[str], Awaitable[int]]]:
    """What a token may be tried as; each gives the status."""

    async def access(token: str) -> int:
        return (await client.get(ME, headers={"Authorization": f"Bearer {token}"})).status_code

    async def refresh(token: str) -> int:
        return (await client.post("/api/v1/auth/refresh", json={"refresh_token": token})).status_code

    async def key(token: str) -> int:
        return (await client.get(ME, headers={"X-API-Key": token})).status_code

    async def reset(token: str) -> int:
        try:
            await service.reset_password(app.state.database, settings.signing_key, token, "quiet lanterns over the bay")
        except InvalidResetToken as error:
            return error.status
        return 200

    return {"access": access, "refresh": refresh, "key": key, "reset": reset}


@pytest.mark.parametrize("use", KINDS)
@pytest.mark.parametrize("kind", KINDS)
async def test_a_token_is_of_one_kind(tokens: dict[str, str], uses: Any, kind: str, use: str) -> None:
    status = await uses[use](tokens[kind])
    assert status == 200 if kind == use else status in {400, 401}
    # and a wrong use spoils nothing
    if kind != use:
        assert await uses[kind](tokens[kind]) == 200
