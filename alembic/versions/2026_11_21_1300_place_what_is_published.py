"""place what is published: on the globe, and in the week."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision = "2026112107"
down_revision = "2026112106"
branch_labels = None
depends_on = None

FILTERS = ["categories", "tags", "states", "languages", "cities"]

# A point of the unit sphere: the straight line between two of them grows with the way over ground, at the poles
# and across the date line too, and an index returns the nearest first. Not strict, so that it is written out into the statements that call it.
ON_GLOBE = """
create function on_globe(latitude double precision, longitude double precision) returns cube
language sql immutable parallel safe
return cube(array[
  cos(radians(latitude)) * cos(radians(longitude)), cos(radians(latitude)) * sin(radians(longitude)),
  sin(radians(latitude))])
"""

# Wall clocks count: on the day that summer time begins, 09:00 is still 540 minutes into the day.
MINUTE_OF_WEEK = """
create function minute_of_week(instant timestamptz, zone text) returns integer
language sql stable parallel safe
return cast(
  (extract(isodow from instant at time zone zone) - 1) * 1440 + extract(hour from instant at time zone zone) * 60
    + extract(minute from instant at time zone zone) as integer)
"""


def upgrade() -> None:
    """Add the published locations, the hours, and the areas that find them."""
    op.execute("create extension if not exists cube")
    op.execute(ON_GLOBE)
    op.execute(MINUTE_OF_WEEK)
    op.create_table(
        "published_locations",
        sa.Column("resource_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("latitude", sa.Double(), nullable=False),
        sa.Column("longitude", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["resource_id"],
            ["published_resources.id"],
            name=op.f("fk_published_locations_resource_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("resource_id", "position", name=op.f("pk_published_locations")),
    )
    op.create_index(
        "ix_published_locations_globe",
        "published_locations",
        [sa.text("on_globe(latitude, longitude)")],
        postgresql_using="gist",
    )
    op.add_column(
        "published_resources",
        sa.Column("time_zones", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    )
    op.add_column("published_resources", sa.Column("open_week", postgresql.INT4MULTIRANGE(), nullable=True))
    for name in ("areas", "open_hours"):
        column = sa.Column(name, postgresql.ARRAY(sa.Integer()), server_default=sa.text("'{}'"), nullable=False)
        op.add_column("published_resources", column)
    op.drop_index("ix_published_resources_filters", table_name="published_resources", postgresql_using="gin")
    op.create_index(
        "ix_published_resources_filters",
        "published_resources",
        [*FILTERS, "areas", "open_hours"],
        postgresql_using="gin",
    )


def downgrade() -> None:
    """Drop them; the extension stays, for others may use it."""
    op.drop_index("ix_published_resources_filters", table_name="published_resources", postgresql_using="gin")
    op.drop_column("published_resources", "open_hours")
    op.drop_column("published_resources", "areas")
    op.create_index("ix_published_resources_filters", "published_resources", FILTERS, postgresql_using="gin")
    op.drop_column("published_resources", "open_week")
    op.drop_column("published_resources", "time_zones")
    op.drop_table("published_locations")
    op.execute("drop function minute_of_week(timestamptz, text)")
    op.execute("drop function on_globe(double precision, double precision)")
