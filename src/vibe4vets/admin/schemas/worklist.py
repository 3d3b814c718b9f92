"""What staff read of what needs to be verified."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from vibe4vets.core.pagination import PageQuery
from vibe4vets.core.schemas import Output, Slug, unique
from vibe4vets.resources.models import Category
from vibe4vets.resources.schemas.types import StateCode


class WorklistQuery(PageQuery):
    """Filters over what needs to be verified."""

    state: Annotated[list[StateCode], Field(max_length=56), unique] = Field(
        default=[], description="That serve any of these states or stand in one.", examples=[["OH"]]
    )
    category: Annotated[list[Category], Field(max_length=12), unique] = Field(
        default=[], description="In any of these categories.", examples=[["housing"]]
    )
    source: Annotated[list[Slug], Field(max_length=20), unique] = Field(
        default=[], description="Of any of these sources, by slug.", examples=[["va_facilities"]]
    )


class WorklistItem(Output):
    """A published resource that somebody should verify, and why."""

    id: UUID
    version: int
    etag: str = Field(description="Name it in `If-Match` of `POST /resources/{id}/verify`.", examples=['"3"'])
    title: str
    phone: str | None
    states: list[str]
    source: str
    verified_at: datetime | None
    priority: float = Field(ge=0, description="Years since anybody looked, times risk and views; more for reports.")
    reasons: list[str] = Field(examples=[["Never verified; here since 2019-05-01", "120 views in 30 days"]])
