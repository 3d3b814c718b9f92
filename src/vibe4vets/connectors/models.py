"""Runs, what they stage and refuse, and what the directory knows of each source's records."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    DateTime,
    Index,
    Interval,
    LargeBinary,
    SmallInteger,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel

from vibe4vets.core.models import Record, enum_type, utc_now

ONE_RECORD_PER_SOURCE = "uq_source_records_source_source_record_id"
ONE_ACTIVE_RUN = "uq_connector_runs_active"
_EMPTY = text("'{}'")
_ZERO = {"server_default": text("0")}
_NO = {"server_default": text("false")}


class RunState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    HELD = "held"
    """Planned; waits for a person to confirm or cancel it."""
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Policy(StrEnum):
    """What a run may do by itself."""

    REVIEW = "review"
    """A connector's: what is risky, and what a community source adds, becomes a proposal."""
    PUBLISH = "publish"
    """An operator's import: published at once, but for what a person has set or verified."""
    DRAFT = "draft"
    """An operator's import: new records are drafts, and nothing published changes."""


class Trigger(StrEnum):
    """Who wanted a run."""

    SCHEDULE = "schedule"
    REQUEST = "request"
    UPLOAD = "upload"
    COMMAND = "command"


class Stage(StrEnum):
    """How far a running one is."""

    READ = "read"
    PLAN = "plan"
    APPLY = "apply"


class Outcome(StrEnum):
    """What becomes of a staged record."""

    CREATED = "created"
    UPDATED = "updated"
    PUBLISHED = "published"
    UNCHANGED = "unchanged"
    PROPOSED = "proposed"
    """It waits for a reviewer, as a whole or in some of its fields."""
    WITHHELD = "withheld"
    VANISHED = "vanished"
    """Missing for the first time, so it stays."""
    RETIRED = "retired"
    QUARANTINED = "quarantined"


class Format(StrEnum):
    """What a file of records is."""

    NDJSON = "ndjson"
    CSV = "csv"
    HSDS = "hsds"


class Encoding(StrEnum):
    """How a spreadsheet is written."""

    UTF_8 = "utf-8"
    CP1252 = "cp1252"


_ACTIVE = "state in ('queued', 'running', 'held')"


