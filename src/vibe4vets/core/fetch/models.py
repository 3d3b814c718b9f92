"""What is known of the hosts that we ask."""

from datetime import datetime

from sqlalchemy import CheckConstraint, DateTime
from sqlmodel import Field, SQLModel


class FetchHost(SQLModel, table=True):
    """A host's breaker, shared by every worker (row F11). Written by `hosts.PostgresHosts` alone."""

    __tablename__ = "fetch_hosts"
    __table_args__ = (
        CheckConstraint("calls >= failures and failures >= 0", name="counts"),
        CheckConstraint("opened_at is not null or probed_at is null", name="probed"),
    )

    host: str = Field(primary_key=True, max_length=255)
    window_began_at: datetime = Field(sa_type=DateTime(timezone=True))
    calls: int = Field(default=0, description="Within the window.")
    failures: int = Field(default=0)
    opened_at: datetime | None = Field(
        default=None, sa_type=DateTime(timezone=True), description="Since when it is left alone for failing."
    )
    probed_at: datetime | None = Field(
        default=None, sa_type=DateTime(timezone=True), description="When one caller was let through to look."
    )
    quiet_until: datetime | None = Field(
        default=None, sa_type=DateTime(timezone=True), description="What it asked for with Retry-After."
    )
