"""The OpenAPI document: FastAPI's, made true where it guesses."""

from typing import Any

from fastapi import FastAPI

from vibe4vets.core.errors import Problem

TAGS = [
    {"name": "search", "description": "Find help by words."},
    {"name": "resources", "description": "Programs and places, as published."},
    {"name": "organizations", "description": "Who offers them."},
    {"name": "terms", "description": "Categories, tags and states, with counts."},
    {"name": "operations", "description": "For those who run the service."},
]


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
        return app.openapi_schema or {}

    app.openapi = openapi  # type: ignore[method-assign]
