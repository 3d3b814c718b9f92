"""What enters the directory: every write passes through these."""

from datetime import date
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from vibe4vets.core.schemas import Input, Line, LongText, Slug, unique
from vibe4vets.core.urls import HTTPURL
from vibe4vets.resources.models import Category, Scope
from vibe4vets.resources.schemas.types import Email, Language, Latitude, Longitude, StateCode, Tag, Week


class SourceIntake(Input):
    """A publisher, as the table of known sources or an editor describes it."""

    slug: Slug
    name: Annotated[Line, Field(min_length=1, max_length=200)]
    tier: int = Field(ge=1, le=4, strict=True)
    url: HTTPURL | None = None
    licence: Annotated[Line, Field(max_length=200)] | None = None
    attribution: Annotated[Line, Field(max_length=500)] | None = None


class LocationIntake(Input):
    name: Annotated[Line, Field(max_length=200)] | None = None
    street: Annotated[Line, Field(max_length=300)] | None = None
    city: Annotated[Line, Field(max_length=100)] | None = None
    county: Annotated[Line, Field(max_length=100)] | None = None
    state: StateCode | None = None
    postal_code: Annotated[str, StringConstraints(pattern=r"^[0-9]{5}(-[0-9]{4})?$", max_length=10)] | None = None
    latitude: Latitude | None = None
    longitude: Longitude | None = None
    time_zone: Annotated[Line, Field(max_length=64)] | None = None

    @model_validator(mode="after")
    def _coordinates_in_pairs(self) -> Self:
        if (self.latitude is None) != (self.longitude is None):
            raise PydanticCustomError("coordinates_in_pairs", "Give latitude and longitude together")
        return self


class ResourceIntake(Input):
    """One record of a source, normalised; its identity is (source, source_record_id)."""

    source: Slug
    source_record_id: Annotated[Line, Field(min_length=1, max_length=200)]
    source_url: HTTPURL | None = None
    organization: Annotated[Line, Field(min_length=1, max_length=300)]
    title: Annotated[Line, Field(min_length=1, max_length=300)]
    summary: Annotated[Line, Field(max_length=500)] | None = None
    description: Annotated[LongText, Field(max_length=10_000)] = ""
    eligibility: Annotated[
        list[Annotated[Line, Field(min_length=1, max_length=200)]], Field(max_length=50), unique
    ] = []
    how_to_apply: Annotated[LongText, Field(max_length=5000)] | None = None
    categories: Annotated[list[Category], Field(min_length=1, max_length=12), unique]
    tags: Annotated[list[Tag], Field(max_length=100), unique] = []
    scope: Scope
    states: Annotated[list[StateCode], Field(max_length=56), unique] = []
    phone: Annotated[str, StringConstraints(pattern=r"^(\+[1-9][0-9]{6,14}|[0-9]{3})$", max_length=16)] | None = None
    phone_extension: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,8}$", max_length=8)] | None = None
    email: Email | None = None
    website: HTTPURL | None = None
    hours_text: Annotated[Line, Field(max_length=1000)] | None = None
    hours_weekly: Week | None = None
    languages: Annotated[list[Language], Field(max_length=20), unique] = []
    cost: Annotated[Line, Field(max_length=500)] | None = None
    as_of: date | None = None
    locations: Annotated[list[LocationIntake], Field(max_length=50)] = []
