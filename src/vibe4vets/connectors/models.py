"""Runs, what they stage and refuse, and what the directory knows of each source's records."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, Index, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from vibe4vets.core.models import Record, enum_type

ONE_RECORD_PER_SOURCE = "uq_source_records_source_source_record_id"


class RunState(StrEnum):
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


class Outcome(StrEnum):
    """What becomes of a staged record."""

    CREATED = "created"
    UPDATED = "updated"
    PUBLISHED = "published"
    UNCHANGED = "unchanged"
    WITHHELD = "withheld"
    QUARANTINED = "quarantined"


class ConnectorRun(Record, table=True):
    """One reading of one source; the row is the truth about it."""

    __tablename__ = "connector_runs"
    __table_args__ = (
        CheckConstraint("state in ('running', 'succeeded', 'failed', 'interrupted')", name="state"),
        CheckConstraint("(state = 'running') = (finished_at is null)", name="finished"),
        CheckConstraint("least(created, updated, published, unchanged, withheld, quarantined) >= 0", name="counts"),
    )

    connector: str = Field(max_length=64)
    subject: str = Field(max_length=300, description="What was read: the file's name.")
    state: RunState = Field(default=RunState.RUNNING, sa_type=enum_type(RunState))
    created: int = Field(default=0)
    updated: int = Field(default=0)
    published: int = Field(default=0)
    unchanged: int = Field(default=0)
    withheld: int = Field(default=0)
    quarantined: int = Field(default=0)
    error: str | None = Field(default=None, max_length=500)
    finished_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))


class StagedRecord(SQLModel, table=True):
    """A record on its way in: read and checked, not yet merged. Unlogged, for it can be read again."""

    __tablename__ = "staged_records"
    __table_args__ = (
        Index("ix_staged_records_identity", "run_id", "source", "source_record_id"),
        {"prefixes": ["UNLOGGED"]},
    )

    run_id: UUID = Field(primary_key=True, foreign_key="connector_runs.id", ondelete="CASCADE")
    line: int = Field(primary_key=True)
    source: str = Field(max_length=64)
    source_record_id: str = Field(max_length=200)
    content_hash: str = Field(max_length=64)
    content: str = Field(sa_type=Text)
    provenance: str | None = Field(default=None, max_length=1000)
    outcome: Outcome | None = Field(default=None, sa_type=enum_type(Outcome))


class SourceRecord(Record, table=True):
    """A source's record as it was last merged, so that an unchanged one costs nothing."""

    __tablename__ = "source_records"
    __table_args__ = (UniqueConstraint("source", "source_record_id", name=ONE_RECORD_PER_SOURCE),)

    source: str = Field(max_length=64)
    source_record_id: str = Field(max_length=200)
    resource_id: UUID = Field(foreign_key="resources.id", ondelete="CASCADE", index=True)
    content_hash: str = Field(max_length=64)
    provenance: str | None = Field(default=None, max_length=1000)
    run_id: UUID | None = Field(default=None, foreign_key="connector_runs.id", ondelete="SET NULL", index=True)


class QuarantinedRecord(Record, table=True):
    """A record that was refused, with the reason and where it stood; the others of its run went on."""

    __tablename__ = "quarantined_records"
    __table_args__ = (CheckConstraint("line >= 1", name="line"),)

    run_id: UUID = Field(foreign_key="connector_runs.id", ondelete="CASCADE", index=True)
    line: int
    reason: str = Field(max_length=2000)
    source: str | None = Field(default=None, max_length=64)
    source_record_id: str | None = Field(default=None, max_length=200)
    content: str = Field(sa_type=Text)
