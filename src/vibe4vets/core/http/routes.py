"""Routes that refuse what they do not know."""

from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel


class StrictRoute(APIRoute):
    """A route that refuses query parameters it does not know, and a single one that is repeated."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        repeatable = dict(_query_parameters(self.dependant))

        async def strict(request: Request) -> Response:
            seen: set[str] = set()
            errors = []
            for name, _ in request.query_params.multi_items():
                if name not in repeatable:
                    errors.append(_refusal(name, "extra_forbidden", "There is no such query parameter"))
                elif name in seen and not repeatable[name]:
                    errors.append(_refusal(name, "repeated", "Give this query parameter once"))
                seen.add(name)
            if errors:
                raise RequestValidationError(errors)
            return await handle(request)

        return strict


class PublicRoute(StrictRoute):
    """A public read of what is published: open to any origin, and a replica may answer it."""

    is_public = True


def _query_parameters(dependant: Dependant) -> Iterator[tuple[str, bool]]:
    """Each query parameter by name, and whether it may be repeated; a query model counts as its fields."""
    for field in dependant.query_params:
        model = field.field_info.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            for name, info in model.model_fields.items():
                yield info.alias or name, "list" in str(info.annotation)
        else:
            yield field.alias, "list" in str(model)
    for inner in dependant.dependencies:
        yield from _query_parameters(inner)


def _refusal(name: str, code: str, message: str) -> dict[str, Any]:
    return {"loc": ("query", name), "type": code, "msg": message}
