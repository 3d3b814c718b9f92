"""What editors send, and what staff are shown beyond the public answer."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import MISSING, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from vibe4vets.core.pagination import PageQuery
from vibe4vets.core.schemas import Input, Instant, Line, LongText, Output, PlainInt, Slug, unique
from vibe4vets.core.urls import HTTPURL
from vibe4vets.resources.hours import parse_weekly
from vibe4vets.resources.models import Category, Change, Scope, Status
from vibe4vets.resources.phones import normalize_phone
from vibe4vets.resources.schemas.intake import LocationIntake
from vibe4vets.resources.schemas.types import Email, Language, StateCode, Tag, Week


def _e164(value: object) -> object:
    """Any American spelling of a number; the extension has a field of its own."""
    if not isinstance(value, str):
        return value
    try:
        phone = normalize_phone(value)
    except ValueError as error:
        raise PydanticCustomError("phone", "{advice}", {"advice": str(error)}) from None
    if phone.extension is not None:
        raise PydanticCustomError("phone_extension", "Give the extension as phone_extension")
    return phone.number


Phone = Annotated[
    str, BeforeValidator(_e164), Field(max_length=16, examples=["614-555-0123"], description="Any American spelling.")
]
Title = Annotated[Line, Field(min_length=1, max_length=300)]
Reason = Annotated[Line, Field(min_length=1, max_length=500)]
OrganizationName = Annotated[
    Line,
    Field(min_length=1, max_length=300, description="One that its source does not have yet is made."),
]


class HoursIntake(Input):
    """Opening hours; `weekly` is read from the text where that is certain, unless it is given."""

    text: Annotated[Line, Field(max_length=1000)] | None = None
    weekly: Week | MISSING | None = MISSING

    def stored(self) -> tuple[str | None, Any]:
        """The text and the week as the directory keeps them."""
        if self.weekly is not MISSING:
            return self.text, self.weekly
        return self.text, self.text and parse_weekly(self.text)


class ResourceFields(Input):
    """Fields of a resource; those that are absent stay as they are, null empties one."""

    title: Title | MISSING = MISSING
    summary: Annotated[Line, Field(max_length=500)] | MISSING | None = MISSING
    description: Annotated[LongText, Field(max_length=10_000)] | MISSING = MISSING
    eligibility: (
        Annotated[list[Annotated[Line, Field(min_length=1, max_length=200)]], Field(max_length=50), unique] | MISSING
    ) = MISSING
    how_to_apply: Annotated[LongText, Field(max_length=5000)] | MISSING | None = MISSING
    organization: OrganizationName | MISSING = MISSING
    categories: Annotated[list[Category], Field(min_length=1, max_length=12), unique] | MISSING = MISSING
    tags: Annotated[list[Tag], Field(max_length=100), unique] | MISSING = MISSING
    scope: Scope | MISSING = MISSING
    states: Annotated[list[StateCode], Field(max_length=56), unique] | MISSING = MISSING
    phone: Phone | MISSING | None = MISSING
    phone_extension: Annotated[str, Field(pattern=r"^[0-9]{1,8}$", max_length=8)] | MISSING | None = MISSING
    email: Email | MISSING | None = MISSING
    website: HTTPURL | MISSING | None = MISSING
    hours: HoursIntake | MISSING = MISSING
    languages: Annotated[list[Language], Field(max_length=20), unique] | MISSING = MISSING
    cost: Annotated[Line, Field(max_length=500)] | MISSING | None = MISSING
    locations: Annotated[list[LocationIntake], Field(max_length=50)] | MISSING = MISSING

    def content(self) -> dict[str, Any]:
        """The fields that are given, as JSON."""
        return self.model_dump(mode="json", include=set(ResourceFields.model_fields))


class ResourceUpdate(ResourceFields):
    """A change of a resource."""

    reason: Reason | None = Field(default=None, description="Why, for whoever reads the history.")


class ResourceCreate(ResourceUpdate):
    """A new resource. Without `status` it is published at once."""

    title: Title
    organization: OrganizationName
    categories: Annotated[list[Category], Field(min_length=1, max_length=12), unique]
    scope: Scope
    source: Slug = Field(
        default="editors", description="Whose facts they are: a known source's slug, else the editors' own."
    )
    status: Literal[Status.DRAFT, Status.PUBLISHED] = Status.PUBLISHED


class Act(Input):
    """What an act on a resource may come with."""

    reason: Reason | None = Field(
        default=None, description="Why, for whoever reads the history.", examples=["closed in October"]
    )


class VerificationMethod(StrEnum):
    """How a fact was checked."""

    PHONE = "phone"
    WEBSITE = "website"
    EMAIL = "email"
    VISIT = "visit"
    DOCUMENT = "document"


class Verification(Input):
    """That a person has checked the resource; how and what they noticed stands in its history."""

    how: VerificationMethod | None = Field(default=None, description="How it was checked.", examples=["phone"])
    note: Annotated[Line, Field(min_length=1, max_length=400)] | None = None


class Rollback(Act):
    """Which version to bring back."""

    revision: int = Field(ge=1, strict=True, examples=[2])


class WorkingSort(StrEnum):
    UPDATED = "-updated_at"
    OLDEST = "updated_at"


class WorkingQuery(PageQuery):
    """Filters over resources of any status."""

    status: Annotated[list[Status], Field(max_length=3), unique] = Field(
        default=[], description="Resources of any of these.", examples=[["draft"]]
    )
    source: Annotated[list[Slug], Field(max_length=20), unique] = Field(
        default=[], description="Of any of these sources, by slug.", examples=[["editors"]]
    )
    category: Annotated[list[Category], Field(max_length=12), unique] = Field(
        default=[], description="In any of these categories.", examples=[["housing"]]
    )
    state: Annotated[list[StateCode], Field(max_length=56), unique] = Field(
        default=[], description="That serve any of these states.", examples=[["OH"]]
    )
    updated_since: Instant | None = Field(
        default=None, description="Changed at or after this instant.", examples=["2026-11-01T00:00:00Z"]
    )
    verified_before: Instant | None = Field(
        default=None,
        description="Last verified before this instant, or never.",
        examples=["2026-01-01T00:00:00Z"],
    )
    sort: WorkingSort = Field(
        default=WorkingSort.UPDATED,
        description="`-updated_at`: the latest change first; `updated_at`: the oldest.",
        examples=["-updated_at"],
    )


class ActorRead(Output):
    """Who acted."""

    kind: str = Field(examples=["user"])
    id: str | None


class RevisionSummary(Output):
    number: int
    change: Change
    actor: ActorRead
    reason: str | None
    created_at: datetime


class FieldChange(Output):
    """One field that two versions do not share."""

    field: str = Field(examples=["phone"])
    before: Any = Field(examples=["+16145550123"])
    after: Any = Field(examples=["+16145550199"])


class RevisionDiff(Output):
    before: int
    after: int
    changes: list[FieldChange]


class SourceRecordRead(Output):
    """The record of a source that a run has read."""

    slug: str = Field(examples=["va_facilities"])
    record_id: str = Field(description="The publisher's own id of it.", examples=["vha_757"])


class FieldProvenance(Output):
    """Where the value of one field comes from: the version in which it became what it is."""

    field: str = Field(examples=["phone"])
    version: int
    change: Change
    actor: ActorRead
    reason: str | None
    at: datetime
    source: SourceRecordRead | None = Field(description="Whose word it is, when a run of a connector set it.")


class Provenance(Output):
    """Where every field of a resource comes from."""

    resource_id: UUID
    version: int
    fields: list[FieldProvenance]


RevisionNumber = Annotated[PlainInt, Field(ge=1, le=2_000_000_000)]
