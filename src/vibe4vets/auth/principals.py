"""Who makes a request, once proven."""

from dataclasses import dataclass
from uuid import UUID

from vibe4vets.auth.models import KeyScope, Role
from vibe4vets.core.audit import Actor, ActorKind


@dataclass(frozen=True, slots=True)
class Principal:
    """A signed-in person (`session_id`), or a program with a partner's API key (`api_key_id`, `scopes`)."""

    user_id: UUID
    role: Role
    session_id: UUID | None = None
    api_key_id: UUID | None = None
    scopes: frozenset[KeyScope] = frozenset()

    @property
    def actor(self) -> Actor:
        """Who an audit event names: never what the request claims."""
        if self.api_key_id is not None:
            return Actor(ActorKind.API_KEY, str(self.api_key_id))
        return Actor(ActorKind.USER, str(self.user_id))
