"""Ways that accounts, tokens and passwords can fail their bearer."""

from vibe4vets.core.errors import InvalidRequest, NotAuthenticated, Unavailable


class InvalidToken(NotAuthenticated):
    """Why a token is refused stays here: whoever forges one learns nothing from the answer."""

    type, title = "invalid-token", "The access token is not valid, or no longer; get a new one from POST /auth/token."
    headers = {"WWW-Authenticate": 'Bearer error="invalid_token"'}


class PasswordRefused(InvalidRequest):
    type, title = "password-refused", "This password cannot be used; `errors` says why."


class TooManySignIns(Unavailable):
    type, title = "too-many-sign-ins", "Too many passwords are being checked at once; try again in a moment."
