"""What every operation of admins has in common: the guard, and what may go wrong before it begins."""

from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Depends

from vibe4vets.auth.dependencies import get_admin, get_staff
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


def admins_router(tag: str) -> APIRouter:
    """A router whose every operation is for admins alone."""
    return _guarded_router(tag, get_admin)


def staff_router(tag: str) -> APIRouter:
    """A router whose every operation is for staff; those that write name a narrower guard of their own."""
    return _guarded_router(tag, get_staff)


def _guarded_router(tag: str, guard: Callable[..., Awaitable[Principal]]) -> APIRouter:
    return APIRouter(
        tags=[tag],
        route_class=GuardedRoute,
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
