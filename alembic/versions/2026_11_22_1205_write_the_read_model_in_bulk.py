"""write the read model in bulk."""

from alembic import op

revision = "2026112205"
down_revision = "2026112204"
branch_labels = None
depends_on = None

# Words of a whole batch are gathered before they go into the index: one by one, two thousand resources write 57 MB
# of log and take seven times as long. Whoever writes them merges them in the same transaction, so that no search
# reads through a list of pending ones. Only an index's owner may, and the service is not.
INDEXES = {"ix_search_rows_words": "search_rows", "ix_published_names_words": "published_names"}
MERGE = """
create function merge_pending_words() returns void language sql security definer set search_path from current as $$
select gin_clean_pending_list('ix_search_rows_words'), gin_clean_pending_list('ix_published_names_words')
$$
"""

# These rows stand for one published resource each, are written where it is written, and are read by joining it. A
# foreign key looked the resource up once more for every row: an eighth of what an import took in the database.
DERIVED = {"published_locations": "resource_id", "published_names": "id", "search_rows": "id"}
FORGET = """
create function forget_after_delete() returns trigger language plpgsql as $$
begin
  delete from published_locations using lost where resource_id = lost.id;
  delete from published_names using lost where published_names.id = lost.id;
  delete from search_rows using lost where search_rows.id = lost.id;
  return null;
end $$
"""
FORGET_AFTER = """
create trigger forget_after_delete after delete on published_resources
referencing old table as lost for each statement execute function forget_after_delete()
"""

# Hours are compared clock by clock now; for the way back it is made again.
MINUTE_OF_WEEK = """
create function minute_of_week(instant timestamptz, zone text) returns integer
language sql stable parallel safe
return cast(
  (extract(isodow from instant at time zone zone) - 1) * 1440 + extract(hour from instant at time zone zone) * 60
    + extract(minute from instant at time zone zone) as integer)
"""


def upgrade() -> None:
    """Gather words before they are indexed, and forget by a trigger what the foreign keys forgot.

    Hours and samples of resources published before are known after `vibe4vets reindex`.
    """
    op.execute("drop function minute_of_week(timestamptz, text)")
    op.create_index("ix_published_resources_scope", "published_resources", ["scope", "trust_score", "id"])
    for index in INDEXES:
        op.execute(f"alter index {index} set (fastupdate = on, gin_pending_list_limit = 8192)")
    op.execute(MERGE)
    for table, column in DERIVED.items():
        op.drop_constraint(f"fk_{table}_{column}", table, type_="foreignkey")
    op.execute(FORGET)
    op.execute(FORGET_AFTER)


def downgrade() -> None:
    """Index word by word again, and watch by foreign keys."""
    op.drop_index("ix_published_resources_scope", table_name="published_resources")
    op.execute(MINUTE_OF_WEEK)
    op.execute("drop trigger forget_after_delete on published_resources")
    op.execute("drop function forget_after_delete()")
    for table, column in DERIVED.items():
        name = f"fk_{table}_{column}"
        op.create_foreign_key(name, table, "published_resources", [column], ["id"], ondelete="CASCADE")
    op.execute("drop function merge_pending_words()")
    for index in INDEXES:
        op.execute(f"alter index {index} set (fastupdate = off)")
        op.execute(f"alter index {index} reset (gin_pending_list_limit)")
        op.execute(f"select gin_clean_pending_list('{index}')")
