"""The OpenAPI document: FastAPI's, made true where it guesses."""

import json
from typing import Any

from fastapi import FastAPI

from vibe4vets.core.errors import MEDIA_TYPE, AppError, MalformedRequest, Problem, problem_responses
from vibe4vets.core.http.answers import NOT_MODIFIED
from vibe4vets.core.http.exceptions import (
    AddressTooLong,
    BodyTooLarge,
    CredentialsInAddress,
    HeadersTooLarge,
    RequestTimeout,
    UnknownHost,
    UnsupportedMediaType,
)
from vibe4vets.core.http.idempotency import IDEMPOTENCY_KEY, REPLAYED
from vibe4vets.core.idempotency import IdempotencyKeyInUse, IdempotencyKeyReused
from vibe4vets.core.schemas import COMMA_SEPARATED

TAGS = [
    {"name": "search", "description": "Find help by words."},
    {"name": "resources", "description": "Programs and places, as published."},
    {"name": "organizations", "description": "Who offers them."},
    {"name": "terms", "description": "Categories, tags and states, with counts."},
    {"name": "suggestions", "description": "Tell what is missing or wrong; no account needed."},
    {"name": "proposals", "description": "What partners propose."},
    {"name": "editing", "description": "Acts of editors: create, change, archive, restore, verify."},
    {"name": "staff", "description": "What staff read: any status, history."},
    {"name": "accounts", "description": "Sign in, and mind your own account. Reading the directory needs none."},
    {"name": "users", "description": "Accounts, for admins."},
    {"name": "api keys", "description": "Keys of partners' programs, for admins."},
    {"name": "audit", "description": "Who did what, for admins."},
    {"name": "review", "description": "Decide what people propose."},
    {"name": "duplicates", "description": "Resources that may be one, and making them one."},
    {"name": "verification", "description": "What somebody should check first."},
    {"name": "lexicon", "description": "What people say and what it means, and what they search for."},
    {"name": "connectors", "description": "Where records come from: schedules, runs, uploads."},
    {"name": "statistics", "description": "How the directory is doing."},
    {"name": "operations", "description": "For those who run the service."},
]
_REQUEST_ID = {
    "description": "The request's id; a problem repeats it as `instance`. Send your own to choose it.",
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9-]{8,64}$"},
    "example": "5f0c9a52c9d84d1f8a7f3f0e6d3c2b1a",
}
_ETAG = {
    "description": "Changes whenever the answer does; send it back as `If-None-Match`.",
    "schema": {"type": "string"},
    "example": '"mQ3n0vTtY0u1Y2r9tXkq4w"',
}
_CACHE_CONTROL = {
    "description": "How long a copy may be used without asking again.",
    "schema": {"type": "string"},
    "example": "public, max-age=60, stale-while-revalidate=300",
}
_LINK = {
    "description": 'The next page, `<...>; rel="next"` (RFC 8288), relative to this address; absent on the last.',
    "schema": {"type": "string"},
    "example": '</api/v1/resources?limit=20&cursor=LOR-YAIJM7RbMC41>; rel="next"',
}
_LIMITED = {
    "RateLimit-Policy": {
        "description": "The limits that hold here: name, requests (`q`), seconds (`w`); absent where they are off.",
        "schema": {"type": "string"},
        "example": '"public-reads";q=600;w=60',
    },
    "RateLimit": {
        "description": "What is left of each limit: requests (`r`), seconds until it begins anew (`t`).",
        "schema": {"type": "string"},
        "example": '"public-reads";r=587;t=21',
    },
}
_REPLAYED = {
    "description": "Present when this is the answer that the first request with this `Idempotency-Key` got.",
    "schema": {"type": "string", "enum": ["true"]},
    "example": "true",
}
_IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "The `ETag` of the copy at hand: 304 while it is current.",
    "schema": {"type": "string", "examples": ['"mQ3n0vTtY0u1Y2r9tXkq4w"']},
}


_AT_THE_DOOR = (MalformedRequest, UnknownHost, CredentialsInAddress, AddressTooLong, HeadersTooLarge)
_WITH_A_BODY = (RequestTimeout, BodyTooLarge, UnsupportedMediaType)


