"""API keys as admins see them."""

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from pydantic import Field

from vibe4vets.auth.models import KeyScope
from vibe4vets.core.pagination import PageQuery
from vibe4vets.core.schemas import Input, Line, Output, PlainInt, unique


class KeyQuery(PageQuery):
    """Which keys of an account; the newest first."""


class KeyCreate(Input):
    """A key for one program of a partner."""

    name: Annotated[Line, Field(min_length=1, max_length=100)] = Field(
        description="What it is for; one key of a name, two while it is rotated.", examples=["nightly feed"]
    )
    scopes: Annotated[
        list[KeyScope],
        Field(min_length=1, max_length=2, description="What the program may do.", examples=[["proposals:write"]]),
        unique,
    ]
    expires_in_days: PlainInt = Field(
        default=365, strict=True, ge=1, le=365, description="Days until it expires; a year at most.", examples=[90]
    )

    @property
    def lifetime(self) -> timedelta:
        return timedelta(days=self.expires_in_days)


class KeyRead(Output):
    """A key, without its secret."""

    id: UUID
    user_id: UUID
    name: str
    prefix: str = Field(description="The public part, by which you know a key that you see.")
    scopes: list[KeyScope]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None = Field(description="To the minute; also of a use that was refused.")
    revoked_at: datetime | None


class KeyCreated(KeyRead):
    key: str = Field(description="The key itself, for the header `X-API-Key`. It is shown only now.", repr=False)
