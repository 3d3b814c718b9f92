"""Hostile values in every parameter, header and body leaf of every operation that is no public read (row A1).

The public reads have tests/core/test_nasty.py. Each operation is tried by an admin and, fewer times, by a stranger.
"""

import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from tests.auth.conftest import AddPerson, SignIn
from tests.databases import Lender
from tests.document import DOCUMENT
from vibe4vets.core.config import AuthSettings, LimitSettings, Settings
from vibe4vets.core.embedded import EmbeddedPostgres
from vibe4vets.main import create_app

SendRaw = Callable[..., Awaitable[httpx.Response]]
CANARY = "c4n4ry"
JSON = "application/json"
TEXTS = [
    "\0", "a\0b", "%", "_", "\\", "'", "((", "\u202e", "\u0345" * 200, "x" * 10_001, "${jndi:x}", "\r\nX: y", "٣",
    "\U0010ffff", "\ufeff", "", " ", "null", "nan", "1e999", "-1", "9" * 30, "true", "[]", "1" * 5000,
    "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "' or 1=1 --", "__proto__", "../../etc/passwd", "*",
    "00000000-0000-0000-0000-000000000000", "\x1b[31m", "\x85", "\ufdfa" * 150, f"{CANARY}@example.org", f"{CANARY}\0",
]  # fmt: skip
# as they stand in the document: what Python would not write
LITERALS = [
    b"1e308", b"-0", b"null", b"true", b"0", b"-1", b"1.0", b"1.5", b"2147483648", b"9223372036854775808", b"[]", b"{}",
    b"[[]]", b'{"a":1}', b"[" + b"0," * 1000 + b"0]",
]  # fmt: skip
# what the reader refuses before anybody looks where it stands
UNREADABLE = [
    rb'"\u0000"', rb'"a\ud800"', rb'"\udfff\ud83d"', b"NaN", b"-Infinity", b"1e999", b"9" * 5000, b"[" * 40 + b"]" * 40,
    b'"\xff"', b'"\xed\xa0\x80"', b"", b"x", b'"', b'{"a":1,"a":2}', b'{"\\u0000":1}',
    b'{"' + CANARY.encode() + rb'\ud800":1}',
]  # fmt: skip
RAW = [b"%FF", b"%C0%80", b"%ED%A0%80", b"%G1", b"%", b"\xff", "é".encode()]
UNLIMITED = LimitSettings.model_validate(dict.fromkeys(LimitSettings.model_fields, "off"))
SHARE = 5
"""What one piece of code answers for every operation is shared out among them: each is tried with every fifth value."""
REFUSALS = {400, 404, 409, 410, 412, 413, 414, 415, 422, 428, 431}
Case = tuple[str, str, str, str]  # method, path, where, name


def operation_of(case: Case) -> dict[str, Any]:
    operation: dict[str, Any] = DOCUMENT["paths"][case[1]][case[0]]
    return operation


def is_public_read(method: str, operation: dict[str, Any]) -> bool:
    return method == "get" and "security" not in operation


