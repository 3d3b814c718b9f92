"""What admins do, by the services of the domains that own the tables; each act is an event with their name."""

from vibe4vets.admin.service.keys import create_key, list_keys, revoke_key, rotate_key
from vibe4vets.admin.service.reviews import (
    approve_review,
    claim_review,
    decide_many,
    get_review,
    list_reviews,
    reject_review,
    release_review,
)
from vibe4vets.admin.service.statistics import get_stats
from vibe4vets.admin.service.users import (
    create_reset_link,
    create_user,
    delete_user,
    get_user,
    list_users,
    update_user,
)
from vibe4vets.admin.service.worklist import list_worklist, refresh_worklist

__all__ = [
    "approve_review",
    "claim_review",
    "create_key",
    "create_reset_link",
    "create_user",
    "decide_many",
    "delete_user",
    "get_review",
    "get_stats",
    "get_user",
    "list_keys",
    "list_reviews",
    "list_users",
    "list_worklist",
    "refresh_worklist",
    "reject_review",
    "release_review",
    "revoke_key",
    "rotate_key",
    "update_user",
]
