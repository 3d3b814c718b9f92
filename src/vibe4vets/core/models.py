"""What every table shares."""

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import DateTime, Enum, text
from sqlmodel import Field, SQLModel

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


def utc_now() -> datetime:
    """The one clock."""
    return datetime.now(UTC)


def enum_type(enum: type[StrEnum]) -> Enum:
    """Store the enum's values as text with a check, so that a new member needs no ALTER TYPE."""
    return Enum(
        enum,
        native_enum=False,
        length=32,
        values_callable=lambda members: [member.value for member in members],
    )


_NOW: Mapping[str, Any] = {"server_default": text("now()")}


class Record(SQLModel):
    """Base of every table: a random id and UTC timestamps. Set-wise writes get them from the database."""

    id: UUID = Field(
        default_factory=uuid4, primary_key=True, sa_column_kwargs={"server_default": text("gen_random_uuid()")}
    )
    created_at: datetime = Field(default_factory=utc_now, sa_type=DateTime(timezone=True), sa_column_kwargs=_NOW)
    updated_at: datetime = Field(
        default_factory=utc_now,
        sa_type=DateTime(timezone=True),
        sa_column_kwargs={**_NOW, "onupdate": utc_now},
    )
