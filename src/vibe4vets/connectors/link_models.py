"""Web sites of published resources, what their checks found; and which version of a publisher's file is known."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, Index, SmallInteger, text
from sqlmodel import Field, SQLModel

from vibe4vets.core.models import enum_type, utc_now

LEAST_FAILURES: Final = 3
LEAST_SPAN: Final = timedelta(hours=48)


class Finding(StrEnum):
    """What the last check of a link found."""

    REACHED = "reached"
    NAME_UNKNOWN = "name-unknown"
    UNREACHABLE = "unreachable"
    BAD_CERTIFICATE = "bad-certificate"
    TOO_SLOW = "too-slow"
    MISSING = "missing"
    SERVER_ERROR = "server-error"
    UNWILLING = "unwilling"
    ODD_REDIRECT = "odd-redirect"
    NOT_ASKED = "not-asked"


FAILURES: Final = frozenset(
    {
        Finding.NAME_UNKNOWN,
        Finding.UNREACHABLE,
        Finding.BAD_CERTIFICATE,
        Finding.TOO_SLOW,
        Finding.MISSING,
        Finding.SERVER_ERROR,
    }
)
"""What counts towards a broken link; the rest says that something is there, or that we did not ask."""


class Suspicion(StrEnum):
    """Why a page that is there may all the same not be what it was."""

    SAYS_NOT_FOUND = "says-not-found"
    HOME_PAGE = "home-page"
    PARKED = "parked"


class Link(SQLModel, table=True):
    """A web site that published resources or their organizations name, once however many name it (row F12).

    Of what it answers only the status, the final URL, a hash and the validators are kept (row F8).
    """

    __tablename__ = "links"
    __table_args__ = (
        CheckConstraint("(failures = 0) = (first_failed_at is null) and failures >= 0", name="failures"),
        CheckConstraint(
            f"broken_at is null or (failures >= {LEAST_FAILURES}"
            f" and broken_at >= first_failed_at + interval '{LEAST_SPAN // timedelta(hours=1)} hours')",
            name="broken",
        ),
        CheckConstraint("suspicion in ('says-not-found', 'home-page', 'parked')", name="suspicion"),
        CheckConstraint("(suspicion is null) = (suspected_at is null)", name="suspected"),
        Index("ix_links_next_check_at", "next_check_at", "key"),
        Index("ix_links_flagged", "key", postgresql_where=text("broken_at is not null or suspicion is not null")),
    )

    key: str = Field(primary_key=True, max_length=64, description="SHA-256 of the URL, which may be too long to index.")
    url: str = Field(max_length=2000, description="As the resources write it.")
    host: str = Field(max_length=255)
    next_check_at: datetime = Field(sa_type=DateTime(timezone=True), description="While claimed: until when.")
    lease: UUID | None = Field(default=None, description="Of the worker that is checking it.")
    checked_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    finding: Finding | None = Field(default=None, sa_type=enum_type(Finding))
    status: int | None = Field(default=None, sa_type=SmallInteger)
    final_url: str | None = Field(default=None, max_length=2000)
    sha256: str | None = Field(default=None, max_length=64)
    etag: str | None = Field(default=None, max_length=200)
    last_modified: str | None = Field(default=None, max_length=200)
    failures: int = Field(default=0, sa_type=SmallInteger, sa_column_kwargs={"server_default": text("0")})
    first_failed_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    broken_at: datetime | None = Field(
        default=None, sa_type=DateTime(timezone=True), description="Since when reviewers are told."
    )
    suspicion: Suspicion | None = Field(default=None, sa_type=enum_type(Suspicion))
    suspected_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))


class SourceValidators(SQLModel, table=True):
    """The version of a publisher's file that was applied last, so that an unchanged one need not be sent again."""

    __tablename__ = "source_validators"

    connector: str = Field(primary_key=True, max_length=64)
    url: str = Field(primary_key=True, max_length=500)
    etag: str | None = Field(default=None, max_length=200)
    last_modified: str | None = Field(default=None, max_length=200)
    body_hash: str | None = Field(default=None, max_length=64)
    updated_at: datetime = Field(
        default_factory=utc_now,
        sa_type=DateTime(timezone=True),
        sa_column_kwargs={"server_default": text("now()"), "onupdate": utc_now},
    )


links = SQLModel.metadata.tables["links"]
