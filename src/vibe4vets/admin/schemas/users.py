"""Accounts as admins see them."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import MISSING, Field

from vibe4vets.auth.models import Role, UserState
from vibe4vets.auth.schemas import EmailAddress
from vibe4vets.core.pagination import PageQuery
from vibe4vets.core.schemas import Identified, Input, Output, unique


class SettableState(StrEnum):
    """What an admin decides; `pending` is for whoever asked and waits."""

    ACTIVE = "active"
    DISABLED = "disabled"


class UserQuery(PageQuery):
    """Which accounts; a repeated filter is OR, two filters are AND."""

    role: Annotated[
        list[Role], Field(max_length=4, description="Only accounts with this role.", examples=[["partner"]]), unique
    ] = []
    state: Annotated[
        list[UserState],
        Field(max_length=3, description="Only accounts in this state.", examples=[["pending"]]),
        unique,
    ] = []
    email: EmailAddress | None = Field(
        default=None, description="Only the account with this address.", examples=["pat@example.org"]
    )


class UserCreate(Input):
    """An account without a password: its reset link, handed over, lets its owner choose one."""

    email: EmailAddress
    role: Role = Field(description="What the account may do.", examples=["reviewer"])


class UserUpdate(Input):
    """A key that is left out stays as it is."""

    role: Role | MISSING = Field(default=MISSING, description="What the account may do.", examples=["editor"])
    state: SettableState | MISSING = Field(
        default=MISSING,
        description="`disabled` signs it out everywhere and stops its API keys, at once.",
        examples=["disabled"],
    )


class UserRead(Identified):
    """An account; nothing of its password but whether there is one."""

    email: str
    role: Role
    state: UserState
    has_password: bool = Field(description="False until its owner has used a reset link.")
    password_expires_at: datetime | None = Field(description="Set for a one-time password.")
    created_at: datetime
    updated_at: datetime


class ResetLink(Output):
    """What lets its bearer set the account's password, once. It is shown only now."""

    token: str = Field(description="For `POST /auth/password/reset`.", repr=False)
    expires_at: datetime = Field(description="15 minutes from now.")
    link: str | None = Field(
        description="The page where it is used, when the operator has set one: hand it over.", repr=False
    )
