"""The directory as stored: working rows, and the published read model that the public sees."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    Double,
    Index,
    Integer,
    SmallInteger,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, INT4MULTIRANGE, JSONB
from sqlmodel import Field, SQLModel

from vibe4vets.core.models import Record, enum_type, utc_now

ONE_SLUG = "uq_sources_slug"
ONE_NAME_PER_SOURCE = "uq_organizations_source_id_name_key"
ONE_RECORD_PER_SOURCE = "uq_resources_source_id_source_record_id"
ONE_PLACE_PER_POSITION = "uq_locations_resource_id_position"
KEBAB_LIST = "^([a-z0-9]+(-[a-z0-9]+)*( [a-z0-9]+(-[a-z0-9]+)*)*)?$"
STATE_CODES = (
    "AK,AL,AR,AS,AZ,CA,CO,CT,DC,DE,FL,GA,GU,HI,IA,ID,IL,IN,KS,KY,LA,MA,MD,ME,MI,MN,MO,MP,MS,MT,NC,ND,NE,NH,NJ,"
    "NM,NV,NY,OH,OK,OR,PA,PR,RI,SC,SD,TN,TX,UT,VA,VI,VT,WA,WI,WV,WY"
)
_EMPTY = text("'{}'")


class Category(StrEnum):
    """The twelve kinds of help; every resource has at least one."""

    EMPLOYMENT = "employment"
    TRAINING = "training"
    HOUSING = "housing"
    LEGAL = "legal"
    FOOD = "food"
    BENEFITS = "benefits"
    MENTAL_HEALTH = "mental_health"
    SUPPORT_SERVICES = "support_services"
    HEALTHCARE = "healthcare"
    EDUCATION = "education"
    FINANCIAL = "financial"
    FAMILY = "family"


class Scope(StrEnum):
    """Whom a resource serves: the whole country, whole states, or a place."""

    NATIONAL = "national"
    STATE = "state"
    LOCAL = "local"


class Status(StrEnum):
    DRAFT = "draft"
    PUBLISHED = "published"
    ARCHIVED = "archived"


def _one_of(values: type[StrEnum]) -> str:
    return ",".join(member.value for member in values)


class Source(Record, table=True):
    """A publisher whose records the directory holds; `tier` 1 (official) to 4 (community)."""

    __tablename__ = "sources"
    __table_args__ = (
        UniqueConstraint("slug", name=ONE_SLUG),
        CheckConstraint("tier between 1 and 4", name="tier"),
        CheckConstraint("slug ~ '^[a-z0-9]+([_-][a-z0-9]+)*$'", name="slug"),
    )

    slug: str = Field(max_length=64)
    name: str = Field(max_length=200)
    tier: int = Field(sa_type=SmallInteger)
    url: str | None = Field(default=None, max_length=2000)
    licence: str | None = Field(default=None, max_length=200)
    attribution: str | None = Field(default=None, max_length=500)


class Organization(Record, table=True):
    """Who offers resources. Within a source, one normalised name is one organization."""

    __tablename__ = "organizations"
    __table_args__ = (
        UniqueConstraint("source_id", "name_key", name=ONE_NAME_PER_SOURCE),
        Index("ix_organizations_name_key", "name_key", "id", postgresql_ops={"name_key": "text_pattern_ops"}),
        Index("ix_organizations_name_words", text("to_tsvector('simple', name_key)"), postgresql_using="gin"),
        CheckConstraint("name <> '' and name_key <> ''", name="named"),
    )

    source_id: UUID = Field(foreign_key="sources.id")
    name: str = Field(max_length=300)
    name_key: str = Field(max_length=300)
    website: str | None = Field(default=None, max_length=2000)


class Resource(Record, table=True):
    """A program or place that helps Veterans, as its editors see it. Its identity is (source, record id)."""

    __tablename__ = "resources"
    __table_args__ = (
        UniqueConstraint("source_id", "source_record_id", name=ONE_RECORD_PER_SOURCE),
        CheckConstraint("version >= 1", name="version"),
        CheckConstraint("title <> ''", name="titled"),
        CheckConstraint(
            f"categories <@ string_to_array('{_one_of(Category)}', ',') and cardinality(categories) between 1 and 12",
            name="categories",
        ),
        CheckConstraint(f"array_to_string(tags, ' ') ~ '{KEBAB_LIST}' and cardinality(tags) <= 100", name="tags"),
        CheckConstraint(f"states <@ string_to_array('{STATE_CODES}', ',')", name="states"),
        CheckConstraint("array_to_string(languages, ' ') ~ '^([a-z]{2,3}( [a-z]{2,3})*)?$'", name="languages"),
        CheckConstraint("cardinality(eligibility) <= 50", name="eligibility"),
        CheckConstraint("scope in ('national', 'state', 'local')", name="scope"),
        CheckConstraint("status in ('draft', 'published', 'archived')", name="status"),
        CheckConstraint(r"phone ~ '^(\+[1-9][0-9]{6,14}|[0-9]{3})$'", name="phone"),
        CheckConstraint(
            "phone_extension is null or (phone is not null and phone_extension ~ '^[0-9]{1,8}$')",
            name="phone_extension",
        ),
        CheckConstraint("website ~* '^https?://'", name="website"),
        CheckConstraint("hours_weekly is null or jsonb_array_length(hours_weekly) = 7", name="hours_weekly"),
        Index("ix_resources_updated", "updated_at", "id"),
    )

    source_id: UUID = Field(foreign_key="sources.id")
    source_record_id: str = Field(max_length=200)
    source_url: str | None = Field(default=None, max_length=2000)
    organization_id: UUID = Field(foreign_key="organizations.id", index=True)
    version: int = Field(default=1)
    status: Status = Field(default=Status.DRAFT, sa_type=enum_type(Status))
    title: str = Field(max_length=300)
    summary: str | None = Field(default=None, max_length=500)
    description: str = Field(max_length=10_000)
    eligibility: list[str] = Field(sa_type=ARRAY(Text), sa_column_kwargs={"server_default": _EMPTY})
    how_to_apply: str | None = Field(default=None, max_length=5000)
    categories: list[str] = Field(sa_type=ARRAY(Text))
    tags: list[str] = Field(sa_type=ARRAY(Text), sa_column_kwargs={"server_default": _EMPTY})
    scope: Scope = Field(sa_type=enum_type(Scope))
    states: list[str] = Field(sa_type=ARRAY(Text), sa_column_kwargs={"server_default": _EMPTY})
    phone: str | None = Field(default=None, max_length=16)
    phone_extension: str | None = Field(default=None, max_length=8)
    email: str | None = Field(default=None, max_length=320)
    website: str | None = Field(default=None, max_length=2000)
    hours_text: str | None = Field(default=None, max_length=1000)
    hours_weekly: list[Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    languages: list[str] = Field(sa_type=ARRAY(Text), sa_column_kwargs={"server_default": _EMPTY})
    cost: str | None = Field(default=None, max_length=500)
    as_of: date | None = Field(default=None)
    verified_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))


class Location(Record, table=True):
    """Where a resource is offered; `position` orders the places of one resource from 0."""

    __tablename__ = "locations"
    __table_args__ = (
        UniqueConstraint("resource_id", "position", name=ONE_PLACE_PER_POSITION),
        CheckConstraint("(latitude is null) = (longitude is null)", name="coordinates_in_pairs"),
        CheckConstraint("latitude between -90 and 90", name="latitude"),
        CheckConstraint("longitude between -180 and 180", name="longitude"),
        CheckConstraint(f"state = any(string_to_array('{STATE_CODES}', ','))", name="state"),
        CheckConstraint("postal_code ~ '^[0-9]{5}(-[0-9]{4})?$'", name="postal_code"),
        CheckConstraint("position >= 0", name="position"),
    )

    resource_id: UUID = Field(foreign_key="resources.id", ondelete="CASCADE")
    position: int = Field(default=0, sa_type=SmallInteger)
    name: str | None = Field(default=None, max_length=200)
    street: str | None = Field(default=None, max_length=300)
    city: str | None = Field(default=None, max_length=100)
    county: str | None = Field(default=None, max_length=100)
    state: str | None = Field(default=None, max_length=2)
    postal_code: str | None = Field(default=None, max_length=10)
    latitude: float | None = Field(default=None, sa_type=Double)
    longitude: float | None = Field(default=None, sa_type=Double)
    time_zone: str | None = Field(default=None, max_length=64)


class PublishedResource(SQLModel, table=True):
    """What the public sees of one resource: the answer as text, and the columns that find and sort it."""

    __tablename__ = "published_resources"
    __table_args__ = (
        Index(
            "ix_published_resources_filters",
            "categories", "tags", "states", "languages", "cities", "areas", "open_hours",
            postgresql_using="gin",
        ),
        Index("ix_published_resources_trust", "trust_score", "id"),
        Index("ix_published_resources_updated", "updated_at", "id"),
        Index("ix_published_resources_title", "title_key", "id"),
        Index("ix_published_resources_organization", "organization_id", "trust_score", "id"),
        Index("ix_published_resources_source", "source", "trust_score", "id"),
        Index("ix_published_resources_scope", "scope", "trust_score", "id"),
    )  # fmt: skip

    id: UUID = Field(primary_key=True, foreign_key="resources.id", ondelete="CASCADE")
    document: str = Field(sa_type=Text)
    document_version: int = Field(sa_type=SmallInteger)
    etag: str = Field(max_length=64)
    title_key: str = Field(sa_type=Text(collation="C"))
    organization_id: UUID = Field(foreign_key="organizations.id")
    categories: list[str] = Field(sa_type=ARRAY(Text))
    tags: list[str] = Field(sa_type=ARRAY(Text))
    states: list[str] = Field(sa_type=ARRAY(Text))
    languages: list[str] = Field(sa_type=ARRAY(Text))
    cities: list[str] = Field(sa_type=ARRAY(Text))
    areas: list[int] = Field(sa_type=ARRAY(Integer), sa_column_kwargs={"server_default": _EMPTY})
    open_hours: list[int] = Field(sa_type=ARRAY(Integer), sa_column_kwargs={"server_default": _EMPTY})
    time_zones: list[str] = Field(sa_type=ARRAY(Text), sa_column_kwargs={"server_default": _EMPTY})
    open_week: Any = Field(default=None, sa_type=INT4MULTIRANGE, nullable=True)
    scope: Scope = Field(sa_type=enum_type(Scope))
    source: str = Field(max_length=64)
    trust_score: float = Field(sa_type=Double)
    updated_at: datetime = Field(sa_type=DateTime(timezone=True))


class PublishedTerm(SQLModel, table=True):
    """How many published resources carry a term. Triggers on `published_resources` keep it, in its transaction."""

    __tablename__ = "published_terms"
    __table_args__ = (CheckConstraint("kind in ('category', 'tag', 'state')", name="kind"),)

    kind: str = Field(primary_key=True, max_length=16)
    value: str = Field(primary_key=True, sa_type=Text(collation="C"))
    uses: int


class PublishedChange(SQLModel, table=True):
    """The last change of a resource that the public could see. Triggers on `published_resources` keep it.

    `changed_in` is the number of the transaction: once all older ones have ended, what comes has a higher one.
    """

    __tablename__ = "published_changes"
    __table_args__ = (
        CheckConstraint("kind in ('created', 'updated', 'deleted')", name="kind"),
        Index("ix_published_changes_order", "changed_in", "resource_id"),
    )

    resource_id: UUID = Field(primary_key=True, foreign_key="resources.id", ondelete="CASCADE")
    changed_in: int = Field(sa_type=BigInteger)
    kind: str = Field(max_length=16)
    changed_at: datetime = Field(sa_type=DateTime(timezone=True))


class WithdrawnResource(SQLModel, table=True):
    """The tombstone of a resource that was published once; `successor_id` replaces it where one does."""

    __tablename__ = "withdrawn_resources"

    id: UUID = Field(primary_key=True, foreign_key="resources.id", ondelete="CASCADE")
    successor_id: UUID | None = Field(default=None, foreign_key="resources.id", ondelete="SET NULL")
    withdrawn_at: datetime = Field(default_factory=utc_now, sa_type=DateTime(timezone=True))


organizations = SQLModel.metadata.tables["organizations"]
published = SQLModel.metadata.tables["published_resources"]
published_changes = SQLModel.metadata.tables["published_changes"]
published_terms = SQLModel.metadata.tables["published_terms"]
withdrawn = SQLModel.metadata.tables["withdrawn_resources"]
resources = SQLModel.metadata.tables["resources"]
sources = SQLModel.metadata.tables["sources"]
