"""Failures as RFC 9457 problem details: declared as classes, rendered here and only here."""

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, ClassVar
from uuid import UUID

import asyncpg
import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.websockets import WebSocket, WebSocketState

MEDIA_TYPE = "application/problem+json"
MOST_ERRORS = 20
_INTERNAL, _TRY_AGAIN_LATER = 1011, 1013
RETRY_AFTER_SECONDS = 2
_log = structlog.get_logger()


class Violation(BaseModel):
    """One rule that a request breaks. It never repeats what was sent."""

    model_config = ConfigDict(json_schema_extra={"additionalProperties": False})

    pointer: str = Field(description="JSON Pointer (RFC 6901) to the offending part.", examples=["/query/limit"])
    code: str = Field(description="Stable name of the rule.", examples=["less_than_equal"])
    message: str = Field(description="The rule in words.", examples=["Input should be less than or equal to 100"])


class Problem(BaseModel):
    """The body of every error (RFC 9457)."""

    type: str = Field(description="Stable slug that a client may branch on.", examples=["resource-not-found"])
    title: str = Field(description="What happened, in one sentence.")
    status: int = Field(description="The HTTP status.", ge=400, le=599)
    detail: str = Field(description="What to do about it.")
    instance: str = Field(description="The request's id; quote it when you ask for help.")
    errors: list[Violation] | None = Field(default=None, description="On 422, always there: at most 20 broken rules.")
    successor: str | None = Field(default=None, description="On 410: the id that replaces this one.")
    run_id: str | None = Field(default=None, description="On 409 `run-under-way`: the run that has not ended.")


class AppError(Exception):
    """A failure that the caller can act on. Subclasses set the class attributes."""

    status: ClassVar[HTTPStatus]
    type: ClassVar[str]
    title: ClassVar[str]
    advice: ClassVar[str | None] = None
    """What to do about it, unless an occurrence has a detail of its own; None where the title says it."""
    about: ClassVar[str] = ""
    """On 422: the part of the request (JSON Pointer) that is at fault where no `errors` say it; empty is the whole."""
    headers: Mapping[str, str] = {}
    run_id: UUID | None = None

    def __init__(
        self,
        detail: str | None = None,
        *,
        errors: Sequence[Violation] = (),
        successor: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail, self.errors, self.successor = detail, errors, successor
        self.headers = {**type(self).headers, **(headers or {})}


class InvalidRequest(AppError):
    status, type, title = HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-request", "The request is not valid."
    advice = "Correct what `errors` names, and send the request again."


class MalformedRequest(AppError):
    status, type, title = HTTPStatus.BAD_REQUEST, "malformed-request", "The request cannot be read."
    advice = "Send it as HTTP and JSON want it, in UTF-8."


class NotFound(AppError):
    status, type, title = HTTPStatus.NOT_FOUND, "not-found", "There is nothing at this address."
    advice = "`/openapi.json` lists every address; none ends in a slash."


class MethodNotAllowed(AppError):
    status, type, title = HTTPStatus.METHOD_NOT_ALLOWED, "method-not-allowed", "This address has no such method."
    advice = "The header `Allow` names the methods that it has."


class NotAuthenticated(AppError):
    status, type, title = HTTPStatus.UNAUTHORIZED, "not-authenticated", "This operation needs valid credentials."
    headers = {"WWW-Authenticate": "Bearer"}
    advice = (
        "Sign in by POST /api/v1/auth/token and send the access token as `Authorization: Bearer ...`; "
        "a partner's program sends its key as `X-API-Key`."
    )


class Forbidden(AppError):
    status, type, title = HTTPStatus.FORBIDDEN, "forbidden", "Your role does not allow this operation."
    advice = "Ask an admin, who can give your account another role or your key another scope."


class InternalError(AppError):
    status, type, title = (
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "internal-error",
        "Something went wrong on our side; it has been logged.",
    )
    advice = "Try again later; if it stays, report it with the `instance`."


class Unavailable(AppError):
    status, type, title = HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", "The service cannot answer right now."
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)}
    advice = "Try again in as many seconds as `Retry-After` says."


