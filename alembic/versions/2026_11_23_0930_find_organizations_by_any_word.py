"""find organizations by any word."""

import sqlalchemy as sa

from alembic import op

revision = "2026112233"
down_revision = "2026112232"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Index the words of the names."""
    words = sa.text("to_tsvector('simple', name_key)")
    op.create_index("ix_organizations_name_words", "organizations", [words], postgresql_using="gin")


def downgrade() -> None:
    """Drop the index."""
    op.drop_index("ix_organizations_name_words", table_name="organizations")
