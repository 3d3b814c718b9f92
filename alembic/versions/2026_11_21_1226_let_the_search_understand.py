"""let the search understand."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision = "2026112106"
down_revision = "2026112105"
branch_labels = None
depends_on = None


# Every process compares this state with its own: whoever changes the lexicon, and however, changes the state with it.
RENEW = """
create function renew_search_lexicon() returns trigger language plpgsql as $$
begin
  update search_state set lexicon = gen_random_uuid();
  return null;
end $$
"""
RENEW_AFTER = """
create trigger renew_search_lexicon after insert or update or delete or truncate on lexicon_entries
for each statement execute function renew_search_lexicon()
"""


def upgrade() -> None:
    """Create what the search knows. Resources published before have no search rows until `vibe4vets reindex`."""
    op.create_table(
        "lexicon_entries",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("phrase", sa.String(length=100), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("acronym", "need", "synonym", name="entrykind", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("language", sa.String(length=3), nullable=False),
        sa.Column("codes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("official_words", sa.String(length=200), nullable=False),
        sa.Column(
            "origin", sa.Enum("project", "admin", name="entryorigin", native_enum=False, length=32), nullable=False
        ),
        sa.Column("is_retired", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("jsonb_typeof(codes) = 'object'", name=op.f("ck_lexicon_entries_codes")),
        sa.CheckConstraint("phrase ~ '^[a-z0-9]+( [a-z0-9]+)*$'", name=op.f("ck_lexicon_entries_folded")),
        sa.CheckConstraint("version >= 1", name=op.f("ck_lexicon_entries_version")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lexicon_entries")),
        sa.UniqueConstraint("phrase", name="uq_lexicon_entries_phrase"),
    )
    op.create_table(
        "search_lexemes",
        sa.Column("lexeme", sa.Text(collation="C"), nullable=False),
        sa.Column("resources", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("lexeme", name=op.f("pk_search_lexemes")),
    )
    op.create_table(
        "search_state",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("lexicon", sa.Uuid(), nullable=False),
        sa.Column("vocabulary", sa.Uuid(), nullable=False),
        sa.Column("resources", sa.Integer(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_search_state_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_state")),
    )
    op.create_table(
        "search_words",
        sa.Column("word", sa.Text(collation="C"), nullable=False),
        sa.Column("lexeme", sa.Text(collation="C"), nullable=False),
        sa.Column("resources", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("word", name=op.f("pk_search_words")),
    )
    op.create_table(
        "taxonomy_terms",
        sa.Column("code", sa.Text(collation="C"), nullable=False),
        sa.Column("parent", sa.Text(collation="C"), nullable=True),
        sa.Column(
            "category",
            sa.Enum(
                "employment",
                "training",
                "housing",
                "legal",
                "food",
                "benefits",
                "mental_health",
                "support_services",
                "healthcare",
                "education",
                "financial",
                "family",
                name="category",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("description", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(["parent"], ["taxonomy_terms.code"], name=op.f("fk_taxonomy_terms_parent")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_taxonomy_terms")),
    )
    op.create_table(
        "search_rows",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("organization", sa.Text(), nullable=False),
        sa.Column("categories", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("tags", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("derived_tags", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("states", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column(
            "scope", sa.Enum("national", "state", "local", name="scope", native_enum=False, length=32), nullable=False
        ),
        sa.Column("cities", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("counties", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("latitudes", postgresql.ARRAY(sa.REAL()), nullable=False),
        sa.Column("longitudes", postgresql.ARRAY(sa.REAL()), nullable=False),
        sa.Column("completeness", sa.REAL(), nullable=False),
        sa.Column("words", postgresql.TSVECTOR(), nullable=False),
        sa.ForeignKeyConstraint(["id"], ["published_resources.id"], name=op.f("fk_search_rows_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_rows")),
        postgresql_with={"toast_tuple_target": 8160},
    )
    op.create_index(
        "ix_search_rows_words",
        "search_rows",
        ["words"],
        unique=False,
        postgresql_using="gin",
        postgresql_with={"fastupdate": "off"},
    )
    op.drop_index(op.f("ix_published_resources_search"), table_name="published_resources", postgresql_using="gin")
    op.drop_column("published_resources", "search")
    op.execute("insert into search_state values (1, gen_random_uuid(), gen_random_uuid(), 0)")
    op.execute(RENEW)
    op.execute(RENEW_AFTER)


def downgrade() -> None:
    """Drop it; the former search finds again what `vibe4vets reindex` of the former version renders."""
    op.add_column(
        "published_resources",
        sa.Column("search", postgresql.TSVECTOR(), server_default=sa.text("''"), nullable=False),
    )
    op.alter_column("published_resources", "search", server_default=None)
    op.create_index(
        op.f("ix_published_resources_search"), "published_resources", ["search"], unique=False, postgresql_using="gin"
    )
    op.drop_index(
        "ix_search_rows_words", table_name="search_rows", postgresql_using="gin", postgresql_with={"fastupdate": "off"}
    )
    op.drop_table("search_rows")
    op.drop_table("taxonomy_terms")
    op.drop_table("search_words")
    op.drop_table("search_state")
    op.drop_table("search_lexemes")
    op.drop_table("lexicon_entries")
    op.execute("drop function renew_search_lexicon()")
