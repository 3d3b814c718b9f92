"""What the operations of connectors have in common: the guard, and what may go wrong before they begin."""

from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Depends

from vibe4vets.auth.exceptions import InvalidAPIKey, InvalidToken
from vibe4vets.auth.principals import Principal
from vibe4vets.core.errors import (
    Forbidden,
    InternalError,
    InvalidRequest,
    MalformedRequest,
    NotAuthenticated,
    Unavailable,
    problem_responses,
)
from vibe4vets.core.http import GuardedRoute


def guarded_router(
    guard: Callable[..., Awaitable[Principal]], route_class: type[GuardedRoute] = GuardedRoute
) -> APIRouter:
    """A router whose every operation is for those whom `guard` lets through."""
    return APIRouter(
        prefix="/connectors",
        tags=["connectors"],
        route_class=route_class,
        dependencies=[Depends(guard)],
        responses=problem_responses(
            MalformedRequest,
            NotAuthenticated,
            InvalidToken,
            InvalidAPIKey,
            Forbidden,
            InvalidRequest,
            InternalError,
            Unavailable,
        ),
    )
