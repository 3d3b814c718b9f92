"""count limits and keep idempotency keys."""

import sqlalchemy as sa

from alembic import op

revision = "2026112103"
down_revision = "2026112104"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the counts of rate limits, which a crash may empty, and the keys of requests."""
    op.create_table(
        "rate_limits",
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("spent", sa.Integer(), nullable=False),
        sa.Column("resets_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("octet_length(key) = 32", name=op.f("ck_rate_limits_key")),
        sa.CheckConstraint("spent >= 0", name=op.f("ck_rate_limits_spent")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_rate_limits")),
        prefixes=["UNLOGGED"],
    )
    op.create_index(op.f("ix_rate_limits_resets_at"), "rate_limits", ["resets_at"], unique=False)
    op.create_table(
        "idempotency_keys",
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("request_hash", sa.LargeBinary(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("octet_length(key) = 32", name=op.f("ck_idempotency_keys_key")),
        sa.CheckConstraint("octet_length(request_hash) = 32", name=op.f("ck_idempotency_keys_request_hash")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_idempotency_keys")),
    )
    op.create_index(op.f("ix_idempotency_keys_created_at"), "idempotency_keys", ["created_at"], unique=False)


def downgrade() -> None:
    """Drop both."""
    op.drop_table("idempotency_keys")
    op.drop_table("rate_limits")
