"""The OpenAPI document tells the truth: it is valid, complete, and every answer matches what it promises."""

import re
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import httpx
from fastapi import FastAPI
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from sqlalchemy import text

from tests.document import DOCUMENT
from vibe4vets.core.config import Settings
from vibe4vets.core.database import Session
from vibe4vets.main import create_app
from vibe4vets.resources import service
from vibe4vets.resources.schemas import ResourceIntake, SourceIntake

SendRaw = Callable[..., Awaitable[httpx.Response]]
NOWHERE = "00000000-0000-4000-8000-000000000000"
TOKEN = f"sug_{'a' * 43}"
PROBLEM = "application/problem+json"
FILES = {
    "/api/v1/resources/export.csv": "text/csv; charset=utf-8",
    "/api/v1/resources/export.ndjson": "application/x-ndjson",
    "/api/v1/resources/export.geojson": "application/geo+json",
}
"""The operations that answer with something else than one JSON document for programs."""


def operations() -> list[tuple[str, dict[str, Any]]]:
    return [(path, operation) for path, methods in DOCUMENT["paths"].items() for operation in methods.values()]


def reads() -> list[tuple[str, dict[str, Any]]]:
    """The operations that are open to everybody and change nothing."""
    paths = DOCUMENT["paths"].items()
    return [(path, methods["get"]) for path, methods in paths if "security" not in methods.get("get", {"security": 0})]


def success(operation: dict[str, Any]) -> str:
    """The one status of an operation that succeeds."""
    (status,) = [status for status in operation["responses"] if status.startswith("2")]
    return status


def validator(schema: dict[str, Any]) -> Draft202012Validator:
    """A validator of `schema`, which may refer to the document's components; formats count."""
    whole = {**schema, "components": DOCUMENT["components"]}
    return Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER)


def contents() -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    """Every body that an answer may have: path, status, media type, content."""
    for path, operation in operations():
        for status, response in operation["responses"].items():
            for media_type, content in response.get("content", {}).items():
                yield path, status, media_type, content


