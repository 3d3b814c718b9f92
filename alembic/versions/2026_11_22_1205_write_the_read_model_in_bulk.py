"""write the read model in bulk."""

from alembic import op

revision = "2026112205"
down_revision = "2026112109"
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


def upgrade() -> None:
    """Gather words before they are indexed, and forget by a trigger what the foreign keys forgot."""
    for index in INDEXES:
        op.execute(f"alter index {index} set (fastupdate = on, gin_pending_list_limit = 8192)")
    op.execute(MERGE)
    for table, column in DERIVED.items():
        op.drop_constraint(f"fk_{table}_{column}", table, type_="foreignkey")
    op.execute(FORGET)
    op.execute(FORGET_AFTER)


def downgrade() -> None:
    """Index word by word again, and watch by foreign keys."""
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