_HEADERS: Mapping[str, dict[str, Any]] = {
    "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}, "example": RETRY_AFTER_SECONDS},
    "WWW-Authenticate": {
        "description": "What the operation accepts.",
        "schema": {"type": "string"},
        "example": "Bearer",
    },
}


def problem_responses(*errors: type[AppError]) -> dict[int | str, dict[str, Any]]:
    """Document `errors` in OpenAPI, each with an example; classes that share a status share an entry."""
    responses: dict[int | str, dict[str, Any]] = {}
    for error in errors:
        entry = responses.setdefault(
            error.status.value,
            {
                "description": "",
                "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": {}}},
            },
        )
        if error.headers:
            entry["headers"] = {name: _HEADERS[name] for name in error.headers}
        entry["description"] = "\n".join(filter(None, [entry["description"], f"`{error.type}`: {error.title}"]))
        entry["content"][MEDIA_TYPE]["examples"][error.type] = {"value": _example(error)}
    return responses


def _example(error: type[AppError]) -> dict[str, Any]:
    example: dict[str, Any] = {
        "type": error.type,
        "title": error.title,
        "status": error.status.value,
        "detail": error.advice or error.title,
        "instance": "5f0c9a52c9d84d1f8a7f3f0e6d3c2b1a",
    }
    if error.status is HTTPStatus.GONE:
        example["successor"] = "7b0b2f5e-3c35-4f0c-9f9c-0d6c1a7f2f11"
    if error is InvalidRequest:
        example["errors"] = [
            {
                "pointer": "/query/limit",
                "code": "less_than_equal",
                "message": "Input should be less than or equal to 100",
            }
        ]
    elif error.status is HTTPStatus.UNPROCESSABLE_ENTITY:
        example["errors"] = [{"pointer": error.about, "code": error.type, "message": example["detail"]}]
    return example


def problem_body(error: AppError, instance: str) -> bytes:
    """Render `error` as the bytes of a problem document."""
    detail = error.detail or error.advice or error.title
    errors = list(error.errors)[:MOST_ERRORS]
    if error.status is HTTPStatus.UNPROCESSABLE_ENTITY and not errors:
        errors = [Violation(pointer=error.about, code=error.type, message=detail[:300])]
    problem = Problem(
        type=error.type,
        title=error.title,
        status=error.status,
        detail=detail,
        instance=instance,
        errors=errors or None,
        successor=error.successor,
        run_id=None if error.run_id is None else str(error.run_id),
    )
    return problem.model_dump_json(exclude_none=True).encode()


def violations(errors: Sequence[Any]) -> list[Violation]:
    """Pydantic's errors without their input or context: those may hold a password."""
    return [
        Violation(pointer=_pointer(error["loc"]), code=_code(error), message=_message(error))
        for error in errors[:MOST_ERRORS]
    ]


def _pointer(location: Sequence[int | str]) -> str:
    """A JSON Pointer; a part of the caller's own making (an unknown key) is kept short and clean."""
    parts = (json.dumps(str(part))[1:-1].replace("~", "~0").replace("/", "~1")[:64] for part in location[:16])
    return "/" + "/".join(parts)


_PLAIN_MESSAGES = {
    # Pydantic's own words repeat a part of the input
    "uuid_parsing": "Input should be a valid UUID",
    # and here they speak of items, for the length is checked once the text is in its final form
    "string_too_long": "Input should have at most {max_length} characters",
    "string_too_short": "Input should have at least {min_length} characters",
}


def _code(error: Mapping[str, Any]) -> str:
    """The rule's name; a text's length goes by one name, whenever it is checked."""
    code = str(error["type"])[:64]
    return f"string_{code}" if error.get("ctx", {}).get("field_type") == "Value" else code


def _message(error: Mapping[str, Any]) -> str:
    plain = _PLAIN_MESSAGES.get(_code(error))
    if plain is not None:
        return plain.format_map(error.get("ctx", {}))
    return str(error["msg"]).removeprefix("Value error, ")[:300]


