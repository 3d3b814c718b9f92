"""What the limits have counted, in every process together."""

from datetime import datetime

from sqlalchemy import CheckConstraint, DateTime, LargeBinary
from sqlmodel import Field, SQLModel


class RateLimit(SQLModel, table=True):
    """How much of a limit is spent. `key` is a keyed hash, for it may stand for an address.

    Unlogged: a crash of the server forgives what was spent, and no count costs a flush to disk.
    """

    __tablename__ = "rate_limits"
    __table_args__ = (
        CheckConstraint("octet_length(key) = 32", name="key"),
        CheckConstraint("spent >= 0", name="spent"),
        {"prefixes": ["UNLOGGED"]},
    )

    key: bytes = Field(sa_type=LargeBinary, primary_key=True)
    spent: int
    resets_at: datetime = Field(sa_type=DateTime(timezone=True), index=True)