class ConnectorRun(Record, table=True):
    """One reading of one source; the row is the truth about it, the job only wakes a worker.

    `attempt` is the fencing token: who takes the run raises it, and writes only while it is still that.
    """

    __tablename__ = "connector_runs"
    __table_args__ = (
        Index(ONE_ACTIVE_RUN, "connector", unique=True, postgresql_where=text(_ACTIVE)),
        Index("ix_connector_runs_history", "connector", "created_at", "id"),
        CheckConstraint("state in ('queued', 'running', 'held', 'succeeded', 'failed', 'cancelled')", name="state"),
        CheckConstraint("policy in ('review', 'publish', 'draft')", name="policy"),
        CheckConstraint("trigger in ('schedule', 'request', 'upload', 'command')", name="trigger"),
        CheckConstraint("stage in ('read', 'plan', 'apply')", name="stage"),
        CheckConstraint(f"({_ACTIVE}) = (finished_at is null)", name="finished"),
        CheckConstraint("(state = 'running') = (lease_until is not null)", name="leased"),
        CheckConstraint(
            "least(created, updated, published, unchanged, proposed, withheld, vanished, retired, quarantined,"
            " attempt, done, staged, applied_through) >= 0",
            name="counts",
        ),
    )

    connector: str = Field(max_length=64)
    subject: str = Field(max_length=300, description="What was read: the file's name.")
    state: RunState = Field(default=RunState.QUEUED, sa_type=enum_type(RunState))
    policy: Policy = Field(
        default=Policy.REVIEW, sa_type=enum_type(Policy), sa_column_kwargs={"server_default": text("'review'")}
    )
    trigger: Trigger = Field(
        default=Trigger.REQUEST, sa_type=enum_type(Trigger), sa_column_kwargs={"server_default": text("'request'")}
    )
    actor_kind: str = Field(default="system", max_length=32, sa_column_kwargs={"server_default": text("'system'")})
    actor_id: str | None = Field(default=None, max_length=64)
    dry_run: bool = Field(default=False, sa_column_kwargs=_NO)
    attempt: int = Field(default=0, sa_column_kwargs=_ZERO)
    failures: int = Field(default=0, sa_column_kwargs=_ZERO)
    """How many attempts have failed or died; a worker that is told to stop gives a run back without one."""
    lease_until: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    cancel_requested: bool = Field(default=False, sa_column_kwargs=_NO)
    confirmed: bool = Field(default=False, sa_column_kwargs=_NO)
    stage: Stage | None = Field(default=None, sa_type=enum_type(Stage))
    done: int = Field(default=0, sa_column_kwargs=_ZERO)
    total: int | None = Field(default=None)
    checkpoint: str | None = Field(default=None, sa_type=Text)
    """Where the reading goes on, written with the records that it covers."""
    staged: int = Field(default=0, sa_column_kwargs=_ZERO)
    """How many lines are on the stage, which a crash of the server empties."""
    complete: bool = Field(default=False, sa_column_kwargs=_NO)
    """Whether what was read is all that the publisher has, so that a record which is missing has vanished."""
    applied_through: int = Field(default=0, sa_column_kwargs=_ZERO)
    """The last line that is applied, written with what it changed."""
    created: int = Field(default=0)
    updated: int = Field(default=0)
    published: int = Field(default=0)
    unchanged: int = Field(default=0)
    proposed: int = Field(default=0, sa_column_kwargs=_ZERO)
    withheld: int = Field(default=0)
    vanished: int = Field(default=0, sa_column_kwargs=_ZERO)
    retired: int = Field(default=0, sa_column_kwargs=_ZERO)
    quarantined: int = Field(default=0)
    plan: dict[str, Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    """What it will do, by field, with samples."""
    held_because: str | None = Field(default=None, max_length=500)
    warnings: list[str] = Field(default_factory=list, sa_type=ARRAY(Text), sa_column_kwargs={"server_default": _EMPTY})
    error: str | None = Field(default=None, max_length=500)
    """The class of what ended it."""
    advice: str | None = Field(default=None, max_length=500)
    """What ended it and what to do, in words that hold no secret."""
    started_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
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
    changes: dict[str, Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    """What the plan does with its fields, for those that are known."""


class SourceRecord(Record, table=True):
    """A source's record as it was last read, so that an unchanged one costs nothing, and a person's value is known."""

    __tablename__ = "source_records"
    __table_args__ = (UniqueConstraint("source", "source_record_id", name=ONE_RECORD_PER_SOURCE),)

    source: str = Field(max_length=64)
    source_record_id: str = Field(max_length=200)
    resource_id: UUID = Field(foreign_key="resources.id", ondelete="CASCADE", index=True)
    content_hash: str = Field(max_length=64)
    content: str | None = Field(default=None, sa_type=Text)
    """The `ResourceIntake` of it: a field that differs from the directory's was set by somebody else since."""
    missed: int = Field(default=0, sa_type=SmallInteger, sa_column_kwargs=_ZERO)
    """In how many complete readings in a row it was missing."""
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


class ConnectorSchedule(SQLModel, table=True):
    """What admins have set of a connector, and when it is due; without a row, what its source declares."""

    __tablename__ = "connector_schedules"
    __table_args__ = (
        CheckConstraint("version >= 1", name="version"),
        CheckConstraint("every >= interval '5 minutes'", name="every"),
    )

    connector: str = Field(primary_key=True, max_length=64)
    version: int = Field(default=1)
    is_enabled: bool = Field(default=True)
    every: timedelta | None = Field(default=None, sa_type=Interval)
    """None for what the source declares."""
    due_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    updated_at: datetime = Field(
        default_factory=utc_now, sa_type=DateTime(timezone=True), sa_column_kwargs={"server_default": text("now()")}
    )


class UploadedFile(SQLModel, table=True):
    """A file that a run is to read, and how; the database deletes it when the run ends."""

    __tablename__ = "uploaded_files"
    __table_args__ = (CheckConstraint("format in ('ndjson', 'csv', 'hsds')", name="format"),)

    run_id: UUID = Field(primary_key=True, foreign_key="connector_runs.id", ondelete="CASCADE")
    source: str | None = Field(default=None, max_length=64)
    """None for a record file whose lines name theirs."""
    format: Format = Field(sa_type=enum_type(Format))
    encoding: Encoding | None = Field(default=None, sa_type=enum_type(Encoding))
    columns: dict[str, str] = Field(default_factory=dict, sa_type=JSONB, sa_column_kwargs={"server_default": _EMPTY})
    """The field of each header whose field somebody has named."""


class UploadedPart(SQLModel, table=True):
    """A piece of an uploaded file: nobody ever holds the whole in memory."""

    __tablename__ = "uploaded_parts"

    run_id: UUID = Field(primary_key=True, foreign_key="uploaded_files.run_id", ondelete="CASCADE")
    number: int = Field(primary_key=True)
    content: bytes = Field(sa_type=LargeBinary)


class ColumnMapping(SQLModel, table=True):
    """Which field a header of a source's spreadsheets is, as somebody has said once."""

    __tablename__ = "column_mappings"

    source: str = Field(primary_key=True, max_length=64)
    header: str = Field(primary_key=True, max_length=300)
    field: str = Field(max_length=64)
