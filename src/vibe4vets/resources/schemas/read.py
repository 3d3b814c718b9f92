"""What the directory answers."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from vibe4vets.core.pagination import Page
from vibe4vets.core.schemas import Identified, Output
from vibe4vets.resources.models import Category, Scope, Status
from vibe4vets.resources.schemas.query import SuggestionKind
from vibe4vets.resources.schemas.types import Week

ORGANIZATION_RESOURCES = 100


class OrganizationSummary(Output):
    id: UUID
    name: str
    website: str | None


class HoursRead(Output):
    text: str | None = Field(description="As the publisher writes it.", examples=["Mon-Fri 8:00AM-4:30PM"])
    weekly: Week | None = Field(
        description="Seven lists from Monday of [opens, closes]; closing before opening runs past midnight. "
        "Null where the text is not certain."
    )


class LocationRead(Output):
    id: UUID
    name: str | None
    street: str | None
    city: str | None
    county: str | None
    state: str | None
    postal_code: str | None
    latitude: float | None
    longitude: float | None
    time_zone: str | None


class SourceRead(Output):
    slug: str
    name: str
    tier: int = Field(description="1 official, 2 national Veterans organization, 3 state agency, 4 community.")
    record_id: str = Field(description="The publisher's own id of this record.")
    url: str | None
    licence: str | None
    attribution: str | None


class TrustRead(Output):
    """How far to rely on it: score = reliability x freshness."""

    score: float = Field(ge=0, le=1)
    reliability: float = Field(description="By the source's tier: 1.0, 0.8, 0.6 or 0.4.")
    freshness: float = Field(description="Halves every 365 days since the last check; never below 0.1.")
    verified_at: datetime | None = Field(description="When a person last checked it; null when nobody has.")


class ResourceRead(Identified):
    """A published resource."""

    version: int = Field(description="Counts the published changes from 1.")
    title: str
    summary: str | None
    description: str
    eligibility: list[str]
    how_to_apply: str | None
    organization: OrganizationSummary
    categories: list[Category]
    tags: list[str]
    scope: Scope
    states: list[str] = Field(description="States it serves or stands in; empty for national programs.")
    phone: str | None = Field(description="E.164, or a short code such as 988 verbatim.")
    phone_extension: str | None
    email: str | None
    website: str | None
    hours: HoursRead
    languages: list[str]
    cost: str | None
    locations: list[LocationRead]
    source: SourceRead
    trust: TrustRead
    status: Status
    created_at: datetime
    updated_at: datetime


class TermRead(Output):
    """A value that resources carry, and how many published ones do."""

    value: str = Field(examples=["mental_health"])
    name: str = Field(examples=["Mental health"])
    count: int = Field(ge=0)


class OrganizationRead(OrganizationSummary):
    resource_count: int = Field(description="Its published resources.", ge=1)


class OrganizationDetail(OrganizationRead):
    resources: list[ResourceRead] = Field(
        description=f"Its {ORGANIZATION_RESOURCES} most trusted; all of them: `GET /resources?organization_id=`."
    )


class ReasonRead(Output):
    """One part of a score."""

    reason: str = Field(examples=["is about Rent help"])
    value: float = Field(description="What it is worth, from 0 to 1.")


class SearchHit(Output):
    resource: ResourceRead
    score: float = Field(description="Higher is more relevant; comparable within one answer only.")
    distance_miles: float | None = Field(
        description="From `near`, else the place in the query, to its nearest location; null without either."
    )
    matched: list[str] = Field(
        description="Where the query was found: title, organization, tags, description, location.",
        examples=[["title", "tags"]],
    )
    highlights: dict[str, list[tuple[int, int]]] | None = Field(
        description="By field, where words of the query stand: [start, end) in code points. Null unless `highlight`.",
    )
    explanation: list[ReasonRead] | None = Field(description="The parts of the score; null unless `explain`.")


class PlaceRead(Output):
    name: str
    latitude: float
    longitude: float


class SuggestedSource(Output):
    slug: str
    record_id: str


class SuggestedResource(Output):
    id: UUID
    title: str
    organization: str
    city: str | None
    state: str | None
    source: SuggestedSource


class Suggestion(Output):
    """What a fragment may become. Of the last four, the one of its kind is set."""

    kind: SuggestionKind
    text: str = Field(description="To show, and to search for.", examples=["Columbus Vet Center"])
    resource: SuggestedResource | None
    organization_id: UUID | None = Field(description="For `GET /api/v1/organizations/{organization_id}`.")
    tag: str | None = Field(description="For the filter `tag`.", examples=["rent-assistance"])
    place: PlaceRead | None = Field(description="For the filter `near`, by its name.")


class Suggestions(Output):
    items: list[Suggestion]


class Interpretation(Output):
    """How the query was understood."""

    query: str
    corrected: str | None = Field(
        description="The words with their spelling repaired, without those of `place`; null when nothing was repaired."
    )
    place: PlaceRead | None = Field(description="The place named in the query; null when none was.")
    other_places: list[PlaceRead] = Field(description="What else the words for the place could mean.")
    relaxed: list[str] = Field(
        description="What was loosened to find enough: `any_need` (one of the needs will do), `related_needs` (what "
        "is near to a need will do), `place` (anywhere)."
    )
    fallback: bool = Field(
        description="True when nothing sensible matched: national programs, 211 and the crisis line stand in."
    )


class CrisisRead(Output):
    """The Veterans Crisis Line; set when the query speaks of suicide or crisis."""

    name: str
    phone: str = Field(examples=["988"])
    instructions: str
    text: str = Field(description="Number for text messages.", examples=["838255"])
    chat_url: str


class ChangeRead(Output):
    """The last change of one resource; keep the resource by its id, whatever the kind, and drop what is deleted."""

    kind: Literal["created", "updated", "deleted"]
    id: UUID
    changed_at: datetime
    successor: UUID | None = Field(description="The resource that replaces a deleted one, if any.")
    resource: ResourceRead | None = Field(description="As it is now; null when it was deleted.")


class Changes(Output):
    items: list[ChangeRead]
    next_cursor: str = Field(description="Hand it back as `since`, now or tomorrow.")
    is_current: bool = Field(description="Whether these were all; what is being written now comes later.")


class SearchPage(Page[SearchHit]):
    facets: dict[str, list[TermRead]] = Field(
        description="Counts by value of each facet asked for; a facet ignores its own filter."
    )
    interpretation: Interpretation
    crisis: CrisisRead | None
