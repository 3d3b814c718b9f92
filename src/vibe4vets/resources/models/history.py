"""Every version of a resource, as stored."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, Text, text
from sqlmodel import Field, SQLModel

from vibe4vets.core.models import enum_type, utc_now


class Change(StrEnum):
    """What a revision did to its resource."""

    IMPORTED = "imported"
    CREATED = "created"
    UPDATED = "updated"
    PUBLISHED = "published"
    VERIFIED = "verified"
    ARCHIVED = "archived"
    RESTORED = "restored"
    ROLLED_BACK = "rolled_back"
    MERGED = "merged"


class ResourceRevision(SQLModel, table=True):
    """One version of a resource, whole, with who made it and why. Rows are only ever added."""

    __tablename__ = "resource_revisions"
    __table_args__ = (CheckConstraint("number >= 1", name="number"),)

    resource_id: UUID = Field(primary_key=True, foreign_key="resources.id", ondelete="CASCADE")
    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    change: Change = Field(sa_type=enum_type(Change))
    actor_kind: str = Field(max_length=32)
    actor_id: str | None = Field(default=None, max_length=64)
    reason: str | None = Field(default=None, max_length=500)
    document: str = Field(sa_type=Text)
    created_at: datetime = Field(
        default_factory=utc_now, sa_type=DateTime(timezone=True), sa_column_kwargs={"server_default": text("now()")}
    )


revisions = SQLModel.metadata.tables["resource_revisions"]
