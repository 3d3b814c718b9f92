"""What reviewers see and send."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from vibe4vets.core.pagination import PageQuery
from vibe4vets.core.schemas import Input, Line, LongText, Output, unique
from vibe4vets.resources.models import Origin, ProposalKind, ProposalState, Risk
from vibe4vets.resources.schemas import (
    ProposalDetail,
    ResourceFields,
    ResourceRead,
    RevisionSummary,
)

PublicReason = Annotated[
    Line, Field(min_length=1, max_length=500, description="The submitter is told; no names of reviewers, please.")
]
PrivateNote = Annotated[LongText, Field(min_length=1, max_length=2000, description="For staff alone.")]


class ReviewQuery(PageQuery):
    """Filters over the queue."""

    state: Annotated[list[ProposalState], Field(min_length=1, max_length=3), unique] = Field(
        default=[ProposalState.OPEN], description="What waits, or what became of it.", examples=[["open"]]
    )
    kind: Annotated[list[ProposalKind], Field(max_length=4), unique] = Field(
        default=[], description="What is proposed.", examples=[["change"]]
    )
    source: Annotated[list[Origin], Field(max_length=4), unique] = Field(
        default=[], description="Through which door it came.", examples=[["public"]]
    )
    risk: Annotated[list[Risk], Field(max_length=3), unique] = Field(
        default=[], description="What a wrong approval would do.", examples=[["high"]]
    )


class ClaimRead(Output):
    """Who works on it, and until when nobody else may decide it."""

    user_id: UUID
    claimed_until: datetime


class ReviewRead(ProposalDetail):
    """A proposal in the queue."""

    claim: ClaimRead | None


class DuplicateRead(Output):
    """A published resource that may be the same."""

    id: UUID
    title: str
    similarity: float = Field(ge=0, le=1, description="Of the titles, by the three-letter parts they share.")


class ContactRead(Output):
    """How a submitter may be reached; erased 30 days after the decision."""

    name: str | None
    email: str | None
    phone: str | None


class DecisionRead(Output):
    actor_id: str
    state: ProposalState
    fields: list[str]
    private_note: str | None
    created_at: datetime


class ReviewDetail(ReviewRead):
    """A proposal with all that helps to decide it."""

    resource: ResourceRead | None = Field(description="What it is about, as it stands now.")
    history: list[RevisionSummary] = Field(description="Its five latest versions.")
    duplicates: list[DuplicateRead] = Field(description="Published resources with a title like the proposed one.")
    contacts: list[ContactRead]
    decision: DecisionRead | None


class Claim(Input):
    take_over: bool = Field(default=False, strict=True, description="Even from a reviewer who is at work on it.")


class Approval(Input):
    """What to apply: all that is proposed, or the fields named, with your own values over them."""

    fields: Annotated[list[Annotated[Line, Field(max_length=64)]], Field(max_length=18), unique] | None = Field(
        default=None, description="Proposed fields to apply; absent for all of them.", examples=[["phone"]]
    )
    edits: ResourceFields | None = Field(default=None, description="Values of your own.")
    reason: PublicReason | None = None
    private_note: PrivateNote | None = None


class Refusal(Input):
    """Why not."""

    reason: PublicReason
    private_note: PrivateNote | None = None


class BulkAction(StrEnum):
    APPROVE = "approve"
    REJECT = "reject"


class BulkDecision(Input):
    """One decision of many: of the proposal in the version that was read."""

    id: UUID
    version: int = Field(ge=1, strict=True)
    action: BulkAction
    reason: PublicReason | None = None

    @model_validator(mode="after")
    def _says_why_not(self) -> Self:
        if self.action is BulkAction.REJECT and self.reason is None:
            raise PydanticCustomError("reason_missing", "A refusal needs a reason, which the submitter is told")
        return self


class BulkRequest(Input):
    decisions: Annotated[list[BulkDecision], Field(min_length=1, max_length=100)]


class BulkOutcome(Output):
    id: UUID
    state: Literal["approved", "rejected"] | None = Field(description="Null when it could not be decided.")
    problem: str | None = Field(description="The `type` of the problem that stood in the way.")


class BulkResult(Output):
    outcomes: list[BulkOutcome]


class QueueStats(Output):
    open: int
    by_kind: dict[str, int]
    by_risk: dict[str, int]
    oldest_at: datetime | None = Field(description="Since when the oldest open proposal waits.")


class DayStats(Output):
    day: date
    approved: int
    rejected: int


class VerificationStats(Output):
    never: int = Field(description="Published resources that no person has verified.")
    oldest_at: datetime | None = Field(description="The oldest verification among the others.")


class Stats(Output):
    """How the directory is doing."""

    queue: QueueStats
    decisions: list[DayStats] = Field(description="Of the last 30 days that had any.")
    verification: VerificationStats
    coverage: dict[str, dict[str, int]] = Field(description="Published resources by category and by state.")
    coverage_by_state: dict[str, dict[str, int]] = Field(description="Of each state, by category.")
