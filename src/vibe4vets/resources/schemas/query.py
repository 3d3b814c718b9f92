"""What the directory is asked."""

from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from vibe4vets.core.pagination import PageQuery
from vibe4vets.core.schemas import COMMA_SEPARATED, Instant, Line, Slug, unique
from vibe4vets.resources.models import Category, Scope
from vibe4vets.resources.schemas.types import Language, StateCode, Tag

SEARCH_DEPTH = 200


class ResourceSort(StrEnum):
    TRUST = "-trust"
    UPDATED = "-updated_at"
    TITLE = "title"


class ResourceFilters(PageQuery):
    """Repeated names are OR, different names are AND."""

    id: Annotated[
        list[UUID],
        Field(
            max_length=100,
            description="Only these resources, for saved lists; up to 100 ids.",
            examples=[["7b0b2f5e-3c35-4f0c-9f9c-0d6c1a7f2f11"]],
        ),
    ] = []
    category: Annotated[
        list[Category],
        Field(
            max_length=12,
            description="The kind of help; `GET /api/v1/categories` lists those in use.",
            examples=[["housing"]],
        ),
    ] = []
    tag: Annotated[
        list[Tag],
        Field(
            max_length=50,
            description="A finer term in kebab-case; `GET /api/v1/tags` lists those in use.",
            examples=[["ssvf", "rent-assistance"]],
        ),
    ] = []
    state: Annotated[
        list[StateCode],
        Field(
            max_length=56,
            description="Where it is or whom it serves, as two-letter codes: the states, DC and the territories.",
            examples=[["OH", "PA"]],
        ),
    ] = []
    scope: Annotated[
        list[Scope],
        Field(
            max_length=3,
            description="Whom it serves: the whole country, whole states, or a place.",
            examples=[["local"]],
        ),
    ] = []
    organization_id: Annotated[
        list[UUID],
        Field(
            max_length=50,
            description="What these organizations offer; `GET /api/v1/organizations` lists them.",
            examples=[["0f8fad5b-d9cb-469f-a165-70867728950e"]],
        ),
    ] = []
    source: Annotated[
        list[Slug],
        Field(
            max_length=50,
            description="Who published the record: the `slug` in a resource's `source`.",
            examples=[["va_facilities"]],
        ),
    ] = []
    language: Annotated[
        list[Language],
        Field(
            max_length=20,
            description="Languages it is offered in: ISO 639 codes, as far as the source tells.",
            examples=[["es"]],
        ),
    ] = []
    city: Annotated[
        list[Annotated[Line, Field(min_length=1, max_length=100)]],
        Field(
            max_length=20,
            description="The city of one of its locations; capitals, accents and punctuation do not matter.",
            examples=[["Columbus"]],
        ),
    ] = []
    updated_since: Instant | None = Field(
        default=None,
        description="Changed at or after this instant: RFC 3339 with its offset from UTC.",
        examples=["2026-11-01T00:00:00Z"],
    )


class ResourceQuery(ResourceFilters):
    include_national: bool = Field(
        default=False,
        description="With `state`: national programs too, which serve every state. Without `state` it changes nothing.",
        examples=[True],
    )
    sort: ResourceSort = Field(
        default=ResourceSort.TRUST,
        description="The order: most trusted, last changed, or by title. Ties are broken by id.",
        examples=["title"],
    )


class FacetName(StrEnum):
    CATEGORY = "category"
    STATE = "state"
    TAG = "tag"
    SCOPE = "scope"


def _split_at_commas(values: object) -> object:
    """A query string gives a list of strings; each may hold several names."""
    given = values if isinstance(values, list) else [values]
    return [part for value in given for part in (value.split(",") if isinstance(value, str) else [value])]


class SearchQuery(ResourceFilters):
    """Filters narrow what is searched; national programs take part in every state."""

    q: Annotated[Line, Field(min_length=1, max_length=200)] = Field(
        description="What is needed, in any words: names, acronyms, needs, a place. Spelling is repaired.",
        examples=["homeless shelter in columbus oh"],
    )
    facets: Annotated[
        list[FacetName],
        BeforeValidator(_split_at_commas),
        Field(
            max_length=4,
            description="Count the matches by these, separated by commas: category, state, tag, scope.",
            examples=[["category", "state"]],
            json_schema_extra={COMMA_SEPARATED: True},
        ),
        unique,
    ] = []

    highlight: bool = Field(
        default=False, description="Tell where the words stand in each hit, in `highlights`.", examples=[True]
    )
    explain: bool = Field(
        default=False, description="Tell why each hit stands where it does, in `explanation`.", examples=[True]
    )

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
        default=None,
        description="Part of the name; capitals, accents and punctuation do not matter.",
        examples=["legion"],
    )
