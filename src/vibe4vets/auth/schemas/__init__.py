"""Accounts as sent and received."""

from vibe4vets.auth.schemas.accounts import (
    EmailAddress,
    KeyInUse,
    Me,
    PasswordAttempt,
    PasswordChange,
    PasswordReset,
    RefreshRequest,
    Registration,
    RegistrationReceived,
    SessionQuery,
    SessionRead,
    TokenForm,
    TokenPair,
    fold_email,
)

__all__ = [
    "EmailAddress",
    "KeyInUse",
    "Me",
    "PasswordAttempt",
    "PasswordChange",
    "PasswordReset",
    "RefreshRequest",
    "Registration",
    "RegistrationReceived",
    "SessionQuery",
    "SessionRead",
    "TokenForm",
    "TokenPair",
    "fold_email",
]
