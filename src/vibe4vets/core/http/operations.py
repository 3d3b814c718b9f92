"""What the application answers, by address: asked where no route has been found, or the wrong one."""

import re
from collections.abc import Mapping
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
        found: dict[str, bool] = {}
        for pattern, methods in self._known:
            if pattern.fullmatch(path):
                found |= {method: is_public for method, is_public in methods.items() if method not in found}
        return found

    @cached_property
    def _known(self) -> list[tuple[re.Pattern[str], dict[str, bool]]]:
        known = []
        for context in iter_route_contexts(self._app.routes):
            route = context.original_route
            if isinstance(route, APIRoute) and context.path is not None:
                is_public = bool(getattr(route, "is_public", False))
                known.append((compile_path(context.path)[0], dict.fromkeys(context.methods or (), is_public)))
        return known
