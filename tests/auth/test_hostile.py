"""Hostile values in every parameter and every leaf of the body of the operations that need an account (row A1)."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import pytest

from vibe4vets.core.config import AuthSettings, LimitSettings, Settings
from vibe4vets.main import create_app

CANARY = "c4n4ry"
TEXTS = [
    "\0", "a\0b", "%", "\\", "'", "\u202e", "\u0345" * 200, "x" * 10_001, "\r\nX: y", "٣", "\U0010ffff", "\ufeff",
    "", " ", "null", "1e999", "-1", "1_0", str(2**63), "true", "{}", "0001-01-01T00:00:00+14:00",
    "00000000-0000-0000-0000-000000000000", "__proto__", "../../etc/passwd", "\x1b[31m", "\x85", "ﷺ@ﷺ.ﷺ",
    "\u0130@example.org",
]  # fmt: skip
SURROGATES = ["\ud800", "a\udfff"]
VALUES = [None, True, 0, -1, 1.5, 2**31, 2**63, 10**400, [], {}, [[]], ["a"] * 1001, {"a": {"b": 1}}]
ACCEPTED = {200, 201, 202, 204, 304, 400, 401, 403, 404, 409, 412, 413, 414, 415, 422, 428, 431}
DOCUMENT = create_app(Settings.model_validate({"DATABASE_URL": "postgresql://nobody@nowhere/nothing"})).openapi()
OPERATIONS = {
    f"{method.upper()} {path}": operation
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
    if "security" in operation or method != "get"
}
JSON, FORM = "application/json", "application/x-www-form-urlencoded"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Without limits, which would answer before the operation does; partners may register."""
    limits = LimitSettings.model_validate(dict.fromkeys(LimitSettings.model_fields, "off"))
    return settings.model_copy(update={"limits": limits, "auth": AuthSettings(registration=True)})


def body_of(operation: dict[str, Any]) -> tuple[str, dict[str, Any]] | None:
    """The media type of an operation's body, and a good body made of its schema's examples."""
    if "requestBody" not in operation:
        return None
    ((media_type, content),) = operation["requestBody"]["content"].items()
    schema = DOCUMENT["components"]["schemas"][content["schema"]["$ref"].rpartition("/")[2]]
    return media_type, {name: part.get("examples", ["x"])[0] for name, part in schema["properties"].items()}


def address(name: str, **given: str) -> str:
    path = name.split(" ")[1]
    for parameter in OPERATIONS[name].get("parameters", ()):
        if parameter["in"] == "path":
            value = given.get(parameter["name"], "00000000-0000-4000-8000-000000000000")
            path = path.replace(f"{{{parameter['name']}}}", quote(value, safe="", errors="surrogatepass"))
    return path


def requests(name: str) -> Iterator[dict[str, Any]]:
    """Every request with one hostile part."""
    for parameter in [*OPERATIONS[name].get("parameters", ()), {"in": "query", "name": "unknown"}]:
        for text in TEXTS:
            match parameter["in"]:
                case "path":
                    yield {"url": address(name, **{parameter["name"]: text + CANARY})}
                case "query":
                    yield {"url": f"{address(name)}?{urlencode({parameter['name']: text + CANARY})}"}
                case "header" if text.isprintable() and text.isascii():
                    yield {"url": address(name), "headers": {parameter["name"]: text}}
    for media_type, content in bodies(OPERATIONS[name]):
        yield {"url": address(name), "content": content, "headers": {"content-type": media_type}}


def bodies(operation: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Every body with one hostile leaf."""
    body = body_of(operation)
    if body is None:
        return
    media_type, good = body
    for leaf in [*good, "unknown"]:
        if media_type == FORM:
            yield from ((FORM, urlencode(good | {leaf: text})) for text in TEXTS)
            continue
        for value in [*TEXTS, *SURROGATES, *VALUES]:
            yield JSON, json.dumps(good | {leaf: value}).replace(str(10**400), "1e999")


def check(answer: httpx.Response, told: object) -> None:
    assert answer.status_code in ACCEPTED, (answer.status_code, told)
    if answer.status_code < 400:
        return
    assert answer.headers["content-type"] == "application/problem+json", told
    problem = answer.json()
    assert problem["instance"] == answer.headers["x-request-id"], told
    assert len(problem.get("errors", ())) <= 20, told
    assert len(answer.content) <= 16 * 1024, told
    assert CANARY not in answer.text, told


@pytest.mark.parametrize("name", OPERATIONS)
async def test_no_value_reaches_an_unhandled_error(
    client: httpx.AsyncClient, add_person: Any, sign_in: Any, name: str
) -> None:
    """As an admin, who gets furthest; every list can still be read afterwards."""
    admin = await add_person("admin")
    headers: dict[str, str] = await sign_in(admin)
    for request in requests(name):
        url, given = request.pop("url"), headers | request.pop("headers", {})
        answer = await client.request(name.split(" ", 1)[0], url, headers=given, **request)
        check(answer, (name, url[:200], str(request)[:200]))
        if answer.status_code == 401 or name.endswith("/logout"):
            headers = await sign_in(admin)
    for path in ("auth/sessions", "admin/users", "admin/audit-events"):
        assert (await client.get(f"/api/v1/{path}", headers=await sign_in(admin))).status_code == 200


def test_every_operation_is_tried() -> None:
    tried = {name: sum(1 for _ in requests(name)) for name in OPERATIONS}
    assert min(tried.values()) >= len(TEXTS)
    assert sum(tried.values()) > 1500