def describe(app: FastAPI) -> None:
    """Make `app.openapi()` tell what the service really answers."""
    app.openapi_tags = TAGS
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = generate()
            schemas = document["components"]["schemas"]
            # ours replaces FastAPI's own shape of a 422, which this service never sends
            for unused in ("HTTPValidationError", "ValidationError"):
                schemas.pop(unused, None)
            problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas.update(problem.pop("$defs"))
            schemas["Problem"] = problem
            for path in document["paths"].values():
                for method, operation in path.items():
                    _describe(operation, is_read=method == "get" and "operations" not in operation.get("tags", ()))
        return app.openapi_schema or {}

    app.openapi = openapi  # type: ignore[method-assign]


def _describe(operation: dict[str, Any], *, is_read: bool) -> None:
    is_public_read = "304" in operation["responses"]
    if is_read:
        operation["responses"] |= {str(status): {**response} for status, response in NOT_MODIFIED.items()}
    _describe_parameters(operation)
    _describe_refusals(operation)
    _describe_headers(operation, is_public_read=is_public_read)
    _describe_success(operation)


def _describe_parameters(operation: dict[str, Any]) -> None:
    for parameter in operation.get("parameters", ()):
        schema = parameter["schema"]
        variants = schema.get("anyOf", ())
        if {"type": "null"} in variants:  # a parameter is left out, never null
            del schema["anyOf"]
            schema.update(next(variant for variant in variants if variant != {"type": "null"}))
        if parameter["required"] and "examples" in schema:  # what "Try it out" begins with
            parameter["example"] = schema["examples"][0]
        if schema.pop(COMMA_SEPARATED, False):
            parameter.update(style="form", explode=False)
    if "304" in operation["responses"]:
        operation.setdefault("parameters", []).append(_IF_NONE_MATCH)
    operation.get("parameters", []).sort(key=lambda parameter: not parameter["required"])


def _describe_refusals(operation: dict[str, Any]) -> None:
    """Add what the doorway and the reading of bodies may answer, and what an `Idempotency-Key` may be told."""
    is_idempotent = any(parameter["name"] == IDEMPOTENCY_KEY for parameter in operation.get("parameters", ()))
    _add_problems(
        operation,
        *_AT_THE_DOOR,
        *(_WITH_A_BODY if "requestBody" in operation else ()),
        *((IdempotencyKeyInUse, IdempotencyKeyReused) if is_idempotent else ()),
    )


def _add_problems(operation: dict[str, Any], *errors: type[AppError]) -> None:
    responses = operation["responses"]
    for error in errors:
        (status, ours), *_ = problem_responses(error).items()
        entry = responses.setdefault(str(status), ours)
        examples = entry["content"][MEDIA_TYPE]["examples"]
        if error.type not in examples:
            examples |= ours["content"][MEDIA_TYPE]["examples"]
            entry["description"] += f"\n{ours['description']}"
    operation["responses"] = dict(sorted(responses.items()))


def _describe_success(operation: dict[str, Any]) -> None:
    """Examples travelled as text; an answer without a body (204) has none."""
    for status, response in operation["responses"].items():
        if status.startswith("2"):
            for content in response.get("content", {}).values():
                if "example" in content:
                    content["example"] = json.loads(content["example"])


def _describe_headers(operation: dict[str, Any], *, is_public_read: bool) -> None:
    parameters = {parameter["name"] for parameter in operation.get("parameters", ())}
    for status, response in operation["responses"].items():
        headers = response.setdefault("headers", {})
        headers["X-Request-ID"] = _REQUEST_ID
        if status in {"200", "304"} and "304" in operation["responses"]:
            headers["ETag"] = _ETAG
            if is_public_read:
                headers["Cache-Control"] = _CACHE_CONTROL
        if status == "200" and "cursor" in parameters:
            headers["Link"] = _LINK
        if "429" in operation["responses"] and (status[0] in "23" or status == "429"):
            headers.update(_LIMITED)
        if status[0] == "2" and IDEMPOTENCY_KEY in parameters:
            headers[REPLAYED] = _REPLAYED
