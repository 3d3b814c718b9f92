"""What can be done with accounts, logins and sessions."""

from vibe4vets.auth.service.accounts import (
    bootstrap_admin,
    change_password,
    change_role,
    change_state,
    create_user,
    delete_user,
    find_user,
    get_me,
    has_admin,
    list_users,
    lock_user,
    register,
    set_password,
)
from vibe4vets.auth.service.keys import NewKey, create_key, find_key_principal, revoke_key, rotate_key
from vibe4vets.auth.service.logins import log_in, refresh
from vibe4vets.auth.service.resets import NewReset, create_reset, reset_password
from vibe4vets.auth.service.sessions import end_other_sessions, end_session, find_principal, list_sessions, log_out

__all__ = [
    "NewKey",
    "NewReset",
    "bootstrap_admin",
    "change_password",
    "change_role",
    "change_state",
    "create_key",
    "create_reset",
    "create_user",
    "delete_user",
    "end_other_sessions",
    "end_session",
    "find_key_principal",
    "find_principal",
    "find_user",
    "get_me",
    "has_admin",
    "list_sessions",
    "list_users",
    "lock_user",
    "log_in",
    "log_out",
    "refresh",
    "register",
    "reset_password",
    "revoke_key",
    "rotate_key",
    "set_password",
]
