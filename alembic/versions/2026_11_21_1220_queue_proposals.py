"""queue proposals."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision = "2026112111"
down_revision = "2026112110"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Store what is proposed, who waits to hear of it, and how to reach them."""
    op.create_table(
        "proposals",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("origin", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("resource_id", sa.Uuid(), nullable=True),
        sa.Column("base_version", sa.Integer(), nullable=True),
        sa.Column("changes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("feedback", sa.String(length=32), nullable=True),
        sa.Column("note", sa.String(length=2000), nullable=True),
        sa.Column("risk", sa.String(length=32), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("submitter_kind", sa.String(length=32), nullable=False),
        sa.Column("submitter_id", sa.String(length=64), nullable=True),
        sa.Column("public_reason", sa.String(length=500), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("version >= 1", name=op.f("ck_proposals_version")),
        sa.CheckConstraint("kind in ('create', 'change', 'archive', 'report')", name=op.f("ck_proposals_kind")),
        sa.CheckConstraint("origin in ('public', 'partner', 'connector')", name=op.f("ck_proposals_origin")),
        sa.CheckConstraint("state in ('open', 'approved', 'rejected')", name=op.f("ck_proposals_state")),
        sa.CheckConstraint("risk in ('crisis', 'high', 'low')", name=op.f("ck_proposals_risk")),
        sa.CheckConstraint("(kind = 'create') = (base_version is null)", name=op.f("ck_proposals_base")),
        sa.CheckConstraint("(kind = 'report') = (feedback is not null)", name=op.f("ck_proposals_feedback")),
        sa.CheckConstraint("(state = 'open') = (decided_at is null)", name=op.f("ck_proposals_decided")),
        sa.CheckConstraint("state <> 'rejected' or public_reason is not null", name=op.f("ck_proposals_reason")),
        sa.CheckConstraint("kind = 'create' or resource_id is not null", name=op.f("ck_proposals_subject")),
        sa.CheckConstraint("jsonb_typeof(changes) = 'object'", name=op.f("ck_proposals_changes")),
        sa.CheckConstraint("priority between 0 and 2", name=op.f("ck_proposals_priority")),
        sa.CheckConstraint("fingerprint ~ '^[0-9a-f]{64}$'", name=op.f("ck_proposals_fingerprint")),
        sa.ForeignKeyConstraint(
            ["resource_id"], ["resources.id"], name=op.f("fk_proposals_resource_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proposals")),
    )
    is_open = sa.text("state = 'open'")
    op.create_index("uq_proposals_open", "proposals", ["fingerprint"], unique=True, postgresql_where=is_open)
    op.create_index(
        "ix_proposals_queue", "proposals", ["priority", "created_at", "id"], unique=False, postgresql_where=is_open
    )
    op.create_index(
        "ix_proposals_decided",
        "proposals",
        ["decided_at", "id"],
        unique=False,
        postgresql_where=sa.text("state <> 'open'"),
    )
    op.create_index("ix_proposals_submitter", "proposals", ["submitter_id", "created_at", "id"], unique=False)
    op.create_index(op.f("ix_proposals_resource_id"), "proposals", ["resource_id"], unique=False)
    op.create_table(
        "submissions",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("proposal_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("token_hash ~ '^[0-9a-f]{64}$'", name=op.f("ck_submissions_token_hash")),
        sa.ForeignKeyConstraint(
            ["proposal_id"], ["proposals.id"], name=op.f("fk_submissions_proposal_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_submissions")),
        sa.UniqueConstraint("token_hash", name="uq_submissions_token_hash"),
    )
    op.create_index(op.f("ix_submissions_proposal_id"), "submissions", ["proposal_id"], unique=False)
    op.create_table(
        "submitter_contacts",
        sa.Column("submission_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=True),
        sa.Column("email", sa.String(length=320), nullable=True),
        sa.Column("phone", sa.String(length=16), nullable=True),
        sa.ForeignKeyConstraint(
            ["submission_id"],
            ["submissions.id"],
            name=op.f("fk_submitter_contacts_submission_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("submission_id", name=op.f("pk_submitter_contacts")),
    )


def downgrade() -> None:
    """Forget what is proposed."""
    op.drop_table("submitter_contacts")
    op.drop_table("submissions")
    op.drop_table("proposals")