UNAVAILABLE_STATES = frozenset(
    {
        "25006",  # read_only_sql_transaction: a failover is going on
        "40001",  # serialization_failure
        "40P01",  # deadlock_detected
        "42501",  # insufficient_privilege: the operator's grants are not complete
        "42P01",  # undefined_table: the schema is behind the code
        "42703",  # undefined_column: likewise
        "53000", "53100", "53200", "53300", "53400",  # disk full, out of memory, too many connections
        "55P03",  # lock_not_available
        "57014",  # query_canceled: statement timeout
        "57P01", "57P02", "57P03", "57P04", "57P05",  # the server stops, crashes or starts
        "58000", "58030",  # system and I/O errors
    }
)  # fmt: skip
UNSTORABLE_STATES = frozenset(
    {"22000", "22001", "22003", "22021", "22P02", "22P05", "2201W", "2201X", "54000", "54001"}
)
REFUSED_STATES = frozenset({"23502", "23514"})
CONFLICT_STATES = frozenset({"23503", "23505"})


class Conflict(AppError):
    status, type, title = HTTPStatus.CONFLICT, "conflict", "The request conflicts with what is stored."
    advice = "Read it again, and decide whether the change is still needed."


def database_fault(error: BaseException) -> AppError:
    """What a fault of the database means for the caller (reliability table 3.3)."""
    state = sql_state(error)
    if state is None:
        down = isinstance(error, OSError | TimeoutError | PoolTimeoutError | asyncpg.InterfaceError | DBAPIError)
        return Unavailable() if down else InternalError()
    if state in UNSTORABLE_STATES or state in REFUSED_STATES:
        return InvalidRequest("A value cannot be stored; check the text and numbers that were sent.")
    if state in CONFLICT_STATES:
        return Conflict()
    if state in UNAVAILABLE_STATES or state.startswith("08"):
        return Unavailable()
    return InternalError()


def sql_state(error: BaseException) -> str | None:
    """The SQLSTATE of a driver error, also where SQLAlchemy has wrapped it."""
    seen: BaseException | None = error.orig if isinstance(error, DBAPIError) else error
    while seen is not None:
        state = getattr(seen, "sqlstate", None)
        if isinstance(state, str):
            return state
        seen = seen.__cause__
    return None


_BY_STATUS: Mapping[int, type[AppError]] = {400: MalformedRequest, 404: NotFound, 405: MethodNotAllowed}


def to_app_error(error: BaseException) -> AppError:
    """Translate whatever was raised into the problem that the caller sees."""
    match error:
        case AppError():
            return error
        case RequestValidationError():
            return InvalidRequest(errors=violations(error.errors()))
        case ClientDisconnect():  # in the middle of its body; nobody reads the answer
            return MalformedRequest()
        case HTTPException():
            return _BY_STATUS.get(error.status_code, InternalError)()
        case OSError() | PoolTimeoutError() | DBAPIError() | asyncpg.PostgresError() | asyncpg.InterfaceError():
            return database_fault(error)
        case _:
            return InternalError()


async def refuse_socket(socket: WebSocket, problem: AppError) -> None:
    """Answer a socket that is not open yet with the problem; one that is open can only be closed."""
    if socket.application_state is not WebSocketState.CONNECTING:
        await socket.close(_INTERNAL if isinstance(problem, InternalError) else _TRY_AGAIN_LATER)
        return
    body = problem_body(problem, socket.state.request_id)
    await socket.send_denial_response(Response(body, problem.status, {**problem.headers}, media_type=MEDIA_TYPE))


def install_error_handlers(app: FastAPI) -> None:
    """Make every error leave `app` as a `Problem`; unexpected ones say nothing about their cause."""

    async def answer(connection: HTTPConnection, error: Exception) -> Response:
        problem = to_app_error(error)
        if isinstance(problem, InternalError):
            _log.error("unhandled error", exc_info=error)
        elif isinstance(problem, Unavailable):
            _log.warning("unavailable", exc_info=error)
        headers = {**problem.headers}
        if isinstance(error, HTTPException) and error.headers:
            headers.update(error.headers)
        if isinstance(connection, WebSocket):
            await refuse_socket(connection, problem)
        body = problem_body(problem, connection.state.request_id)
        return Response(body, problem.status, headers, media_type=MEDIA_TYPE)

    faults = (OSError, PoolTimeoutError, DBAPIError, asyncpg.PostgresError, asyncpg.InterfaceError)
    for kind in (AppError, RequestValidationError, HTTPException, *faults, Exception):
        app.add_exception_handler(kind, answer)
