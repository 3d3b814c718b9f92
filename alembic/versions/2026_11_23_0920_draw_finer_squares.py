"""draw finer squares."""

from alembic import op

revision = "2026112232"
down_revision = "2026112231"
branch_labels = None
depends_on = None

ADD = """
update published_resources published
set areas = areas || (
  select array_agg(distinct 3000000 + floor((latitude + 90) * 10)::int * 4000 + floor((longitude + 180) * 10)::int)
  from published_locations place where place.resource_id = published.id
)
where exists (select from published_locations place where place.resource_id = published.id)
"""
REMOVE = """
update published_resources set areas = array(select area from unnest(areas) area where area < 3000000)
where exists (select from unnest(areas) area where area >= 3000000)
"""


def upgrade() -> None:
    """Add the squares of a tenth of a degree; what is published stays as it is, so mirrors hear of nothing."""
    _quietly(ADD)


def downgrade() -> None:
    """Take them away."""
    _quietly(REMOVE)


def _quietly(statement: str) -> None:
    op.execute("alter table published_resources disable trigger user")
    op.execute(statement)
    op.execute("alter table published_resources enable trigger user")
