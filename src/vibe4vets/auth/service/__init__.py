"""What can be done with accounts, logins and sessions."""

from vibe4vets.auth.service.accounts import (
    bootstrap_admin,
    change_password,
    change_role,
    change_state,
    create_user,
    find_user,
    get_me,
    has_admin,
    lock_user,
    register,
    set_password,
)
from vibe4vets.auth.service.logins import log_in, refresh
from vibe4vets.auth.service.sessions import end_other_sessions, end_session, find_principal, list_sessions, log_out

__all__ = [
    "bootstrap_admin",
    "change_password",
    "change_role",
    "change_state",
    "create_user",
    "end_other_sessions",
    "end_session",
    "find_principal",
    "find_user",
    "get_me",
    "has_admin",
    "list_sessions",
    "lock_user",
    "log_in",
    "log_out",
    "refresh",
    "register",
    "set_password",
]
