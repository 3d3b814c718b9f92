"""What staff ask of the audit, and what they see."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from vibe4vets.core.audit.models import ActorKind
from vibe4vets.core.pagination import PageQuery
from vibe4vets.core.schemas import Instant, Line, Output


class AuditEventQuery(PageQuery):
    """Which events; repeat a filter for OR, different ones must all hold."""

    action: Annotated[
        list[Annotated[str, Field(max_length=64, pattern=r"^[a-z_]+(\.[a-z_]+)+$")]],
        Field(max_length=20, description="What was done: any of these.", examples=[["directory.import"]]),
    ] = []
    actor_kind: Annotated[
        list[ActorKind], Field(max_length=10, description="What kind of actor did it.", examples=[["user"]])
    ] = []
    actor_id: Annotated[
        list[Annotated[Line, Field(min_length=1, max_length=64)]],
        Field(
            max_length=20,
            description="The id of the user, key or run that did it.",
            examples=[["0b6a2d3e-6f0a-4b43-9a39-6a9f3f6d1f10"]],
        ),
    ] = []
    target_kind: Annotated[
        list[Annotated[str, Field(max_length=64, pattern="^[a-z_]+$")]],
        Field(max_length=20, description="What it was done to.", examples=[["resource"]]),
    ] = []
    target_id: Annotated[
        list[Annotated[Line, Field(min_length=1, max_length=200)]],
        Field(
            max_length=20,
            description="The id of what it was done to.",
            examples=[["fe2bdf54-7f10-4539-a3f3-44901537b229"]],
        ),
    ] = []
    since: Instant | None = Field(
        default=None, description="Not before this instant.", examples=["2026-11-01T00:00:00Z"]
    )
    until: Instant | None = Field(default=None, description="Before this instant.", examples=["2026-12-01T00:00:00Z"])


class AuditEventRead(Output):
    """One event."""

    sequence: int = Field(description="The event's number; gaps are acts that were undone.", examples=[4711])
    at: datetime = Field(description="When, in UTC.")
    actor_kind: ActorKind
    actor_id: str | None
    action: str = Field(examples=["directory.import"])
    target_kind: str | None
    target_id: str | None
    before_hash: str | None = Field(description="SHA-256 of the content before, as canonical JSON.")
    after_hash: str | None = Field(description="SHA-256 of the content after, as canonical JSON.")
    request_id: str | None = Field(description="The request that did it; null for commands and jobs.")
    details: dict[str, str]
