"""Rate limits: who may do something how often (docs/decisions/0011-limits-in-postgresql.md)."""

from vibe4vets.core.limits.exceptions import TooManyRequests
from vibe4vets.core.limits.local import LocalLimit
from vibe4vets.core.limits.logins import LoginThrottle
from vibe4vets.core.limits.store import Limits
from vibe4vets.core.quotas import Limit, Spent

__all__ = ["Limit", "Limits", "LocalLimit", "LoginThrottle", "Spent", "TooManyRequests"]
