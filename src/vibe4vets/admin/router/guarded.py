"""What every operation of admins has in common: the guard, and what may go wrong before it begins."""

from fastapi import APIRouter, Depends

from vibe4vets.auth.dependencies import get_admin
from vibe4vets.auth.exceptions import InvalidAPIKey, InvalidToken
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
    return APIRouter(
        tags=[tag],
        route_class=GuardedRoute,
        dependencies=[Depends(get_admin)],
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
