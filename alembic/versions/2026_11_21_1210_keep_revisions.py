"""keep revisions."""

import sqlalchemy as sa

from alembic import op

revision = "2026112110"
down_revision = "2026112107"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Keep every version of a resource; rows are only ever added."""
    op.create_table(
        "resource_revisions",
        sa.Column("resource_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(
            "change",
            sa.Enum(
                "imported", "created", "updated", "published", "verified", "archived", "restored", "rolled_back", "merged",
                name="change", native_enum=False, length=32,
            ),
            nullable=False,
        ),
        sa.Column("actor_kind", sa.String(length=32), nullable=False),
        sa.Column("actor_id", sa.String(length=64), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("number >= 1", name=op.f("ck_resource_revisions_number")),
        sa.ForeignKeyConstraint(
            ["resource_id"], ["resources.id"], name=op.f("fk_resource_revisions_resource_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("resource_id", "number", name=op.f("pk_resource_revisions")),
    )  # fmt: skip
    op.create_index("ix_resources_updated", "resources", ["updated_at", "id"], unique=False)


def downgrade() -> None:
    """Forget the history."""
    op.drop_index("ix_resources_updated", table_name="resources")
    op.drop_table("resource_revisions")