def test_it_is_openapi_3_1() -> None:
    assert DOCUMENT["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(DOCUMENT).validate()


def test_operations_are_described() -> None:
    known_tags = {tag["name"] for tag in DOCUMENT["tags"]}
    ids = [operation["operationId"] for _, operation in operations()]
    assert len(set(ids)) == len(ids) == 88
    for path, operation in operations():
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", operation["operationId"])
        assert re.fullmatch(r"[A-Z][a-z ]+\??", operation["summary"]), path
        assert len(operation["description"]) > 30, path
        assert operation["tags"], path
        assert set(operation["tags"]) <= known_tags
        assert len(operation["responses"][success(operation)]["description"]) > 10


def test_parameters_are_described_and_exemplified() -> None:
    for path, operation in operations():
        for parameter in operation.get("parameters", ()):
            told = (path, parameter["name"])
            assert len(parameter["description"]) > 10, told
            schema = parameter["schema"]
            assert "anyOf" not in schema, told
            assert schema["examples"], told
            for example in [*schema["examples"], *([parameter["example"]] if parameter["required"] else [])]:
                validator(schema).validate(example)
            if schema.get("type") == "array":
                assert schema["maxItems"] > 1, told
            elif schema.get("type") == "string" and parameter["in"] == "query":
                assert schema.keys() & {"maxLength", "format"}, told


def test_every_body_has_an_example_that_matches_its_schema() -> None:
    count = 0
    for path, status, media_type, content in contents():
        examples = [content["example"]] if "example" in content else []
        examples += [example["value"] for example in content.get("examples", {}).values()]
        assert examples, (path, status)
        assert media_type == (FILES.get(path, "application/json") if status.startswith("2") else PROBLEM)
        for example in examples:
            validator(content["schema"]).validate(example)
            count += 1
    assert count > 50


def test_an_example_that_does_not_match_would_be_seen() -> None:
    schema = DOCUMENT["paths"]["/api/v1/resources"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert not validator(schema).is_valid({"items": [{"id": NOWHERE}], "total": 1})
    assert not validator({"type": "string", "format": "uuid"}).is_valid("x")


def test_component_examples_match() -> None:
    seen = 0
    for schema in DOCUMENT["components"]["schemas"].values():
        for example in [schema["example"]] if "example" in schema else schema.get("examples", []):
            validator(schema).validate(example)
            seen += 1
        for part in schema.get("properties", {}).values():
            for example in part.get("examples", []):
                validator(part).validate(example)
                seen += 1
    assert seen > 5


def test_problems_are_ours() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    assert {"Problem", "Violation"} <= set(schemas)
    assert not {"HTTPValidationError", "ValidationError"} & set(schemas)
    for path, operation in operations():
        expected = {"400", "414", "422", "431", "500"}
        if "{" in path and "/mappings/" not in path:  # of any source there is a mapping, if an empty one
            expected.add("404")
        expected |= {"503"} if path != "/health/live" else set()
        assert expected <= set(operation["responses"]), path
    for path, status, media_type, content in contents():
        if media_type != PROBLEM:
            continue
        assert content["schema"] == {"$ref": "#/components/schemas/Problem"}
        for slug, example in content["examples"].items():
            assert (example["value"]["type"], example["value"]["status"]) == (slug, int(status)), path
    gone = DOCUMENT["paths"]["/api/v1/resources/{resource_id}"]["get"]["responses"]["410"]
    assert "successor" in gone["content"][PROBLEM]["examples"]["resource-gone"]["value"]


def test_headers_are_told() -> None:
    for path, operation in operations():
        is_paged = any(parameter["name"] == "cursor" for parameter in operation.get("parameters", ()))
        for status, response in operation["responses"].items():
            assert "X-Request-ID" in response["headers"], (path, status)
            assert ("Retry-After" in response["headers"]) == (status in {"429", "503"}), (path, status)
            is_cached = status in {"200", "304"} and "304" in operation["responses"]
            assert ("ETag" in response["headers"]) == is_cached, (path, status)
            assert ("Link" in response["headers"]) == (status == "200" and is_paged), (path, status)


def check(path: str, answer: httpx.Response) -> None:
    """`answer` is one that the operation promises: status, media type, headers, body."""
    response = DOCUMENT["paths"][path]["get"]["responses"][str(answer.status_code)]
    if answer.status_code == 304:
        assert answer.content == b""
        return
    content = response["content"][answer.headers["content-type"]]
    validator(content["schema"]).validate(answer.text if content["schema"].get("type") == "string" else answer.json())
    if answer.status_code == 200:
        at_times = {"link", "ratelimit", "ratelimit-policy"}
        assert {name.lower() for name in response["headers"]} - at_times <= set(answer.headers)
    else:
        problem = answer.json()
        assert problem["type"] in content["examples"]
        assert problem["instance"] == answer.headers["x-request-id"]


async def test_answers_are_as_promised(reader: httpx.AsyncClient) -> None:
    resources = (await reader.get("/api/v1/resources?limit=100&sort=title")).json()["items"]
    crisis = await reader.get("/api/v1/search?q=suicide")
    check("/api/v1/search", crisis)
    assert crisis.json()["crisis"] is not None
    for path, operation in reads():
        for resource in resources[::20]:
            ids = {"resource_id": resource["id"], "organization_id": resource["organization"]["id"], "token": TOKEN}
            check(path, await reader.get(path.format(**ids), params={"q": "va"} if path.endswith("search") else {}))
        ids = {"resource_id": NOWHERE, "organization_id": NOWHERE, "token": TOKEN}
        address = path.format(**ids)
        queries = [
            "",
            "?unknown=1",
            "?limit=0",
            "?q=",
            "?q=help&limit=100&facets=category,state,tag,scope",
            "?cursor=AAAA",
        ]
        queries += ["?q=x&offset=200", "?state=OH", "?offset=5000", "?q=qwertyuiop", "?limit=x&offset=y"]
        statuses = set()
        for query in queries:
            answer = await reader.get(address + query)
            check(path, answer)
            statuses.add(answer.status_code)
        assert len(statuses) > 1, path
        names = [parameter["name"] for parameter in operation.get("parameters", ())]
        if "If-None-Match" in names and "{" not in path:
            check(
                path,
                await reader.get(address, params={"q": "x"} if "q" in names else {}, headers={"if-none-match": "*"}),
            )


async def test_malformed_requests_are_as_promised(send_raw: SendRaw) -> None:
    for path, _ in reads():
        answer = await send_raw(path.replace("{", "").replace("}", "").encode(), b"x=%FF")
        assert answer.status_code == 400
        check(path, answer)


async def test_long_lists_match_their_schema(reader: httpx.AsyncClient) -> None:
    for path in ("resources", "organizations", "categories", "tags", "states"):
        answer = await reader.get(f"/api/v1/{path}?limit=100")
        check(f"/api/v1/{path}", answer)
        assert answer.json()["items"]
    largest = (await reader.get("/api/v1/organizations?limit=100")).json()["items"]
    for organization in sorted(largest, key=lambda one: -one["resource_count"])[:3]:
        check(
            "/api/v1/organizations/{organization_id}", await reader.get(f"/api/v1/organizations/{organization['id']}")
        )


async def test_faults_are_as_promised(app: FastAPI, client: httpx.AsyncClient, session: Session) -> None:
    await service.upsert_sources(session, [SourceIntake(slug="s", name="S", tier=1)])
    record = {"source": "s", "source_record_id": "1", "organization": "O", "title": "T", "scope": "local"}
    intake = ResourceIntake.model_validate({**record, "categories": ["housing"]})
    await service.publish_resources(session, await service.upsert_resources(session, [intake.model_dump_json()]))
    # a category that this version does not know, as a newer one may write
    await session.execute(text("update published_resources set categories = '{unheard-of}'"))
    await session.commit()
    internal = await client.get("/api/v1/categories")
    assert (internal.status_code, internal.json()["type"]) == (500, "internal-error")
    check("/api/v1/categories", internal)
    assert "unheard-of" not in internal.text
    assert "access-control-allow-origin" in internal.headers
    assert (await client.get("/api/v1/tags")).status_code == 200
    assert app.openapi() == DOCUMENT

    nobody = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing", "secret_key": "x" * 32}
    away = create_app(Settings.model_validate(nobody))
    transport = httpx.ASGITransport(away)
    async with (
        away.router.lifespan_context(away),
        httpx.AsyncClient(transport=transport, base_url="http://x") as nowhere,
    ):
        for path, _ in reads():
            address = path.format(resource_id=NOWHERE, organization_id=NOWHERE, token=TOKEN)
            answer = await nowhere.get(address, params={"q": "x"} if "search" in path else {})
            check(path, answer)
            assert answer.status_code == (200 if path == "/health/live" else 503), path


def test_operations_with_a_body_tell_how_it_is_refused(trial: Any) -> None:
    """The trial operations take JSON, a form and a file; whoever adds a real one need not think of this."""
    document = trial.app.openapi()
    taking = [
        (path, operation)
        for path, methods in document["paths"].items()
        for operation in methods.values()
        if "requestBody" in operation
    ]
    assert {"/api/v1/trial/entries", "/api/v1/trial/token", "/api/v1/trial/files"} < {path for path, _ in taking}
    for path, operation in taking:
        for status, slug in (("408", "request-timeout"), ("413", "body-too-large"), ("415", "unsupported-media-type")):
            assert slug in operation["responses"][status]["content"][PROBLEM]["examples"], path
    at_the_door = DOCUMENT["paths"]["/api/v1/tags"]["get"]["responses"]["400"]["content"][PROBLEM]["examples"]
    assert {"malformed-request", "unknown-host", "credentials-in-address", "invalid-cursor"} <= set(at_the_door)


def test_whatever_creates_takes_an_idempotency_key() -> None:
    creating = [
        (path, methods["post"])
        for path, methods in DOCUMENT["paths"].items()
        if {"201", "202"} & methods.get("post", {"responses": {}})["responses"].keys() or path.endswith("/merges")
    ]
    assert len(creating) >= 12
    for path, operation in creating:
        assert "Idempotency-Key" in {parameter["name"] for parameter in operation["parameters"]}, path


def test_headers_are_named_as_everybody_names_them() -> None:
    named = {
        parameter["name"]
        for path in DOCUMENT["paths"].values()
        for operation in path.values()
        for parameter in operation.get("parameters", ())
        if parameter["in"] == "header"
    }
    assert named == {"Idempotency-Key", "If-Match", "If-None-Match"}
