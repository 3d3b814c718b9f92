"""create fetch_hosts."""

import sqlalchemy as sa

from alembic import op

revision = "2026112107"
down_revision = "2026112103"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the register of the hosts that connectors ask."""
    op.create_table(
        "fetch_hosts",
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("window_began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("probed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("quiet_until", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("calls >= failures and failures >= 0", name=op.f("ck_fetch_hosts_counts")),
        sa.CheckConstraint("opened_at is not null or probed_at is null", name=op.f("ck_fetch_hosts_probed")),
        sa.PrimaryKeyConstraint("host", name=op.f("pk_fetch_hosts")),
    )


def downgrade() -> None:
    """Drop the register; it fills itself."""
    op.drop_table("fetch_hosts")
