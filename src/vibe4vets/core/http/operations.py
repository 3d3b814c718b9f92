"""What the application answers, by address: asked where no route has been found, or the wrong one."""

import re
from collections.abc import Iterator, Mapping
from functools import cached_property

from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.routing import compile_path


class Operations:
    """Every operation of an application; read at the first question, when all routers are in place."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    def at(self, path: str) -> Mapping[str, bool]:
        """The methods at `path`, each with whether it is a public read; empty where there is nothing."""
        if (exact := self._exact.get(path)) is not None:  # `/resources/changes` is no `/resources/{resource_id}`
            return exact
        found: dict[str, bool] = {}
        for pattern, methods in self._known:
            if pattern.fullmatch(path):
                found |= {method: is_public for method, is_public in methods.items() if method not in found}
        return found

    def refuses(self, path: str, method: str) -> bool:
        """Whether the router would take an address without parameters, which lacks `method`, for one with them."""
        methods = self._exact.get(path)
        if methods is None or method in methods:
            return False
        return any(method in others and pattern.fullmatch(path) for pattern, others in self._known)

    @cached_property
    def _exact(self) -> dict[str, dict[str, bool]]:
        exact: dict[str, dict[str, bool]] = {}
        for path, methods in self._routes():
            if "{" not in path:
                exact.setdefault(path, {}).update(methods)
        return exact

    @cached_property
    def _known(self) -> list[tuple[re.Pattern[str], dict[str, bool]]]:
        return [(compile_path(path)[0], methods) for path, methods in self._routes()]

    def _routes(self) -> Iterator[tuple[str, dict[str, bool]]]:
        for context in iter_route_contexts(self._app.routes):
            route = context.original_route
            if isinstance(route, APIRoute) and context.path is not None:
                is_public = bool(getattr(route, "is_public", False))
                yield context.path, dict.fromkeys(context.methods or (), is_public)
