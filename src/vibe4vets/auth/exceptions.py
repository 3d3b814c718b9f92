"""Ways that accounts, sessions, tokens and passwords can fail their bearer."""

from http import HTTPStatus

from vibe4vets.core.errors import AppError, InvalidRequest, NotAuthenticated, Unavailable


class InvalidToken(NotAuthenticated):
    """Why a token is refused stays here: whoever forges one learns nothing from the answer."""

    type, title = "invalid-token", "The access token is not valid, or no longer; get a new one from POST /auth/token."
    headers = {"WWW-Authenticate": 'Bearer error="invalid_token"'}


class PasswordRefused(InvalidRequest):
    type, title = "password-refused", "This password cannot be used; `errors` says why."


class TooManySignIns(Unavailable):
    type, title = "too-many-sign-ins", "Too many passwords are being checked at once; try again in a moment."


class InvalidCredentials(NotAuthenticated):
    """The same answer for an unknown account, a wrong password and a disabled account."""

    type, title = (
        "invalid-credentials",
        "The e-mail address or the password is wrong, or the account is not active.",
    )
    advice = "Check both; an admin can send a reset link."


class InvalidRefreshToken(NotAuthenticated):
    type, title = (
        "invalid-refresh-token",
        "The refresh token is not valid, or no longer; sign in again.",
    )
    advice = "Sign in again by POST /api/v1/auth/token."


class WrongPassword(AppError):
    status, type, title = HTTPStatus.FORBIDDEN, "wrong-password", "The current password is wrong."
    advice = "Give the password that you signed in with as `current_password`."


class SessionNotFound(AppError):
    status, type, title = HTTPStatus.NOT_FOUND, "session-not-found", "You have no such session."
    advice = "GET /api/v1/auth/sessions lists yours."


class UserNotFound(AppError):
    status, type, title = HTTPStatus.NOT_FOUND, "user-not-found", "There is no such account."
    advice = "GET /api/v1/admin/users lists every account."


class EmailTaken(AppError):
    status, type, title = (
        HTTPStatus.CONFLICT,
        "email-taken",
        "There is an account with this e-mail address; change that one, or choose another address.",
    )


class LastAdmin(AppError):
    status, type, title = (
        HTTPStatus.CONFLICT,
        "last-admin",
        "This is the last active admin; make somebody else an admin first.",
    )


class AdminExists(AppError):
    status, type, title = HTTPStatus.CONFLICT, "admin-exists", "There is an admin already; ask one for an account."


class UserNotActive(AppError):
    status, type, title = (
        HTTPStatus.CONFLICT,
        "user-not-active",
        "This account is not active; activate it first.",
    )


class InvalidResetToken(NotAuthenticated):
    type, title = (
        "invalid-reset-token",
        "The reset link is not valid, or no longer; ask an admin for a new one.",
    )
    advice = "Ask an admin for a new reset link; one is good for 15 minutes, once."


class InvalidAPIKey(NotAuthenticated):
    type, title = "invalid-api-key", "The API key is not valid, or no longer; ask an admin for a new one."
    advice = "Ask an admin for a new key, and send it as `X-API-Key`."


class APIKeyNotFound(AppError):
    status, type, title = HTTPStatus.NOT_FOUND, "api-key-not-found", "There is no such API key, or it is revoked."
    advice = "GET /api/v1/admin/users/{id}/api-keys lists the keys of an account."


class KeyNameTaken(AppError):
    status, type, title = (
        HTTPStatus.CONFLICT,
        "key-name-taken",
        "This account has a key of this name; rotate or revoke that one, or choose another name.",
    )


class TwoKeysAlready(AppError):
    status, type, title = (
        HTTPStatus.CONFLICT,
        "two-keys-already",
        "Two keys of this name live already; revoke the one that is no longer used.",
    )


class NotAPartner(AppError):
    status, type, title = (
        HTTPStatus.CONFLICT,
        "not-a-partner",
        "Only the account of a partner has API keys; staff sign in.",
    )
