"""keep a sample."""

from alembic import op

revision = "2026112230"
down_revision = "2026112213"
branch_labels = None
depends_on = None

COPY = "insert into search_sample select * from search_rows where get_byte(uuid_send(id), 15) % 32 = 0"
SAMPLED = "get_byte(uuid_send({}.id), 15) % 32 = 0"
KEEP = """
create function keep_sample() returns trigger language plpgsql as $$
begin
  if tg_op <> 'INSERT' then
    delete from search_sample where id = old.id;
  end if;
  if tg_op <> 'DELETE' then
    insert into search_sample select new.*;
  end if;
  return null;
end $$
"""
KEEP_AFTER = f"""
create trigger keep_sample after insert or update on search_rows
for each row when ({SAMPLED.format("new")}) execute function keep_sample()
"""
KEEP_AFTER_DELETE = f"""
create trigger keep_sample_after_delete after delete on search_rows
for each row when ({SAMPLED.format("old")}) execute function keep_sample()
"""


def upgrade() -> None:
    """Copy one search row in 32 and keep the copies as their rows are.

    A search row of before names its sample in its words until `vibe4vets reindex`, which harms nobody.
    """
    op.execute("create table search_sample (like search_rows including storage) with (toast_tuple_target = 8160)")
    op.execute(COPY)
    op.create_primary_key("pk_search_sample", "search_sample", ["id"])
    op.create_index("ix_search_sample_words", "search_sample", ["words"], postgresql_using="gin")
    for statement in (KEEP, KEEP_AFTER, KEEP_AFTER_DELETE):
        op.execute(statement)


def downgrade() -> None:
    """Drop the copies."""
    op.execute("drop trigger keep_sample on search_rows")
    op.execute("drop trigger keep_sample_after_delete on search_rows")
    op.execute("drop function keep_sample()")
    op.drop_table("search_sample")
