"""order the search rows."""

import sqlalchemy as sa

from alembic import op

revision = "2026112231"
down_revision = "2026112230"
branch_labels = None
depends_on = None

# Writers wait meanwhile, readers only while the one table takes the place of the other. Only the owner of a table may do this, and the service is not;
# who had rights keeps them.
ORDER = """
create function order_search_rows() returns void language plpgsql security definer set search_path from current as $$
declare
  granted record;
begin
  lock table search_rows in share row exclusive mode;
  create table ordered_rows (like search_rows including storage) with (toast_tuple_target = 8160);
  insert into ordered_rows select * from search_rows order by region, completeness desc, id;
  alter table ordered_rows add constraint pk_ordered_rows primary key (id);
  create index ix_ordered_rows on ordered_rows using gin (words)
    with (fastupdate = on, gin_pending_list_limit = 8192);
  analyze ordered_rows;
  for granted in
    select grantee::regrole as role, privilege_type
    from pg_class, aclexplode(relacl) where oid = 'search_rows'::regclass and grantee <> 0
  loop
    execute format('grant %s on ordered_rows to %s', granted.privilege_type, granted.role);
  end loop;
  drop table search_rows;
  alter table ordered_rows rename to search_rows;
  alter table search_rows rename constraint pk_ordered_rows to pk_search_rows;
  alter index ix_ordered_rows rename to ix_search_rows_words;
  create trigger keep_sample after insert or update on search_rows
    for each row when (get_byte(uuid_send(new.id), 15) % 32 = 0) execute function keep_sample();
  create trigger keep_sample_after_delete after delete on search_rows
    for each row when (get_byte(uuid_send(old.id), 15) % 32 = 0) execute function keep_sample();
end $$
"""


def upgrade() -> None:
    """Note where each resource serves, and how to bring those of one place together.

    Resources published before have their place in the order after `vibe4vets reindex`.
    """
    for table in ("search_rows", "search_sample"):
        op.add_column(table, sa.Column("region", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False))
        op.alter_column(table, "region", server_default=None)
    op.execute(ORDER)


def downgrade() -> None:
    """Forget it."""
    op.execute("drop function order_search_rows()")
    for table in ("search_rows", "search_sample"):
        op.drop_column(table, "region")
