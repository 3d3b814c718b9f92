"""What the search knows: the taxonomy, the lexicon, the words of the directory, and a narrow row per resource."""

from enum import StrEnum
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import REAL, CheckConstraint, Index, SmallInteger, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSVECTOR
from sqlmodel import Field, SQLModel

from vibe4vets.core.models import Record, enum_type
from vibe4vets.resources.models.directory import Category, Scope
from vibe4vets.resources.models.places import BY_BATCHES

ONE_PHRASE = "uq_lexicon_entries_phrase"


class EntryKind(StrEnum):
    """What an entry of the lexicon is: short for something, a need in everyday words, or another spelling."""

    ACRONYM = "acronym"
    NEED = "need"
    SYNONYM = "synonym"


class EntryOrigin(StrEnum):
    """Who wrote an entry last: the project's own file may change only what no administrator has touched."""

    PROJECT = "project"
    ADMIN = "admin"


class TaxonomyTerm(SQLModel, table=True):
    """A term that tags come from. `parent` is the wider term; the roots belong to a category alone."""

    __tablename__ = "taxonomy_terms"

    code: str = Field(primary_key=True, sa_type=Text(collation="C"))
    parent: str | None = Field(default=None, foreign_key="taxonomy_terms.code", sa_type=Text(collation="C"))
    category: Category = Field(sa_type=enum_type(Category))
    name: str = Field(max_length=100)
    description: str = Field(max_length=500)


class LexiconEntry(Record, table=True):
    """A phrase that people type and what it means: codes of the taxonomy, each with a weight up to 1."""

    __tablename__ = "lexicon_entries"
    __table_args__ = (
        UniqueConstraint("phrase", name=ONE_PHRASE),
        CheckConstraint("phrase ~ '^[a-z0-9]+( [a-z0-9]+)*$'", name="folded"),
        CheckConstraint("jsonb_typeof(codes) = 'object'", name="codes"),
        CheckConstraint("version >= 1", name="version"),
    )

    phrase: str = Field(max_length=100)
    kind: EntryKind = Field(sa_type=enum_type(EntryKind))
    language: str = Field(max_length=3)
    codes: dict[str, float] = Field(sa_type=JSONB)
    official_words: str = Field(max_length=200)
    origin: EntryOrigin = Field(sa_type=enum_type(EntryOrigin))
    is_retired: bool = Field(default=False)
    version: int = Field(default=1)


class SearchState(SQLModel, table=True):
    """One row: which lexicon and which words of the directory are current, as every process compares them."""

    __tablename__ = "search_state"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: int = Field(default=1, primary_key=True, sa_type=SmallInteger, sa_column_kwargs={"autoincrement": False})
    lexicon: UUID = Field(default_factory=uuid4)
    vocabulary: UUID = Field(default_factory=uuid4)
    resources: int = Field(default=0)


class SearchWord(SQLModel, table=True):
    """A word of the published directory as it is written there, its lexeme, and in how many resources it stands."""

    __tablename__ = "search_words"

    word: str = Field(primary_key=True, sa_type=Text(collation="C"))
    lexeme: str = Field(sa_type=Text(collation="C"))
    resources: int


class SearchLexeme(SQLModel, table=True):
    """A lexeme of the search rows, codes among them, and how many of the rows have it."""

    __tablename__ = "search_lexemes"

    lexeme: str = Field(primary_key=True, sa_type=Text(collation="C"))
    resources: int


class _RankedResource(SQLModel):
    """What ranks one published resource: narrow, so that a thousand candidates are few pages."""

    id: UUID = Field(primary_key=True)
    title: str = Field(sa_type=Text)
    organization: str = Field(sa_type=Text)
    categories: list[str] = Field(sa_type=ARRAY(Text))
    tags: list[str] = Field(sa_type=ARRAY(Text))
    derived_tags: list[str] = Field(sa_type=ARRAY(Text))
    states: list[str] = Field(sa_type=ARRAY(Text))
    scope: Scope = Field(sa_type=enum_type(Scope))
    cities: list[str] = Field(sa_type=ARRAY(Text))
    counties: list[str] = Field(sa_type=ARRAY(Text))
    latitudes: list[float] = Field(sa_type=ARRAY(REAL))
    longitudes: list[float] = Field(sa_type=ARRAY(REAL))
    completeness: float = Field(sa_type=REAL)
    words: Any = Field(sa_type=TSVECTOR)
    region: str = Field(sa_type=Text(collation="C"))
    """The state, then the squares of the first location; for national programs what sorts last."""


# a long text stays in the row: fetched from elsewhere for every lexeme asked for, it costs fifty times as much
_IN_THE_ROW: Final = {"postgresql_with": {"toast_tuple_target": 8160}}


class SearchRow(_RankedResource, table=True):
    """What ranks one published resource. It goes with the resource.

    Where very many are kept, those of one region lie together: what is looked for in a place, or everywhere, is then
    in few pages of the table and of its index. `order_rows` brings them together again.
    """

    __tablename__ = "search_rows"
    __table_args__ = (
        Index("ix_search_rows_words", "words", postgresql_using="gin", postgresql_with=BY_BATCHES),
        _IN_THE_ROW,
    )


class SearchSample(_RankedResource, table=True):
    """A copy of one search row in 32, drawn by its id: what is common is looked for here first.

    In a table of its own, whose index is a thirty-second of the other: to find few rows of a common word, the index
    reads all that it knows of the word. A trigger keeps it the same.
    """

    __tablename__ = "search_sample"
    __table_args__ = (Index("ix_search_sample_words", "words", postgresql_using="gin"), _IN_THE_ROW)


lexicon_entries = SQLModel.metadata.tables["lexicon_entries"]
