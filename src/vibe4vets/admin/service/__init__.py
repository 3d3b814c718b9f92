"""What admins do, by the services of the domains that own the tables; each act is an event with their name."""

from vibe4vets.admin.service.keys import create_key, list_keys, revoke_key, rotate_key
from vibe4vets.admin.service.users import (
    create_reset_link,
    create_user,
    delete_user,
    get_user,
    list_users,
    update_user,
)

__all__ = [
    "create_key",
    "create_reset_link",
    "create_user",
    "delete_user",
    "get_user",
    "list_keys",
    "list_users",
    "revoke_key",
    "rotate_key",
    "update_user",
]
