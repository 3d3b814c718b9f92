"""Every failure becomes one shape, tells what to do, and never repeats what was sent or what broke."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from http import HTTPStatus

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException

from vibe4vets.connectors.exceptions import UnusableFile
from vibe4vets.core.config import HTTPSettings, Settings
from vibe4vets.core.database import Session
from vibe4vets.core.errors import (
    AppError,
    InternalError,
    InvalidRequest,
    NotFound,
    Problem,
    Unavailable,
    Violation,
    problem_body,
    problem_responses,
    to_app_error,
    violations,
)
from vibe4vets.main import create_app

STATUS_OF_STATE = {
    **dict.fromkeys(["22021", "22P05", "22P02", "22001", "22003", "22000", "2201W", "2201X", "54000", "54001"], 422),
    **dict.fromkeys(["23514", "23502"], 422),
    **dict.fromkeys(["23505", "23503"], 409),
    **dict.fromkeys(["08000", "08003", "08006", "57P01", "57P02", "57P03", "57014", "55P03", "53100", "53300"], 503),
    **dict.fromkeys(["25006", "40001", "40P01", "42501", "42P01", "42703", "58030"], 503),
    **dict.fromkeys(["42601", "XX000", "22012", "P0001"], 500),
}


@pytest.mark.parametrize(("state", "status"), STATUS_OF_STATE.items())
def test_a_fault_of_the_database_has_its_status(state: str, status: int) -> None:
    error = asyncpg.PostgresError.new({"C": state, "M": "a secret value"})
    wrapped = DBAPIError("select secret", {}, error)
    for raised in (error, wrapped):
        problem = to_app_error(raised)
        assert problem.status == status
        assert b"secret" not in problem_body(problem, "id")
        assert ("Retry-After" in problem.headers) == (status == 503)


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError(),
        TimeoutError(),
        OSError(28, "disk"),
        PoolTimeoutError(),
        asyncpg.InterfaceError("closed"),
    ],
)
def test_a_database_out_of_reach_is_unavailable(error: Exception) -> None:
    assert isinstance(to_app_error(error), Unavailable)


def test_what_nobody_expected_is_internal() -> None:
    for error in (RuntimeError("secret"), KeyError("secret"), HTTPException(418, "secret")):
        problem = to_app_error(error)
        assert isinstance(problem, InternalError)
        assert b"secret" not in problem_body(problem, "id")
    assert isinstance(to_app_error(HTTPException(404)), NotFound)


def test_a_problem_is_exact() -> None:
    error = InvalidRequest("Do this.", errors=[Violation(pointer="/query/x", code="c", message="m")])
    assert Problem.model_validate_json(problem_body(error, "the-id")).model_dump(exclude_none=True) == {
        "type": "invalid-request",
        "title": "The request is not valid.",
        "status": 422,
        "detail": "Do this.",
        "instance": "the-id",
        "errors": [{"pointer": "/query/x", "code": "c", "message": "m"}],
    }
    many = [Violation(pointer="/", code="c", message="m")] * 50
    assert len(Problem.model_validate_json(problem_body(InvalidRequest(errors=many), "id")).errors or ()) == 20


def _kinds(parent: type[AppError] = AppError) -> Iterator[type[AppError]]:
    for kind in parent.__subclasses__():
        yield from (kind, *_kinds(kind))


def test_every_problem_says_what_to_do_and_every_422_what_is_wrong() -> None:
    kinds = [kind for kind in _kinds() if hasattr(kind, "title")]  # all of them: `main` imports every module
    assert len(kinds) > 50
    for kind in kinds:
        error = kind.__new__(kind)
        AppError.__init__(error)  # as if nothing were known about the occurrence
        problem = Problem.model_validate_json(problem_body(error, "id"))
        assert problem.detail
        assert kind.advice or any(mark in kind.title for mark in ";:"), kind
        assert bool(problem.errors) == (problem.status == 422), kind
    (violation,) = Problem.model_validate_json(problem_body(UnusableFile("Line 3 is not UTF-8"), "id")).errors or ()
    assert violation == Violation(pointer="/body/file", code="unusable-file", message="Line 3 is not UTF-8")


def test_violations_hold_no_input() -> None:
    adapter = TypeAdapter(dict[str, list[int]])
    with pytest.raises(ValidationError) as caught:
        adapter.validate_python({"a/b~c\x00": ["secret"] * 30})
    found = violations(caught.value.errors())
    assert len(found) == 20
    assert found[0].pointer == "/a~1b~0c\\u0000/0"
    assert "secret" not in "".join(violation.model_dump_json() for violation in found)


def test_pointers_stay_short() -> None:
    found = violations([{"loc": ("x" * 5000,) * 100, "type": "t" * 500, "msg": "m" * 5000}])
    assert len(found[0].model_dump_json()) < 2000


def test_documented_problems_share_a_status() -> None:
    documented = problem_responses(InvalidRequest, Unavailable, NotFound)
    assert set(documented) == {422, 503, 404}
    assert documented[503]["headers"]["Retry-After"]["example"] == 2
    assert HTTPStatus.NOT_FOUND.value in documented


async def test_pointers_name_the_parameter(reader: httpx.AsyncClient) -> None:
    cases = {
        "resources?limit=0": ("/query/limit", "greater_than_equal"),
        "resources?state=OH&state=XX": ("/query/state/1", "string_pattern_mismatch"),
        "resources?category=houses": ("/query/category/0", "enum"),
        "resources?sort=name": ("/query/sort", "enum"),
        "resources?id=x": ("/query/id/0", "uuid_parsing"),
        "resources?nonsense=1": ("/query/nonsense", "extra_forbidden"),
        "resources/not-a-uuid": ("/path/resource_id", "uuid_parsing"),
        "organizations/1": ("/path/organization_id", "uuid_parsing"),
        "search": ("/query/q", "missing"),
        "search?q=": ("/query/q", "string_too_short"),
        "search?q=x&facets=category,nonsense": ("/query/facets/1", "enum"),
        "resources?updated_since=1700000000": ("/query/updated_since", "datetime_parsing"),
        "resources?updated_since=2026-11-01T00:00:00": ("/query/updated_since", "timezone_aware"),
    }
    for address, (pointer, code) in cases.items():
        answer = await reader.get(f"/api/v1/{address}")
        assert answer.status_code == 422, address
        assert [(error["pointer"], error["code"]) for error in answer.json()["errors"]] == [(pointer, code)], address
        assert all(len(error["message"]) > 5 for error in answer.json()["errors"])
        assert "nonsense" not in answer.text.replace("/query/nonsense", "")


async def test_no_message_repeats_a_part_of_the_input(reader: httpx.AsyncClient) -> None:
    for path, name in (("resources/zzz", "resource_id"), ("resources?id=zzz", "id")):
        error = (await reader.get(f"/api/v1/{path}")).json()["errors"][0]
        assert name in error["pointer"]
        assert error["message"] == "Input should be a valid UUID"


async def test_an_answer_that_is_late_is_unavailable(settings: Settings, session: Session) -> None:
    """Another session holds the table; the deadline ends the wait, and the next request is served."""
    app = create_app(settings.model_copy(update={"http": HTTPSettings(deadline=timedelta(seconds=0.2))}))
    transport = httpx.ASGITransport(app)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        assert (await client.get("/api/v1/resources")).status_code == 200
        await session.execute(text("select 1"))
        await session.execute(text("lock table published_resources in access exclusive mode"))
        answers = await asyncio.gather(*(client.get("/api/v1/resources") for _ in range(3)))
        await session.rollback()
        for answer in answers:
            assert (answer.status_code, answer.json()["type"]) == (503, "unavailable")
            assert answer.headers["retry-after"] == "2"
            assert answer.json()["instance"] == answer.headers["x-request-id"]
        assert (await client.get("/api/v1/resources")).status_code == 200


async def test_an_answer_cut_off_half_way_is_not_taken_for_whole(directory: FastAPI) -> None:
    """Nobody listens: what the server's own sending raises must reach the server."""

    async def refuse(_: object) -> None:
        raise RuntimeError

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
        "path": "/health/live", "raw_path": b"/health/live", "query_string": b"", "root_path": "",
        "headers": [(b"host", b"x")], "client": None, "server": None, "state": {},
    }  # fmt: skip

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    with pytest.raises(RuntimeError):
        await directory(scope, receive, refuse)  # type: ignore[arg-type]
