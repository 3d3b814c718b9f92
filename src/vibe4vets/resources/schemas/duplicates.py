"""Duplicates: pairs to look at, and what making them one would do."""

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from vibe4vets.core.pagination import PageQuery
from vibe4vets.core.schemas import Input, Output
from vibe4vets.resources.schemas.editing import FieldChange, Reason
from vibe4vets.resources.schemas.read import ResourceRead


class DuplicateQuery(PageQuery):
    """The pairs that nobody has dismissed."""


class DuplicatePair(Output):
    """Two published resources side by side."""

    score: float = Field(ge=0, le=1, description="1 is the most alike.")
    reasons: list[str] = Field(description="same-phone, same-place, alike-title.", examples=[["same-phone"]])
    first: ResourceRead
    second: ResourceRead


class Dismissal(Input):
    """That two resources are not one."""

    first_id: UUID
    second_id: UUID


class MergeRequest(Input):
    """Which resource stays, and which one it takes the place of."""

    kept_id: UUID
    merged_id: UUID
    dry_run: bool = Field(default=False, strict=True, description="Only tell what would change.")
    reason: Reason | None = None

    @model_validator(mode="after")
    def _are_two(self) -> Self:
        if self.kept_id == self.merged_id:
            raise PydanticCustomError("same", "Name two resources")
        return self


class MergeRead(Output):
    """A merge, or with `dry_run` what one would do."""

    id: UUID | None = Field(description="Null when nothing was done.")
    kept_id: UUID
    merged_id: UUID
    changes: list[FieldChange] = Field(description="What the kept one gains.")
    moved_proposals: int
    created_at: datetime | None