def resolve(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema that a reference, or the first variant of a choice, stands for."""
    while "$ref" in schema or "anyOf" in schema:
        schema = (
            DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
            if "$ref" in schema
            else schema["anyOf"][0]
        )
    return schema


def body_of(operation: dict[str, Any]) -> tuple[str, dict[str, Any]] | None:
    for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
        return media_type, resolve(content["schema"])
    return None


def leaves(schema: dict[str, Any], where: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The address of every value below an object: objects of objects too, the first item of a list."""
    schema = resolve(schema)
    if where:
        yield where
    if len(where) > 6:  # a schema that holds itself
        return
    for name, part in schema.get("properties", {}).items():
        yield from leaves(part, (*where, name))
    if "items" in schema:
        yield from leaves(schema["items"], (*where, "0"))


def cases() -> Iterator[Case]:
    """Every place where a value may stand; each operation also gets one in its query and body that it does not know."""
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            if is_public_read(method, operation):
                continue
            parameters = [(parameter["in"], parameter["name"]) for parameter in operation.get("parameters", ())]
            headers = {name.lower() for where, name in parameters if where == "header"}
            rest = [name for name in ("Idempotency-Key", "If-Match") if name.lower() not in headers]
            unknown = ("Authorization", "X-API-Key", "Content-Type", *(["+".join(rest)] if rest else []))
            for where, name in (*parameters, ("query", "unknown"), *(("header", name) for name in unknown)):
                yield method, path, where, name
            if found := body_of(operation):
                for leaf in (*leaves(found[1]), ("unknown",)):
                    yield method, path, "body", "/".join(leaf)


def sample(schema: dict[str, Any]) -> Any:
    """A value that the schema allows, or nearly."""
    schema = resolve(schema)
    for key in ("examples", "enum"):
        if key in schema:
            return schema[key][0]
    if "const" in schema or "default" in schema:
        return schema.get("const", schema.get("default"))
    match schema.get("type"):
        case "object":
            return {key: sample(schema["properties"][key]) for key in schema.get("required", ())}
        case "array":
            return []
        case "string":
            return "x" * max(schema.get("minLength", 1), 1)
        case _:
            return 1


PLACE = "the place of the value"


def document_of(schema: dict[str, Any], leaf: list[str]) -> Any:
    """A good document with PLACE at `leaf`."""
    whole = sample(schema)
    spot = whole
    for key, following in zip(leaf, [*leaf[1:], None], strict=True):
        value: Any = PLACE if following is None else [] if following == "0" else {}
        if isinstance(spot, list):
            spot.append(value)
            spot = spot[-1]
        else:
            if following is None or not isinstance(spot.get(key), type(value)) or following == "0":
                spot[key] = value
            spot = spot[key]
    return whole


def is_answered_alike(case: Case) -> bool:
    """Whether the place is none of the operation's own: a header or a name that it does not list."""
    listed = {parameter["name"] for parameter in operation_of(case).get("parameters", ())}
    return (case[2] == "header" and case[3] not in listed) or case[3] == "unknown"


def bodies(case: Case, media_type: str, number: int) -> Iterator[bytes]:
    found = body_of(operation_of(case))
    assert found is not None
    document = document_of(found[1], case[3].split("/"))
    if media_type == JSON:
        whole = json.dumps(document).encode()
        for text in TEXTS:
            yield whole.replace(json.dumps(PLACE).encode(), json.dumps(text).encode())
        for literal in (*LITERALS, *UNREADABLE[number % SHARE :: SHARE]):
            yield whole.replace(json.dumps(PLACE).encode(), literal)
        return
    for raw in (*(quote(text, safe="").encode() for text in TEXTS), *RAW):
        pairs = (
            (name.encode(), raw if value == PLACE else quote(str(value)).encode()) for name, value in document.items()
        )
        yield b"&".join(name + b"=" + value for name, value in pairs)


def beside(case: Case) -> dict[str, Any]:
    """A request for the operation that is good but for the place of the case; what hashes passwords is not reached."""
    method, path, where, name = case
    operation = operation_of(case)
    address, query, headers, body = path.encode(), [], [], b""
    for parameter in operation.get("parameters", ()):
        if not parameter["required"] or parameter["name"] == name:
            continue
        value = quote(str(parameter.get("example", "1"))).encode()
        if parameter["in"] == "path":
            address = address.replace(f"{{{parameter['name']}}}".encode(), value)
        elif parameter["in"] == "query":
            query.append(parameter["name"].encode() + b"=" + value)
        else:
            headers.append((parameter["name"].lower().encode(), value))
    if found := body_of(operation):
        document = {**sample(found[1]), "unknown": "x"}
        body = json.dumps(document).encode() if found[0] == JSON else urlencode(document).encode()
        if where != "header" or name != "Content-Type":
            headers.append((b"content-type", found[0].encode()))
    return {"method": method.upper(), "path": address, "query": b"&".join(query), "headers": headers, "body": body}


@cache
def shares() -> dict[Case, int]:
    """Which share each of the cases that are answered alike tries: those of one name take turns."""
    turns: Counter[tuple[str, str]] = Counter()
    found = {}
    for case in filter(is_answered_alike, cases()):
        found[case] = turns[case[2:]] % SHARE
        turns[case[2:]] += 1
    return found


def requests(case: Case, number: int) -> Iterator[dict[str, Any]]:
    """The hostile requests for the case of this number, as what `send_raw_to` takes."""
    _, _, where, name = case
    first, step = (shares()[case], SHARE) if case in shares() else (0, 1)
    common = beside(case)
    if where == "body":
        (media_type, _) = body_of(operation_of(case)) or ("", {})
        for body in list(bodies(case, media_type, number))[first::step]:
            yield {**common, "body": body}
        return
    for text in [*TEXTS, *RAW][first::step]:
        raw = text if isinstance(text, bytes) else quote(text, safe="").encode()
        if where == "path":
            yield {**common, "path": common["path"].replace(f"{{{name}}}".encode(), raw)}
        elif where == "query":
            yield {**common, "query": b"&".join(filter(None, [common["query"], name.encode() + b"=" + raw]))}
        else:
            value = text if isinstance(text, bytes) else text.encode()
            hostile = [(part.lower().encode(), value) for part in name.split("+")]
            yield {**common, "headers": [*common["headers"], *hostile]}


def check(answer: httpx.Response, told: object, *, is_shut_out: bool) -> None:
    if is_shut_out:  # 404: the value has led to another address
        assert answer.status_code in {400, 401, 404, 413, 414, 415, 431}, told
    else:
        assert answer.status_code < 300 or answer.status_code in REFUSALS | {304, 401, 403, 429}, (told, answer.text)
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json", told
        problem = answer.json()
        assert problem["instance"] == answer.headers["x-request-id"], told
        assert len(problem.get("errors", ())) <= 20, told
        assert len(answer.content) <= 16 * 1024, told
        assert CANARY not in answer.text, told
    assert answer.headers["cache-control"] == "no-store", told


@pytest.fixture(scope="module")
async def database(lender: Lender) -> str:
    """One database for all cases."""
    return await lender.own()


@pytest.fixture(scope="module")
async def sql(server: EmbeddedPostgres, database: str) -> AsyncIterator[asyncpg.Connection]:
    """The owner's connection to it."""
    connection = await asyncpg.connect(server.owner_url(database))
    yield connection
    await connection.close()


@pytest.fixture(scope="module")
def settings(server: EmbeddedPostgres, database: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Every operation turned on, and no limit, which would answer before it does."""
    folder: Path = tmp_path_factory.mktemp("data")
    values = {"DATABASE_URL": server.app_url(database), "secret_key": "x" * 32, "data_dir": folder}
    return Settings.model_validate({**values, "auth": AuthSettings(registration=True), "limits": UNLIMITED})


@pytest.fixture(scope="module")
async def everything(settings: Settings) -> AsyncIterator[FastAPI]:
    """The application."""
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        yield app


Admin = Callable[[], Awaitable[tuple[bytes, bytes]]]


@pytest.fixture
def admin(add_person: AddPerson, sign_in: SignIn) -> Admin:
    """The header of an admin who is new each time, for some operations end his session."""

    async def header() -> tuple[bytes, bytes]:
        credentials = await sign_in(await add_person("admin"))
        return b"authorization", credentials["Authorization"].encode()

    return header


def senders(case: Case, turn: int) -> list[bool]:
    """Whether a stranger sends the request, or an admin, or first one and then the other.

    The guard answers a stranger before his values are read: he tries all of a path, which is read to find the guard,
    and every fifth of the others, at each place another fifth.
    """
    if "security" not in operation_of(case) or case[3] == "Authorization":
        return [True]
    return [True, False] if case[2] == "path" or turn % 5 == 0 else [False]


@pytest.mark.parametrize(("number", "case"), list(enumerate(cases())), ids=[" ".join(case) for case in cases()])
async def test_hostile_values_are_refused_or_harmless(
    send_raw_to: SendRaw, everything: FastAPI, admin: Admin, number: int, case: Case
) -> None:
    is_guarded = "security" in operation_of(case)
    credentials = await admin()
    for turn, request in enumerate(requests(case, number), start=number):
        for is_stranger in senders(case, turn):
            headers = [*request["headers"], *([] if is_stranger else [credentials])]
            body = [request["body"]] if request["body"] else []
            answer = await send_raw_to(everything, **{**request, "headers": headers, "body": body})
            told = (case, request["query"][:80], request["body"][:200], headers)
            check(answer, told, is_shut_out=is_stranger and is_guarded)
            if answer.status_code == 401 and not is_stranger:
                credentials = await admin()
    lists = await send_raw_to(everything, b"/api/v1/resources")
    assert lists.status_code == 200


def test_every_kind_of_place_is_tried() -> None:
    kinds = {(where, body_of(operation_of(case)) is not None) for case in cases() for where in [case[2]]}
    assert {where for where, _ in kinds} >= {"path", "query", "header", "body"}
    names = {case[3] for case in cases() if case[1].endswith("/auth/token")}
    assert {"username", "password", "unknown"} <= names


def test_what_is_shared_out_is_tried_whole() -> None:
    tried: dict[tuple[str, str], set[int]] = {}
    for case, share in shares().items():
        tried.setdefault(case[2:], set()).add(share)
    assert {name for _, name in tried} >= {"unknown", "Authorization", "X-API-Key", "Content-Type"}
    assert all(found == set(range(SHARE)) for found in tried.values())
