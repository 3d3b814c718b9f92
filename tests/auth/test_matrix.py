"""Who may use which operation: auth/matrix.toml says it for every one, and every one is asked as everybody (row C1)."""

import re
import tomllib
from collections.abc import Iterator
from datetime import timedelta
from importlib.resources import files
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts

from tests.document import APP, DOCUMENT
from vibe4vets.auth import service
from vibe4vets.auth.models import KeyScope
from vibe4vets.core.audit import SYSTEM
from vibe4vets.core.config import Settings
from vibe4vets.core.database import Session
from vibe4vets.core.http import GuardedRoute
from vibe4vets.main import create_app

MATRIX = tomllib.loads(files("vibe4vets.auth").joinpath("matrix.toml").read_text(encoding="utf-8"))
ROLES = ("partner", "reviewer", "editor", "admin")
SIGNED_IN: dict[str, list[str]] = MATRIX["signed-in"]
SCOPES: dict[str, str] = MATRIX["scopes"]
NOWHERE = "00000000-0000-4000-8000-000000000000"


def documented() -> dict[str, dict[str, Any]]:
    """Every operation of the document as `METHOD /path`."""
    return {
        f"{method.upper()} {path}": operation
        for path, methods in DOCUMENT["paths"].items()
        for method, operation in methods.items()
    }


def routed(app: FastAPI) -> Iterator[tuple[str, APIRoute]]:
    """Every operation that the application routes, whether or not its document tells of it."""
    for context in iter_route_contexts(app.routes):
        if isinstance(context.original_route, APIRoute):
            for method in sorted(context.methods or ()):
                yield f"{method} {context.path}", context.original_route


def test_every_operation_is_in_the_matrix() -> None:
    known = [*MATRIX["anybody"], *SIGNED_IN]
    assert sorted(known) == sorted(documented())
    hidden = {name for name, route in routed(APP) if not route.include_in_schema}
    assert {name for name, _ in routed(APP)} - hidden == set(known)
    assert all(re.match(r"GET /(docs|redoc|metrics)", name) for name in hidden)


def test_an_operation_that_is_absent_is_seen() -> None:
    app = create_app(Settings.model_validate({"DATABASE_URL": "postgresql://nobody@nowhere/nothing"}))
    app.add_api_route("/api/v1/new", lambda: None, methods=["PUT"])
    assert {name for name, _ in routed(app)} - {name for name, _ in routed(APP)} == {"PUT /api/v1/new"}


def test_every_guarded_operation_is_told_as_one() -> None:
    for name, operation in documented().items():
        if name in MATRIX["anybody"]:
            assert "security" not in operation, name
            continue
        schemes = {scheme for requirement in operation["security"] for scheme in requirement}
        assert schemes == ({"password", "apiKey"} if "key" in SIGNED_IN[name] else {"password"}), name
        for status, slugs in (("401", {"not-authenticated", "invalid-token"}), ("403", {"forbidden"})):
            if status == "401" or set(SIGNED_IN[name]) < {*ROLES, "key"}:
                assert slugs <= set(
                    operation["responses"][status]["content"]["application/problem+json"]["examples"]
                ), name
    assert all(isinstance(route, GuardedRoute) for name, route in routed(APP) if name in SIGNED_IN)


async def ask(client: httpx.AsyncClient, name: str, headers: dict[str, str], *, well: bool = False) -> httpx.Response:
    """Ask for a thing that does not exist, with a parameter and a body that are wrong, unless all is to be `well`."""
    method, path = name.split(" ")
    address = re.sub(r"{\w+}", NOWHERE, path)
    if well:
        return await client.request(method, address, headers=headers)
    content: dict[str, Any] = {"json": {"no": "such field"}} if "requestBody" in documented()[name] else {}
    return await client.request(method, f"{address}?no=such", headers=headers, **content)


@pytest.mark.parametrize("name", SIGNED_IN)
async def test_a_stranger_learns_nothing(reader: httpx.AsyncClient, name: str) -> None:
    """Rows B1 and C7: not what exists, not which parameters there are, not what is wrong with the body."""
    for headers in (
        {},
        {"Authorization": "Basic eDp5"},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer x.y.z"},
    ):
        for well in (False, True):
            answer = await ask(reader, name, headers, well=well)
            assert answer.status_code == 401, headers
            assert answer.headers["www-authenticate"].startswith("Bearer")
            assert answer.headers["cache-control"] == "no-store"
            assert "errors" not in answer.json()


@pytest.fixture
def credentials(session: Session, settings: Settings, add_person: Any, sign_in: Any) -> Any:
    """Headers of somebody with a role, or of a partner's program: each time new ones, for some operations end them."""

    async def credentials(role: str) -> dict[str, str]:
        if role != "key":
            headers: dict[str, str] = await sign_in(await add_person(role))
            return headers
        partner = await service.lock_user(session, (await add_person("partner")).id)
        given: dict[str, Any] = {"name": "site", "scopes": KeyScope, "lifetime": timedelta(days=1), "actor": SYSTEM}
        key = await service.create_key(session, settings.signing_key, partner, **given)
        await session.commit()
        return {"X-API-Key": key.text}

    return credentials


@pytest.mark.parametrize("role", [*ROLES, "key"])
async def test_a_role_may_what_the_matrix_says(client: httpx.AsyncClient, credentials: Any, role: str) -> None:
    for name, allowed in SIGNED_IN.items():
        headers = await credentials(role)
        for well in (False, True):
            answer = await ask(client, name, headers, well=well)
            if role not in allowed:
                assert (answer.status_code, answer.json()["type"]) == (403, "forbidden"), name
                assert "errors" not in answer.json()
            else:
                assert answer.status_code in ({200, 202, 204, 404, 422, 428} if well else {422}), (name, answer.text)


def test_whatever_a_key_may_has_a_scope() -> None:
    """But for telling whose key it is."""
    open_to_keys = {name for name, allowed in SIGNED_IN.items() if "key" in allowed}
    assert open_to_keys - {"GET /api/v1/auth/me"} == SCOPES.keys()
    assert {*SCOPES.values()} == {*KeyScope}


@pytest.mark.parametrize("scope", KeyScope)
async def test_a_key_may_what_its_scopes_say(
    client: httpx.AsyncClient, session: Session, settings: Settings, add_person: Any, scope: KeyScope
) -> None:
    partner = await service.lock_user(session, (await add_person("partner")).id)
    given: dict[str, Any] = {"name": "site", "scopes": [scope], "lifetime": timedelta(days=1), "actor": SYSTEM}
    key = await service.create_key(session, settings.signing_key, partner, **given)
    await session.commit()
    for name, needed in SCOPES.items():
        answer = await ask(client, name, {"X-API-Key": key.text}, well=True)
        if needed == scope:
            assert answer.status_code in {200, 202, 404, 422}, (name, answer.text)
        else:
            assert (answer.status_code, answer.json()["type"]) == (403, "forbidden"), name
            assert f"`{needed}`" in answer.json()["detail"]
    assert (await client.get("/api/v1/auth/me", headers={"X-API-Key": key.text})).status_code == 200
