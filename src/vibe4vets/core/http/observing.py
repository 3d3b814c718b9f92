"""One log line and one count a request, whatever becomes of it."""

from time import perf_counter

import structlog
from fastapi.routing import iter_route_contexts
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vibe4vets.core.logging import request_log
from vibe4vets.core.metrics import Metrics

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
SWITCHING_PROTOCOLS = 101
CLIENT_LEFT = 499  # nobody is there to see a status; proxies log this number
_log = structlog.get_logger()


class Observer:
    """Around the shell: tells method, route template, status and time, and nothing that a client has made up."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self.app = app
        self._metrics = metrics
        self._templates: dict[int, str] = {}
        self._tell = request_log()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._observe_socket(scope, receive, send)
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun, status, is_complete = perf_counter(), CLIENT_LEFT, False

        async def observed(message: Message) -> None:
            nonlocal status, is_complete
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)
            is_complete = message["type"] == "http.response.body" and not message.get("more_body")

        try:
            await self.app(scope, receive, observed)
        finally:
            seconds = perf_counter() - begun
            method, route = scope["method"] if scope["method"] in METHODS else "OTHER", self._template(scope)
            self._metrics.count_request(method, route, status, seconds)
            self._tell(method, route, status, round(seconds * 1000, 1))
            if not is_complete:
                _log.info("answer cut off", method=method, route=route, status=status)

    async def _observe_socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One line when it ends; the time that it was open is no answer's time, so the histogram leaves it out."""
        begun, status = perf_counter(), CLIENT_LEFT

        async def observed(message: Message) -> None:
            nonlocal status
            if message["type"] == "websocket.accept":
                status = SWITCHING_PROTOCOLS
            elif message["type"] == "websocket.http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, observed)
        finally:
            route = getattr(scope.get("route"), "path", "none")
            self._tell("WEBSOCKET", route, status, round((perf_counter() - begun) * 1000, 1))

    def _template(self, scope: Scope) -> str:
        """The route's path with its parameters' names; the route itself knows only the part below its prefix."""
        if not self._templates:
            contexts = iter_route_contexts(scope["app"].routes)
            self._templates = {id(context.original_route): context.path or "" for context in contexts}
        return self._templates.get(id(scope.get("route")), "none")
