"""What people search for, counted so that nobody is told of who asked, and little of what only few did."""

from datetime import date
from enum import StrEnum

from sqlalchemy import CheckConstraint, Index, LargeBinary
from sqlmodel import Field, SQLModel

from vibe4vets.core.models import enum_type


class HeardKind(StrEnum):
    """What is counted: whole queries, and the words of them that meant nothing to the search."""

    QUERY = "query"
    WORD = "word"


class SearchCount(SQLModel, table=True):
    """How often a text was searched for on a day (UTC), by its keyed hash, and how often in vain."""

    __tablename__ = "search_counts"
    __table_args__ = (
        CheckConstraint("octet_length(hash) = 32", name="hash"),
        CheckConstraint("searches >= 1 and zero_results >= 0 and fallbacks >= 0", name="counts"),
        Index("ix_search_counts_hash", "hash"),
    )

    day: date = Field(primary_key=True)
    hash: bytes = Field(primary_key=True, sa_type=LargeBinary)
    searches: int
    zero_results: int
    fallbacks: int


class SearchAsker(SQLModel, table=True):
    """That somebody searched for a text today: a hash of address and text under the key of the day.

    The same address has another hash with each text, and the rows go with the day. The table is unlogged, so that it
    reaches neither a replica nor the archive of the write-ahead log.
    """

    __tablename__ = "search_askers"
    __table_args__ = (
        CheckConstraint("octet_length(hash) = 32 and octet_length(asker) = 32", name="hashes"),
        {"prefixes": ["UNLOGGED"]},
    )

    day: date = Field(primary_key=True)
    hash: bytes = Field(primary_key=True, sa_type=LargeBinary)
    asker: bytes = Field(primary_key=True, sa_type=LargeBinary)


class SearchText(SQLModel, table=True):
    """A text that enough people have searched for, or on enough days, to be no secret of one of them."""

    __tablename__ = "search_texts"
    __table_args__ = (CheckConstraint("octet_length(hash) = 32", name="hash"),)

    hash: bytes = Field(primary_key=True, sa_type=LargeBinary)
    kind: HeardKind = Field(sa_type=enum_type(HeardKind))
    text: str = Field(max_length=200)


search_counts = SQLModel.metadata.tables["search_counts"]
search_texts = SQLModel.metadata.tables["search_texts"]
