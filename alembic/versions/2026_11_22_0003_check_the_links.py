"""check the links."""

import sqlalchemy as sa

from alembic import op

revision = "2026112203"
down_revision = "2026112201"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Store what the checks of web sites find, and which version of a publisher's file is known."""
    op.create_table(
        "links",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("url", sa.String(length=2000), nullable=False),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("next_check_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease", sa.Uuid(), nullable=True),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finding", sa.String(length=32), nullable=True),
        sa.Column("status", sa.SmallInteger(), nullable=True),
        sa.Column("final_url", sa.String(length=2000), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("etag", sa.String(length=200), nullable=True),
        sa.Column("last_modified", sa.String(length=200), nullable=True),
        sa.Column("failures", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("first_failed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("broken_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("suspicion", sa.String(length=32), nullable=True),
        sa.Column("suspected_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(failures = 0) = (first_failed_at is null) and failures >= 0", name=op.f("ck_links_failures")
        ),
        sa.CheckConstraint(
            "broken_at is null or (failures >= 3 and broken_at >= first_failed_at + interval '48 hours')",
            name=op.f("ck_links_broken"),
        ),
        sa.CheckConstraint("suspicion in ('says-not-found', 'home-page', 'parked')", name=op.f("ck_links_suspicion")),
        sa.CheckConstraint("(suspicion is null) = (suspected_at is null)", name=op.f("ck_links_suspected")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_links")),
    )
    op.create_index("ix_links_next_check_at", "links", ["next_check_at", "key"], unique=False)
    op.create_index(
        "ix_links_flagged",
        "links",
        ["key"],
        unique=False,
        postgresql_where=sa.text("broken_at is not null or suspicion is not null"),
    )
    op.create_table(
        "source_validators",
        sa.Column("connector", sa.String(length=64), nullable=False),
        sa.Column("url", sa.String(length=500), nullable=False),
        sa.Column("etag", sa.String(length=200), nullable=True),
        sa.Column("last_modified", sa.String(length=200), nullable=True),
        sa.Column("body_hash", sa.String(length=64), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("connector", "url", name=op.f("pk_source_validators")),
    )


def downgrade() -> None:
    """Forget what was found; it is found again."""
    op.drop_table("source_validators")
    op.drop_table("links")
