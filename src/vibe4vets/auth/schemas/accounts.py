"""Accounts as sent and received."""

import unicodedata
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints

from vibe4vets.auth.models import KeyScope, Role
from vibe4vets.auth.passwords import NewPassword
from vibe4vets.core.pagination import PageQuery
from vibe4vets.core.schemas import Input, Line, LineAsTyped, Output

LONGEST_ATTEMPT = 1024
"""Code points of a password as sent: more than any has, whatever its spelling in Unicode."""


def fold_email(text: str) -> str:
    """The one spelling of an e-mail address: case-folded, NFC."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


EmailAddress = Annotated[
    Line,
    StringConstraints(strip_whitespace=True, pattern=r"^[^@\s]+@[^@\s]+$", min_length=3, max_length=320),
    AfterValidator(fold_email),
    Field(max_length=320, examples=["pat@example.org"]),
]
PasswordAttempt = Annotated[
    LineAsTyped,
    Field(
        min_length=1,
        max_length=LONGEST_ATTEMPT,
        repr=False,
        examples=["seven otters mend the quiet bridge"],
        json_schema_extra={"format": "password"},
    ),
]
"""What may be an account's password: whether it is, only its hash tells."""
Token = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]+$", min_length=1, max_length=4096)]


class TokenForm(Input):
    """The OAuth2 password form (RFC 6749 4.3.2), for our own front ends and the API docs only."""

    grant_type: Literal["password"] = Field(default="password", description="Always `password`.")
    username: Annotated[Line, StringConstraints(strip_whitespace=True, min_length=1, max_length=320)] = Field(
        description="The e-mail address of the account.", examples=["pat@example.org"]
    )
    password: PasswordAttempt
    scope: Annotated[str, StringConstraints(max_length=200)] = Field(
        default="", description="Ignored: the role decides."
    )
    client_id: Annotated[str, StringConstraints(max_length=200)] | None = Field(
        default=None, description="Ignored: there are no client accounts."
    )
    client_secret: Annotated[str, StringConstraints(max_length=200)] | None = Field(
        default=None, description="Ignored: there are no client accounts.", repr=False
    )


class TokenPair(Output):
    """What a login and a refresh give."""

    access_token: str = Field(description="Send it as `Authorization: Bearer ...`.", repr=False)
    token_type: Literal["bearer"]
    expires_in: int = Field(description="Seconds until the access token expires.", examples=[900])
    refresh_token: str = Field(description="Good for one `POST /auth/refresh`, which gives the next.", repr=False)


class RefreshRequest(Input):
    refresh_token: Token = Field(description="The refresh token that you were given last.", repr=False)


class PasswordChange(Input):
    current_password: PasswordAttempt
    new_password: Annotated[NewPassword, Field(repr=False)]


class PasswordReset(Input):
    token: Token = Field(description="What the reset link carries.", repr=False)
    new_password: NewPassword = Field(repr=False)


class Registration(Input):
    email: EmailAddress
    password: Annotated[NewPassword, Field(repr=False)]


class RegistrationReceived(Output):
    status: Literal["received"]


class KeyInUse(Output):
    """The API key that made the request."""

    id: UUID
    scopes: list[KeyScope]


class Me(Output):
    """Who you are to the service."""

    id: UUID
    email: str
    role: Role
    created_at: datetime
    password_expires_at: datetime | None = Field(description="Set for a one-time password: change it before then.")
    api_key: KeyInUse | None = Field(description="Null for a person.")


class SessionQuery(PageQuery):
    """Your sessions, newest first."""


class SessionRead(Output):
    """One login of yours."""

    id: UUID
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime = Field(description="When it ends, unless it is not refreshed for 14 days before.")
    is_current: bool = Field(description="Whether this request belongs to it.")
