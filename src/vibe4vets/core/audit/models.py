"""Events, the seals over them, the queue of what awaits a seal, and the counts of anonymous failures."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, DateTime, Identity, Index, LargeBinary, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel

from vibe4vets.core.models import enum_type


class ActorKind(StrEnum):
    ANONYMOUS = "anonymous"
    USER = "user"
    API_KEY = "api_key"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: the authenticated subject, never what a request claims. `id` is ours, never a name or an e-mail."""

    kind: ActorKind
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """What is acted on: the kind in the singular (`resource`, `user`) and its id."""

    kind: str
    id: str


SYSTEM = Actor(ActorKind.SYSTEM)
ANONYMOUS = Actor(ActorKind.ANONYMOUS)

_CLOCK = text("clock_timestamp()")


class AuditEvent(SQLModel, table=True):
    """An act. Rows are added and read; the database refuses everything else, to their owner too."""

    __tablename__ = "audit_events"
    __table_args__ = (
        CheckConstraint("actor_kind in ('anonymous', 'user', 'api_key', 'system')", name="actor_kind"),
        CheckConstraint("actor_kind not in ('user', 'api_key') or actor_id is not null", name="actor_named"),
        CheckConstraint(r"action ~ '^[a-z_]+(\.[a-z_]+)+$'", name="action"),
        CheckConstraint("(target_kind is null) = (target_id is null)", name="target_whole"),
        CheckConstraint("jsonb_typeof(details) = 'object'", name="details"),
        Index("ix_audit_events_action", "action", "sequence"),
        Index("ix_audit_events_actor", "actor_id", "sequence"),
        Index("ix_audit_events_at", "at"),
        Index("ix_audit_events_target", "target_id", "sequence"),
    )

    sequence: int = Field(sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    at: datetime = Field(sa_type=DateTime(timezone=True), sa_column_kwargs={"server_default": _CLOCK})
    actor_kind: ActorKind = Field(sa_type=enum_type(ActorKind))
    actor_id: str | None = Field(default=None, max_length=64)
    action: str = Field(max_length=64)
    target_kind: str | None = Field(default=None, max_length=64)
    target_id: str | None = Field(default=None, max_length=200)
    before_hash: str | None = Field(default=None, max_length=64)
    after_hash: str | None = Field(default=None, max_length=64)
    request_id: str | None = Field(default=None, max_length=64)
    details: dict[str, Any] = Field(sa_type=JSONB, sa_column_kwargs={"server_default": text("'{}'")})


class UnsealedEvent(SQLModel, table=True):
    """An event that awaits its seal; a trigger on `audit_events` writes the row, the sealing deletes it."""

    __tablename__ = "audit_unsealed"

    sequence: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))


class AuditSeal(SQLModel, table=True):
    """A batch of events with the digest of each, chained to the seal before by its hash."""

    __tablename__ = "audit_seals"
    __table_args__ = (
        CheckConstraint("number >= 1", name="number"),
        CheckConstraint("cardinality(sequences) between 1 and 1000", name="size"),
        CheckConstraint("cardinality(sequences) = cardinality(digests)", name="digests"),
    )

    number: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    sealed_at: datetime = Field(sa_type=DateTime(timezone=True), sa_column_kwargs={"server_default": _CLOCK})
    sequences: list[int] = Field(sa_type=ARRAY(BigInteger))
    digests: list[bytes] = Field(sa_type=ARRAY(LargeBinary))
    previous_hash: str = Field(max_length=64)
    hash: str = Field(max_length=64)


class AuditFailure(SQLModel, table=True):
    """How often strangers failed in a minute, by what they tried and why: few rows, however hard they try."""

    __tablename__ = "audit_failures"
    __table_args__ = (CheckConstraint("count >= 1", name="count"),)

    minute: datetime = Field(sa_type=DateTime(timezone=True), primary_key=True)
    action: str = Field(max_length=64, primary_key=True)
    reason: str = Field(max_length=64, primary_key=True)
    count: int = Field(sa_type=BigInteger)


events = SQLModel.metadata.tables["audit_events"]
