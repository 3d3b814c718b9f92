"""Who works on which proposal, who decided it, and what to verify first; as stored."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, DateTime, Double, Index, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from vibe4vets.core.models import Record

ONE_DECISION = "uq_review_decisions_proposal_id"


class ReviewClaim(SQLModel, table=True):
    """A reviewer's lease on a proposal; once it has run out, anybody may take it."""

    __tablename__ = "review_claims"

    proposal_id: UUID = Field(primary_key=True, foreign_key="proposals.id", ondelete="CASCADE")
    user_id: UUID = Field(foreign_key="users.id", ondelete="CASCADE", index=True)
    claimed_until: datetime = Field(sa_type=DateTime(timezone=True))


class ReviewDecision(Record, table=True):
    """What became of a proposal, by whom, and what staff alone may read about it."""

    __tablename__ = "review_decisions"
    __table_args__ = (
        UniqueConstraint("proposal_id", name=ONE_DECISION),
        CheckConstraint("state in ('approved', 'rejected')", name="state"),
    )

    proposal_id: UUID = Field(foreign_key="proposals.id", ondelete="CASCADE")
    actor_id: str = Field(max_length=64)
    state: str = Field(max_length=32)
    fields: list[str] = Field(sa_type=ARRAY(Text), sa_column_kwargs={"server_default": text("'{}'")})
    private_note: str | None = Field(default=None, max_length=2000)


class VerificationNeed(SQLModel, table=True):
    """How much a published resource needs to be verified, as it was found; the higher, the sooner.

    What the list is filtered by stands beside: where few match, it is read far down by its index alone.
    """

    __tablename__ = "verification_needs"
    __table_args__ = (Index("ix_verification_needs_priority", "priority", "resource_id"),)

    resource_id: UUID = Field(primary_key=True, foreign_key="resources.id", ondelete="CASCADE")
    priority: float = Field(sa_type=Double)
    states: list[str] = Field(sa_type=ARRAY(Text))
    categories: list[str] = Field(sa_type=ARRAY(Text))
    source: str = Field(max_length=64)
    found_at: datetime = Field(sa_type=DateTime(timezone=True))


needs = SQLModel.metadata.tables["verification_needs"]
