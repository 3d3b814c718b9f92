"""What the public and partners propose, and what they are told."""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from vibe4vets.core.pagination import PageQuery
from vibe4vets.core.schemas import Input, Line, LongText, Output, unique
from vibe4vets.resources.models import FeedbackKind, Origin, ProposalKind, ProposalState, Risk
from vibe4vets.resources.privacy import find_identifier
from vibe4vets.resources.schemas.editing import FieldChange, Phone, ResourceFields
from vibe4vets.resources.schemas.types import Email

Note = Annotated[
    LongText,
    Field(
        min_length=1,
        max_length=2000,
        description="What a reviewer should know. No personal numbers (Social Security, DoD ID, VA file).",
    ),
]
_NUMBERS_OF_ONE_PERSON = (
    "This looks like {what}. Leave it out: a directory needs no personal numbers, and none is stored"
)


def _texts(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for part in value.values():
                yield from _texts(part)
        case list():
            for part in value:
                yield from _texts(part)


class Anonymous(Input):
    """What anybody may send: no text of it may hold a number that names one person (reliability row K8)."""

    @model_validator(mode="after")
    def _no_identifiers(self) -> Self:
        for text in _texts(self.model_dump(mode="json", exclude={"contact": {"email", "phone"}, "resource_id": True})):
            if (what := find_identifier(text)) is not None:
                raise PydanticCustomError("personal_identifier", _NUMBERS_OF_ONE_PERSON, {"what": what})
        return self


class Contact(Input):
    """How reviewers may reach you about this; nobody else sees it, and it is erased 30 days after the decision."""

    name: Annotated[Line, Field(min_length=1, max_length=200)] | None = None
    email: Email | None = None
    phone: Phone | None = None


class SuggestionCreate(Anonymous):
    """A resource that is missing, or with `resource_id` what is wrong with one."""

    resource_id: UUID | None = Field(default=None, description="The resource to correct; absent for a new one.")
    resource: ResourceFields = Field(
        description="A new one needs title and categories; a correction just the fields that are wrong.",
        examples=[{"phone": "614-555-0199"}],
    )
    note: Note | None = None
    contact: Contact | None = None


class FeedbackCreate(Anonymous):
    """That something about a resource is wrong."""

    kind: FeedbackKind
    note: Note | None = None
    contact: Contact | None = None


class ProposalCreate(Anonymous):
    """What a partner proposes: a resource, a change of one, or that one be archived."""

    kind: Literal[ProposalKind.CREATE, ProposalKind.CHANGE, ProposalKind.ARCHIVE]
    resource_id: UUID | None = Field(default=None, description="Which one; absent when `kind` is create.")
    resource: ResourceFields = Field(default_factory=ResourceFields)
    note: Note | None = None

    @model_validator(mode="after")
    def _names_what_it_changes(self) -> Self:
        if (self.kind is ProposalKind.CREATE) != (self.resource_id is None):
            raise PydanticCustomError("resource_id", "Give resource_id for a change or archive, and for nothing else")
        return self


class SuggestionReceipt(Output):
    """That it has arrived."""

    token: str = Field(
        description="Keep it: `GET /suggestions/{token}` tells what became of it.",
        examples=["sug_3kPq0aZr7WmN5xT1cVbY8dEfGhJlKoQsUuXwZy2A4B6"],
    )
    state: ProposalState


class SuggestionStatus(Output):
    """What became of a suggestion."""

    state: ProposalState
    reason: str | None = Field(description="The reviewer's words, if any.")
    submitted_at: datetime
    decided_at: datetime | None
    resource_id: UUID | None = Field(description="The published resource it is about, once there is one.")


class ProposalRead(Output):
    """A proposal as its partner sees it."""

    id: UUID
    kind: ProposalKind
    state: ProposalState
    resource_id: UUID | None
    changes: list[FieldChange]
    note: str | None
    reason: str | None = Field(description="The reviewer's words, if any.")
    created_at: datetime
    decided_at: datetime | None


class ProposalQuery(PageQuery):
    """Filters over one's own proposals."""

    state: Annotated[list[ProposalState], Field(max_length=3), unique] = Field(
        default=[], description="In any of these states.", examples=[["open"]]
    )


class FieldReview(FieldChange):
    """One proposed field with the value that it was made against, and the one that stands now."""

    current: Any = Field(description="What stands now.")
    conflicts: bool = Field(description="Somebody has changed the field since the proposal was made.")


class ProposalDetail(Output):
    """A proposal as its reviewer sees it."""

    id: UUID
    version: int
    kind: ProposalKind
    origin: Origin
    state: ProposalState
    risk: Risk
    resource_id: UUID | None
    base_version: int | None = Field(description="The version of the resource that it was made against.")
    changes: list[FieldReview]
    conflicting: bool
    feedback: FeedbackKind | None
    note: str | None
    submissions: int = Field(description="How often it has been sent.")
    reason: str | None
    created_at: datetime
    decided_at: datetime | None
