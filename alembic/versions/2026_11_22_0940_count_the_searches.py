"""count the searches."""

import sqlalchemy as sa

from alembic import op

revision = "2026112204"
down_revision = "2026112206"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the counts of searches, who asked today as keyed hashes, and the texts that enough people share."""
    op.create_table(
        "search_counts",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("searches", sa.Integer(), nullable=False),
        sa.Column("zero_results", sa.Integer(), nullable=False),
        sa.Column("fallbacks", sa.Integer(), nullable=False),
        sa.CheckConstraint("octet_length(hash) = 32", name=op.f("ck_search_counts_hash")),
        sa.CheckConstraint(
            "searches >= 1 and zero_results >= 0 and fallbacks >= 0", name=op.f("ck_search_counts_counts")
        ),
        sa.PrimaryKeyConstraint("day", "hash", name=op.f("pk_search_counts")),
    )
    op.create_index("ix_search_counts_hash", "search_counts", ["hash"], unique=False)
    # Unlogged: what is kept of addresses for a day reaches no replica and no archive.
    op.create_table(
        "search_askers",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("asker", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "octet_length(hash) = 32 and octet_length(asker) = 32", name=op.f("ck_search_askers_hashes")
        ),
        sa.PrimaryKeyConstraint("day", "hash", "asker", name=op.f("pk_search_askers")),
        prefixes=["UNLOGGED"],
    )
    op.create_table(
        "search_texts",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.Enum("query", "word", name="heardkind", native_enum=False, length=32), nullable=False),
        sa.Column("text", sa.String(length=200), nullable=False),
        sa.CheckConstraint("octet_length(hash) = 32", name=op.f("ck_search_texts_hash")),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_search_texts")),
    )


def downgrade() -> None:
    """Drop them; nothing else refers to them."""
    op.drop_table("search_texts")
    op.drop_table("search_askers")
    op.drop_table("search_counts")
