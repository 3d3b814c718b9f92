"""What the directory is asked."""

from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from vibe4vets.core.pagination import PageQuery
from vibe4vets.core.schemas import Instant, Line, Slug, unique
from vibe4vets.resources.models import Category, Scope
from vibe4vets.resources.schemas.types import Language, StateCode, Tag

SEARCH_DEPTH = 200


class ResourceSort(StrEnum):
    TRUST = "-trust"
    UPDATED = "-updated_at"
    TITLE = "title"


class ResourceFilters(PageQuery):
    """Repeated names are OR, different names are AND."""

    id: Annotated[list[UUID], Field(max_length=100, description="Only these, for saved lists.")] = []
    category: Annotated[list[Category], Field(max_length=12, examples=[["housing"]])] = []
    tag: Annotated[list[Tag], Field(max_length=50, examples=[["ssvf"]])] = []
    state: Annotated[
        list[StateCode],
        Field(max_length=56, description="Where it is or whom it serves: two-letter codes.", examples=[["OH"]]),
    ] = []
    scope: Annotated[list[Scope], Field(max_length=3)] = []
    organization_id: Annotated[list[UUID], Field(max_length=50)] = []
    source: Annotated[list[Slug], Field(max_length=50, examples=[["va_facilities"]])] = []
    language: Annotated[list[Language], Field(max_length=20, examples=[["es"]])] = []
    city: Annotated[
        list[Annotated[Line, Field(min_length=1, max_length=100)]], Field(max_length=20, examples=[["Columbus"]])
    ] = []
    updated_since: Instant | None = Field(
        default=None, description="Changed at or after this instant.", examples=["2026-11-01T00:00:00Z"]
    )


class ResourceQuery(ResourceFilters):
    include_national: bool = Field(default=False, description="With `state`: national programs too.")
    sort: ResourceSort = ResourceSort.TRUST


class FacetName(StrEnum):
    CATEGORY = "category"
    STATE = "state"
    TAG = "tag"
    SCOPE = "scope"


def _comma_separated(value: object) -> object:
    """Split each value at commas: a query arrives as a list of them, even when the name stands once."""
    if not isinstance(value, list):
        return value
    return [part for item in value for part in (item.split(",") if isinstance(item, str) else [item])]


class SearchQuery(ResourceFilters):
    """Filters narrow what is searched; national programs take part in every state."""

    q: Annotated[Line, Field(min_length=1, max_length=200)] = Field(
        description='Words; "a phrase", `or` and `-not` are understood.', examples=["housing"]
    )
    facets: Annotated[
        list[FacetName], BeforeValidator(_comma_separated, json_schema_input_type=str), Field(max_length=4), unique
    ] = Field(default=[], description="Comma-separated: category, state, tag, scope.", examples=["category,state"])

    @model_validator(mode="after")
    def _within_reach(self) -> Self:
        if self.offset + self.limit > SEARCH_DEPTH:
            raise PydanticCustomError(
                "too_deep",
                "Search reaches 200 results deep; narrow it with more words or a filter such as state or category",
            )
        return self


class OrganizationQuery(PageQuery):
    name: Annotated[Line, Field(min_length=1, max_length=100)] | None = Field(
        default=None, description="Part of the name, in any case.", examples=["legion"]
    )
