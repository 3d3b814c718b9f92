"""What somebody proposes to change, who waits to hear of it, and how to reach them; as stored."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, Index, SmallInteger, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from vibe4vets.core.models import Record, enum_type, utc_now

ONE_OPEN_PROPOSAL = "uq_proposals_open"
ONE_SENDER = "uq_submissions_submitter_id_proposal_id"
ONE_TOKEN = "uq_submissions_token_hash"  # noqa: S105  the name of a constraint
_HASH = "^[0-9a-f]{64}$"


class ProposalKind(StrEnum):
    """What is proposed; a `report` says that something is wrong without saying what is right."""

    CREATE = "create"
    CHANGE = "change"
    ARCHIVE = "archive"
    REPORT = "report"


class Origin(StrEnum):
    """Through which door a proposal came."""

    PUBLIC = "public"
    FEEDBACK = "feedback"
    PARTNER = "partner"
    CONNECTOR = "connector"


class ProposalState(StrEnum):
    OPEN = "open"
    APPROVED = "approved"
    REJECTED = "rejected"


class FeedbackKind(StrEnum):
    """What a visitor says is wrong."""

    WRONG_PHONE = "wrong_phone"
    WRONG_ADDRESS = "wrong_address"
    CLOSED = "closed"
    NOT_ELIGIBLE = "not_eligible"
    OTHER = "other"


class Risk(StrEnum):
    """What a wrong approval would do: send people to the wrong place, or merely read badly."""

    CRISIS = "crisis"
    HIGH = "high"
    LOW = "low"


class Proposal(Record, table=True):
    """A change that waits for a reviewer. The same open change is stored once, however many send it."""

    __tablename__ = "proposals"
    __table_args__ = (
        Index(ONE_OPEN_PROPOSAL, "fingerprint", unique=True, postgresql_where=text("state = 'open'")),
        Index("ix_proposals_queue", "priority", "created_at", "id", postgresql_where=text("state = 'open'")),
        Index("ix_proposals_decided", "decided_at", "id", postgresql_where=text("state <> 'open'")),
        CheckConstraint("version >= 1", name="version"),
        CheckConstraint("kind in ('create', 'change', 'archive', 'report')", name="kind"),
        CheckConstraint("origin in ('public', 'feedback', 'partner', 'connector')", name="origin"),
        CheckConstraint("state in ('open', 'approved', 'rejected')", name="state"),
        CheckConstraint("risk in ('crisis', 'high', 'low')", name="risk"),
        CheckConstraint("(kind = 'create') = (base_version is null)", name="base"),
        CheckConstraint("(kind = 'report') = (feedback is not null)", name="feedback"),
        CheckConstraint("(state = 'open') = (decided_at is null)", name="decided"),
        CheckConstraint("state <> 'rejected' or public_reason is not null", name="reason"),
        CheckConstraint("kind = 'create' or resource_id is not null", name="subject"),
        CheckConstraint("jsonb_typeof(changes) = 'object'", name="changes"),
        CheckConstraint("priority between 0 and 2", name="priority"),
        CheckConstraint(f"fingerprint ~ '{_HASH}'", name="fingerprint"),
    )

    kind: ProposalKind = Field(sa_type=enum_type(ProposalKind))
    origin: Origin = Field(sa_type=enum_type(Origin))
    state: ProposalState = Field(default=ProposalState.OPEN, sa_type=enum_type(ProposalState))
    version: int = Field(default=1)
    resource_id: UUID | None = Field(default=None, foreign_key="resources.id", ondelete="CASCADE", index=True)
    base_version: int | None = Field(default=None)
    changes: dict[str, Any] = Field(sa_type=JSONB)
    feedback: FeedbackKind | None = Field(default=None, sa_type=enum_type(FeedbackKind))
    note: str | None = Field(default=None, max_length=2000)
    risk: Risk = Field(sa_type=enum_type(Risk))
    priority: int = Field(sa_type=SmallInteger)
    fingerprint: str = Field(max_length=64)
    submitter_kind: str = Field(max_length=32)
    submitter_id: str | None = Field(default=None, max_length=64)
    public_reason: str | None = Field(default=None, max_length=500)
    decided_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))


class Submission(SQLModel, table=True):
    """One sending of a proposal: by the public, whose token shows what became of it, or by an account."""

    __tablename__ = "submissions"
    __table_args__ = (
        UniqueConstraint("token_hash", name=ONE_TOKEN),
        UniqueConstraint("submitter_id", "proposal_id", name=ONE_SENDER),
        CheckConstraint("(token_hash is null) <> (submitter_id is null)", name="sender"),
        CheckConstraint(f"token_hash ~ '{_HASH}'", name="token_hash"),
    )

    id: UUID = Field(primary_key=True, sa_column_kwargs={"server_default": text("gen_random_uuid()")})
    proposal_id: UUID = Field(foreign_key="proposals.id", ondelete="CASCADE", index=True)
    token_hash: str | None = Field(default=None, max_length=64)
    submitter_id: str | None = Field(default=None, max_length=64)
    created_at: datetime = Field(
        default_factory=utc_now, sa_type=DateTime(timezone=True), sa_column_kwargs={"server_default": text("now()")}
    )


class SubmitterContact(SQLModel, table=True):
    """How to reach a submitter who wished it: for reviewers, and erased 30 days after the decision."""

    __tablename__ = "submitter_contacts"

    submission_id: UUID = Field(primary_key=True, foreign_key="submissions.id", ondelete="CASCADE")
    name: str | None = Field(default=None, max_length=200)
    email: str | None = Field(default=None, max_length=320)
    phone: str | None = Field(default=None, max_length=16)


proposals = SQLModel.metadata.tables["proposals"]
submissions = SQLModel.metadata.tables["submissions"]
