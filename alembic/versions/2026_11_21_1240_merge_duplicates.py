"""merge duplicates."""

import sqlalchemy as sa

from alembic import op

revision = "2026112113"
down_revision = "2026112112"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Store pairs that may be one resource, and those that were made one."""
    op.create_table(
        "duplicate_candidates",
        sa.Column("first_id", sa.Uuid(), nullable=False),
        sa.Column("second_id", sa.Uuid(), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("reasons", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("dismissed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.CheckConstraint("first_id < second_id", name=op.f("ck_duplicate_candidates_ordered")),
        sa.CheckConstraint("score between 0 and 1", name=op.f("ck_duplicate_candidates_score")),
        sa.ForeignKeyConstraint(
            ["first_id"], ["resources.id"], name=op.f("fk_duplicate_candidates_first_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["second_id"], ["resources.id"], name=op.f("fk_duplicate_candidates_second_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("first_id", "second_id", name=op.f("pk_duplicate_candidates")),
    )
    op.create_index(
        "ix_duplicate_candidates_score", "duplicate_candidates", ["score", "first_id", "second_id"], unique=False
    )
    op.create_index(op.f("ix_duplicate_candidates_second_id"), "duplicate_candidates", ["second_id"], unique=False)
    op.create_table(
        "resource_merges",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("kept_id", sa.Uuid(), nullable=False),
        sa.Column("merged_id", sa.Uuid(), nullable=False),
        sa.Column("kept_version", sa.Integer(), nullable=False),
        sa.Column("moved_proposals", sa.ARRAY(sa.Uuid()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("actor_id", sa.String(length=64), nullable=True),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kept_id <> merged_id", name=op.f("ck_resource_merges_two")),
        sa.ForeignKeyConstraint(
            ["kept_id"], ["resources.id"], name=op.f("fk_resource_merges_kept_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["merged_id"], ["resources.id"], name=op.f("fk_resource_merges_merged_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_resource_merges")),
    )
    op.create_index(op.f("ix_resource_merges_kept_id"), "resource_merges", ["kept_id"], unique=False)
    op.create_index(
        "uq_resource_merges_merged_id",
        "resource_merges",
        ["merged_id"],
        unique=True,
        postgresql_where=sa.text("undone_at is null"),
    )


def downgrade() -> None:
    """Forget pairs and merges; what was merged stays withdrawn."""
    op.drop_table("resource_merges")
    op.drop_table("duplicate_candidates")
