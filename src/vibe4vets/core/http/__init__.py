"""How the service speaks HTTP: the shell around every request, strict routes, cacheable answers."""

from vibe4vets.core.http.answers import (
    NOT_MODIFIED,
    created_answer,
    private_page,
    public_answer,
    public_page,
    success,
    versioned_answer,
)
from vibe4vets.core.http.routes import GuardedRoute, PublicRoute, StrictRoute
from vibe4vets.core.http.shell import Shell

__all__ = [
    "NOT_MODIFIED",
    "GuardedRoute",
    "PublicRoute",
    "Shell",
    "StrictRoute",
    "created_answer",
    "private_page",
    "public_answer",
    "public_page",
    "success",
    "versioned_answer",
]
