"""Who makes a request, once proven."""

from dataclasses import dataclass
from uuid import UUID

from vibe4vets.auth.models import KeyScope, Role


@dataclass(frozen=True, slots=True)
class Principal:
    """A signed-in person (`session_id`), or a program with a partner's API key (`api_key_id`, `scopes`)."""

    user_id: UUID
    role: Role
    session_id: UUID | None = None
    api_key_id: UUID | None = None
    scopes: frozenset[KeyScope] = frozenset()
