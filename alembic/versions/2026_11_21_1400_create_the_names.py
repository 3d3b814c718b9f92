"""create the names."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision = "2026112108"
down_revision = "2026112107"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create what suggestions read. Resources published before have no names until `vibe4vets reindex`."""
    op.create_table(
        "published_names",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.Text(collation="C"), nullable=False),
        sa.Column("organization", sa.Text(collation="C"), nullable=False),
        sa.Column("words", postgresql.TSVECTOR(), nullable=False),
        sa.Column("standing", sa.REAL(), nullable=False),
        sa.ForeignKeyConstraint(
            ["id"], ["published_resources.id"], name=op.f("fk_published_names_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_published_names")),
    )
    op.create_index("ix_published_names_title", "published_names", ["title", "id"])
    op.create_index("ix_published_names_standing", "published_names", [sa.text("standing desc"), "id"])
    op.create_index(
        "ix_published_names_words",
        "published_names",
        ["words"],
        postgresql_using="gin",
        postgresql_with={"fastupdate": "off"},
    )
    op.create_table(
        "published_words",
        sa.Column("word", sa.Text(collation="C"), nullable=False),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("word", name=op.f("pk_published_words")),
    )
    op.create_index(
        "ix_organizations_name_key",
        "organizations",
        ["name_key", "id"],
        postgresql_ops={"name_key": "text_pattern_ops"},
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_index("ix_organizations_name_key", table_name="organizations")
    op.drop_table("published_words")
    op.drop_table("published_names")
