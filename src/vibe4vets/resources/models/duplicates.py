"""Pairs that may be one resource, and those that were made one; as stored."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, DateTime, Double, Index, Text, Uuid, text
from sqlmodel import Field, SQLModel

from vibe4vets.core.models import Record


class DuplicateCandidate(SQLModel, table=True):
    """Two published resources that look like one; a dismissed pair is not found again."""

    __tablename__ = "duplicate_candidates"
    __table_args__ = (
        CheckConstraint("first_id < second_id", name="ordered"),
        CheckConstraint("score between 0 and 1", name="score"),
        Index("ix_duplicate_candidates_score", "score", "first_id", "second_id"),
    )

    first_id: UUID = Field(primary_key=True, foreign_key="resources.id", ondelete="CASCADE")
    second_id: UUID = Field(primary_key=True, foreign_key="resources.id", ondelete="CASCADE", index=True)
    score: float = Field(sa_type=Double)
    reasons: list[str] = Field(sa_type=ARRAY(Text))
    dismissed: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})


class ResourceMerge(Record, table=True):
    """One resource that took another's place, and what is needed to undo it."""

    __tablename__ = "resource_merges"
    __table_args__ = (
        CheckConstraint("kept_id <> merged_id", name="two"),
        Index("uq_resource_merges_merged_id", "merged_id", unique=True, postgresql_where=text("undone_at is null")),
    )

    kept_id: UUID = Field(foreign_key="resources.id", ondelete="CASCADE", index=True)
    merged_id: UUID = Field(foreign_key="resources.id", ondelete="CASCADE")
    kept_version: int
    """The version of the kept one before the merge."""
    moved_proposals: list[UUID] = Field(sa_type=ARRAY(Uuid), sa_column_kwargs={"server_default": text("'{}'")})
    actor_id: str | None = Field(default=None, max_length=64)
    undone_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))


duplicate_candidates = SQLModel.metadata.tables["duplicate_candidates"]
