"""How the service speaks HTTP: the shell around every request, strict routes, cacheable answers."""

from vibe4vets.core.http.answers import NOT_MODIFIED, public_answer, public_page, success
from vibe4vets.core.http.routes import PublicRoute, StrictRoute
from vibe4vets.core.http.shell import Shell

__all__ = ["NOT_MODIFIED", "PublicRoute", "Shell", "StrictRoute", "public_answer", "public_page", "success"]
