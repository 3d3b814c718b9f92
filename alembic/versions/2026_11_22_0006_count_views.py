"""count views."""

import sqlalchemy as sa

from alembic import op

revision = "2026112206"
down_revision = "2026112203"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Count how often resources are read, order what to verify, and keep each partner who sends a proposal."""
    op.create_table(
        "resource_views",
        sa.Column("resource_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("views", sa.Integer(), nullable=False),
        sa.CheckConstraint("views > 0", name=op.f("ck_resource_views_views")),
        sa.ForeignKeyConstraint(
            ["resource_id"], ["resources.id"], name=op.f("fk_resource_views_resource_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("resource_id", "day", name=op.f("pk_resource_views")),
    )
    op.create_table(
        "verification_needs",
        sa.Column("resource_id", sa.Uuid(), nullable=False),
        sa.Column("priority", sa.Double(), nullable=False),
        sa.Column("states", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("categories", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["resource_id"], ["resources.id"], name=op.f("fk_verification_needs_resource_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("resource_id", name=op.f("pk_verification_needs")),
    )
    op.create_index("ix_verification_needs_priority", "verification_needs", ["priority", "resource_id"])
    op.add_column("submissions", sa.Column("submitter_id", sa.String(length=64), nullable=True))
    op.alter_column("submissions", "token_hash", existing_type=sa.String(length=64), nullable=True)
    op.create_check_constraint(
        op.f("ck_submissions_sender"), "submissions", "(token_hash is null) <> (submitter_id is null)"
    )
    op.create_unique_constraint(
        "uq_submissions_submitter_id_proposal_id", "submissions", ["submitter_id", "proposal_id"]
    )
    op.drop_index("ix_proposals_submitter", "proposals")
    op.execute(
        "insert into submissions (proposal_id, submitter_id, created_at)"
        " select id, submitter_id, created_at from proposals where submitter_id is not null"
    )


def downgrade() -> None:
    """Forget the counts; only the first partner who sent a proposal is known again."""
    op.create_index("ix_proposals_submitter", "proposals", ["submitter_id", "created_at", "id"])
    op.drop_constraint("uq_submissions_submitter_id_proposal_id", "submissions", type_="unique")
    op.drop_constraint(op.f("ck_submissions_sender"), "submissions", type_="check")
    op.execute("delete from submissions where token_hash is null")
    op.alter_column("submissions", "token_hash", existing_type=sa.String(length=64), nullable=False)
    op.drop_column("submissions", "submitter_id")
    op.drop_index("ix_verification_needs_priority", "verification_needs")
    op.drop_table("verification_needs")
    op.drop_table("resource_views")
