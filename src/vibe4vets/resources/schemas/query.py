"""What the directory is asked."""

from enum import StrEnum
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    FiniteFloat,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from vibe4vets.core.pagination import PageQuery
from vibe4vets.core.schemas import COMMA_SEPARATED, Either, Input, Instant, Line, PlainInt, Slug, plain_number, unique
from vibe4vets.resources.models import Category, Scope
from vibe4vets.resources.schemas.types import Language, StateCode, Tag

SEARCH_DEPTH = 200
MOST_MILES = 5_000
USUAL_MILES = 50


class ResourceSort(StrEnum):
    TRUST = "-trust"
    UPDATED = "-updated_at"
    TITLE = "title"
    DISTANCE = "distance"


_DEGREES = r"-?[0-9]{1,3}(\.[0-9]{1,15})?"


def _box_of_the_globe(text: str) -> str:
    west, south, east, north = map(float, text.split(","))
    if not (-180 <= west <= 180 and -180 <= east <= 180 and -90 <= south <= north <= 90):  # noqa: PLR2004  degrees
        raise PydanticCustomError(
            "bbox_range", "west and east lie between -180 and 180, south and north between -90 and 90, south first"
        )
    return text


Box = Annotated[
    str, StringConstraints(pattern=f"^{_DEGREES}(,{_DEGREES}){{3}}$", max_length=100), AfterValidator(_box_of_the_globe)
]


Moment = Annotated[
    Instant | Literal["now"],
    Either("instant_or_now", "Give `now`, or an instant with its offset from UTC, such as 2026-11-01T18:30:00Z"),
    WithJsonSchema({"type": "string", "maxLength": 40}),
]


class ResourceFilters(Input):
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
    near: Annotated[Line, Field(min_length=1, max_length=100)] | None = Field(
        default=None,
        description='A ZIP code, "City, ST" or "latitude,longitude": where distances are counted from. A list that it '
        f"does not sort shows what is within `radius_miles`, {USUAL_MILES} unless given.",
        examples=["Columbus, OH"],
    )
    radius_miles: Annotated[FiniteFloat, Field(gt=0, le=MOST_MILES), BeforeValidator(plain_number)] | None = Field(
        default=None,
        description="What has a location within so many miles of `near`, and programs that serve its whole state.",
        examples=[25],
    )
    bbox: Box | None = Field(
        default=None,
        description="What has a location in the box west,south,east,north, in degrees, as a map shows it; "
        "west may lie east of east, across the date line.",
        examples=["-83.2,39.8,-82.8,40.2"],
    )
    open_at: Moment | None = Field(
        default=None,
        description="Known to be open at this instant, or `now`, by the clock of its location. What gives no certain "
        "hours is left out; its `hours.text` may tell.",
        examples=["now"],
    )

    @model_validator(mode="after")
    def _near_somewhere(self) -> Self:
        if self.radius_miles is not None and self.near is None:
            raise PydanticCustomError("near_missing", "radius_miles needs near: a ZIP code, a city or coordinates")
        return self

    @property
    def reach_miles(self) -> float | None:
        """The radius that narrows; None where `near` only ranks."""
        return self.radius_miles


class ResourceSelection(ResourceFilters):
    """Which resources a list or an export has."""

    include_national: bool = Field(
        default=False,
        description="With `state`: national programs too, which serve every state. Without `state` it changes nothing.",
        examples=[True],
    )

    @property
    def reach_miles(self) -> float | None:
        """What `near` does not sort is narrowed by it."""
        return USUAL_MILES if self.radius_miles is None else self.radius_miles


class ExportQuery(ResourceSelection):
    """An export has all of the selection, in an order that nobody's change disturbs: no page, no sort."""


class ResourceQuery(ResourceSelection, PageQuery):
    sort: ResourceSort = Field(
        default=ResourceSort.TRUST,
        description="The order: most trusted, last changed, by title, or nearest to `near` first, what has no "
        "coordinates last. Ties are broken by id.",
        examples=["title"],
    )

    @model_validator(mode="after")
    def _distance_from_somewhere(self) -> Self:
        if self.sort is ResourceSort.DISTANCE and self.near is None:
            raise PydanticCustomError("near_missing", "sort=distance needs near: a ZIP code, a city or coordinates")
        return self

    @property
    def reach_miles(self) -> float | None:
        """A list that `near` does not sort is narrowed by it."""
        return self.radius_miles if self.sort is ResourceSort.DISTANCE else super().reach_miles


class FacetName(StrEnum):
    CATEGORY = "category"
    STATE = "state"
    TAG = "tag"
    SCOPE = "scope"


def _split_at_commas(values: object) -> object:
    """A query string gives a list of strings; each may hold several names, and an empty one is the empty list."""
    given = values if isinstance(values, list) else [values]
    if given == [""]:
        return []
    return [part for value in given for part in (value.split(",") if isinstance(value, str) else [value])]


class SearchQuery(ResourceFilters, PageQuery):
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


class SuggestionKind(StrEnum):
    RESOURCE = "resource"
    ORGANIZATION = "organization"
    TAG = "tag"
    PLACE = "place"


class SuggestQuery(Input):
    q: Annotated[Line, Field(min_length=1, max_length=100)] = Field(
        description="What was typed so far; words may be begun, and stand in any order.", examples=["vet cen"]
    )
    limit: PlainInt = Field(default=10, ge=1, le=20, description="How many items at most.", examples=[10])
    kind: Annotated[
        list[SuggestionKind],
        Field(max_length=4, description="Only these kinds of items; all four unless given.", examples=[["resource"]]),
    ] = []


class ChangesQuery(Input):
    since: str | None = Field(
        default=None,
        min_length=1,
        max_length=2_000,
        pattern=r"^[A-Za-z0-9_-]+$",
        description="The `next_cursor` of the answer before; without it, everything from the beginning.",
        examples=["LOR-YAIJM7RbMC41NDA3LCJmZTJiZGY1NC03ZjEwLTQ1MzktYTNmMy00NDkwMTUzN2IyMjkiLDJd"],
    )
    limit: PlainInt = Field(default=100, ge=1, le=100, description="How many changes at most.", examples=[100])


class OrganizationQuery(PageQuery):
    name: Annotated[Line, Field(min_length=1, max_length=100)] | None = Field(
        default=None,
        description="Part of the name; capitals, accents and punctuation do not matter.",
        examples=["legion"],
    )
