"""Where things are, and what they are called: what `near` and the suggestions read."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import REAL, BigInteger, CheckConstraint, DateTime, Double, Identity, Index, SmallInteger, Text, text
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlmodel import Field, SQLModel

from vibe4vets.core.models import utc_now

BY_BATCHES = {"fastupdate": "on", "gin_pending_list_limit": "8192"}
"""Of an index of words: what is written is gathered, and merged by whoever wrote it (`merge_pending_words`)."""


class PublishedLocation(SQLModel, table=True):
    """Where a published resource is, as far as its coordinates are known: for distances and boxes.

    It goes with the resource.
    """

    __tablename__ = "published_locations"
    __table_args__ = (
        Index("ix_published_locations_globe", text("on_globe(latitude, longitude)"), postgresql_using="gist"),
    )

    resource_id: UUID = Field(primary_key=True)
    position: int = Field(primary_key=True, sa_type=SmallInteger)
    latitude: float = Field(sa_type=Double)
    longitude: float = Field(sa_type=Double)


class KnownPlace(SQLModel, table=True):
    """A ZIP code, city or county with its middle; `weight` counts its ZIP codes. The gazetteer reads them."""

    __tablename__ = "places"
    __table_args__ = (
        CheckConstraint("kind in ('zip', 'city', 'county') and origin in ('file', 'directory')", name="kind"),
        CheckConstraint("latitude between -90 and 90 and longitude between -180 and 180", name="coordinates"),
    )

    kind: str = Field(primary_key=True, max_length=8)
    key: str = Field(primary_key=True, sa_type=Text(collation="C"))
    state: str = Field(primary_key=True, max_length=2)
    name: str = Field(max_length=100)
    county: str | None = Field(default=None, max_length=100)
    latitude: float = Field(sa_type=Double)
    longitude: float = Field(sa_type=Double)
    weight: int
    origin: str = Field(max_length=16)


class PlaceLoad(SQLModel, table=True):
    """When and from what the places changed; the highest id is their version, which every process compares."""

    __tablename__ = "place_loads"

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger, sa_column_args=[Identity()])
    origin: str = Field(max_length=16)
    subject: str = Field(max_length=300)
    loaded_at: datetime = Field(default_factory=utc_now, sa_type=DateTime(timezone=True))


class PublishedName(SQLModel, table=True):
    """The folded names of a published resource, and their words: a narrow row for every key that is pressed.

    It goes with the resource.
    """

    __tablename__ = "published_names"
    __table_args__ = (
        Index("ix_published_names_title", "title", "id"),
        Index("ix_published_names_standing", text("standing desc"), "id"),
        Index("ix_published_names_words", "words", postgresql_using="gin", postgresql_with=BY_BATCHES),
    )

    id: UUID = Field(primary_key=True)
    title: str = Field(sa_type=Text(collation="C"))
    organization: str = Field(sa_type=Text(collation="C"))
    words: Any = Field(sa_type=TSVECTOR)
    standing: float = Field(sa_type=REAL)


class PublishedWord(SQLModel, table=True):
    """A word of a published name, for telling slips of the finger; `reindex` counts anew in how many it is."""

    __tablename__ = "published_words"

    word: str = Field(primary_key=True, sa_type=Text(collation="C"))
    uses: int


known_places = SQLModel.metadata.tables["places"]
place_loads = SQLModel.metadata.tables["place_loads"]
published_locations = SQLModel.metadata.tables["published_locations"]
published_names = SQLModel.metadata.tables["published_names"]
