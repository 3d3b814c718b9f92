"""create the places."""

import sqlalchemy as sa

from alembic import op

revision = "2026112105"
down_revision = "2026112001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the places and the record of their loads."""
    op.create_table(
        "places",
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("key", sa.Text(collation="C"), nullable=False),
        sa.Column("state", sa.String(length=2), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("county", sa.String(length=100), nullable=True),
        sa.Column("latitude", sa.Double(), nullable=False),
        sa.Column("longitude", sa.Double(), nullable=False),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.Column("origin", sa.String(length=16), nullable=False),
        sa.CheckConstraint(
            "kind in ('zip', 'city', 'county') and origin in ('file', 'directory')", name=op.f("ck_places_kind")
        ),
        sa.CheckConstraint(
            "latitude between -90 and 90 and longitude between -180 and 180", name=op.f("ck_places_coordinates")
        ),
        sa.PrimaryKeyConstraint("kind", "key", "state", name=op.f("pk_places")),
    )
    op.create_table(
        "place_loads",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("origin", sa.String(length=16), nullable=False),
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("loaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_place_loads")),
    )


def downgrade() -> None:
    """Drop the places."""
    op.drop_table("place_loads")
    op.drop_table("places")
