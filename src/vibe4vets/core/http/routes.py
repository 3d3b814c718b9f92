"""Routes that refuse what they do not know."""

from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from fastapi import Depends, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.params import Depends as Dependency
from fastapi.routing import APIRoute
from pydantic import BaseModel

from vibe4vets.core.database import SAFE_METHODS
from vibe4vets.core.http.answers import conditional
from vibe4vets.core.http.bodies import Bodies
from vibe4vets.core.http.idempotency import answering_once
from vibe4vets.core.http.proxies import address_key


class StrictRoute(APIRoute):
    """A route that refuses query parameters it does not know, a single one that is repeated, and a hostile body.

    A read has a strong `ETag`, and answers 304 to whoever names it.
    """

    max_body_bytes: ClassVar[int | None] = None
    """A cap of the route's own, for uploads; None leaves it to the setting."""

    reads_body: ClassVar[bool] = True
    """False where the endpoint asks for the body itself, once its guards have let the request through."""

    guards_first: ClassVar[bool] = False

    has_tag: ClassVar[bool] = True
    """False for a probe, which wants to know how it is now."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        repeatable = dict(_query_parameters(self.dependant))
        bodies = None
        reads = not (self.methods or set()) - SAFE_METHODS
        if not reads:
            declared = self.body_field.field_info if self.body_field is not None else None
            bodies = Bodies(declared, self.max_body_bytes) if self.reads_body else None
            handle = answering_once(handle)

        async def strict(request: Request) -> Response:
            if not self.guards_first:
                _refuse_unknown(request, repeatable)
            if bodies is not None:
                request, fault = await bodies.read(request)
                if fault is not None and not self.guards_first:
                    raise fault
                request.state.body_fault = fault
            answer = await handle(request)
            return conditional(request, answer) if reads and self.has_tag else answer

        return strict


class PublicRoute(StrictRoute):
    """A public read of what is published: open to any origin, a replica may answer it, its limit is counted here."""

    is_public = True

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def limited(request: Request) -> Response:
            request.app.state.limits.public_reads.spend(address_key(request.state.client_address))
            return await handle(request)

        return limited


async def _know_parameters(request: Request) -> None:
    """Refuse what the route does not know, once its guards have let the request through."""
    _refuse_unknown(request, request.scope["route"].repeatable)
    if fault := getattr(request.state, "body_fault", None):
        raise fault


class GuardedRoute(StrictRoute):
    """A strict route whose guards come first: a stranger learns nothing, not even which parameters there are.

    Guards stand in `dependencies` of the router or the route. After them come the parameters, then what the
    endpoint's signature asks for (where existence is found out), then the body.
    """

    guards_first = True

    def __init__(
        self,
        path: str,
        endpoint: Callable[..., Any],
        *,
        dependencies: Sequence[Dependency] | None = None,
        **rest: Any,  # noqa: ANN401  what APIRoute takes
    ) -> None:
        super().__init__(path, endpoint, dependencies=[*(dependencies or ()), Depends(_know_parameters)], **rest)
        self.repeatable = dict(_query_parameters(self.dependant))


def _refuse_unknown(request: Request, repeatable: Mapping[str, bool]) -> None:
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
