"""note the changes of what is published."""

import sqlalchemy as sa

from alembic import op

revision = "2026112109"
down_revision = "2026112108"
branch_labels = None
depends_on = None

NOTE = """
create function note_changes_after_OPERATION() returns trigger language plpgsql as $$
begin
  insert into published_changes as known (resource_id, changed_in, kind, changed_at)
  select id, cast(cast(pg_current_xact_id() as text) as bigint), 'KIND', at from (CHANGES) changes(id, at) order by id
  on conflict (resource_id) do update
    set changed_in = excluded.changed_in, kind = excluded.kind, changed_at = excluded.changed_at;
  return null;
end $$
"""
NOTE_AFTER = """
create trigger note_changes_after_OPERATION after OPERATION on published_resources
REFERENCING for each statement execute function note_changes_after_OPERATION()
"""
# Rendering anew, for the trust of the day, changes no resource: `updated_at` stays.
CHANGED = (
    "select gained.id, gained.updated_at from gained join lost using (id) where gained.updated_at <> lost.updated_at"
)
NOTED = {
    "insert": ("created", "referencing new table as gained", "select id, updated_at from gained"),
    "update": ("updated", "referencing new table as gained old table as lost", CHANGED),
    # a resource that is deleted for good takes its changes with it
    "delete": (
        "deleted",
        "referencing old table as lost",
        "select lost.id, now() from lost join resources on resources.id = lost.id",
    ),
}


def upgrade() -> None:
    """Create the changes, of what is published by now too."""
    op.create_table(
        "published_changes",
        sa.Column("resource_id", sa.Uuid(), nullable=False),
        sa.Column("changed_in", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind in ('created', 'updated', 'deleted')", name=op.f("ck_published_changes_kind")),
        sa.ForeignKeyConstraint(
            ["resource_id"], ["resources.id"], name=op.f("fk_published_changes_resource_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("resource_id", name=op.f("pk_published_changes")),
    )
    op.execute(
        "insert into published_changes select id, cast(cast(pg_current_xact_id() as text) as bigint), 'created',"
        " updated_at from published_resources"
    )
    op.create_index("ix_published_changes_order", "published_changes", ["changed_in", "resource_id"])
    for operation, (kind, referencing, changes) in NOTED.items():
        function = NOTE.replace("OPERATION", operation).replace("KIND", kind).replace("CHANGES", changes)
        op.execute(function)
        op.execute(NOTE_AFTER.replace("OPERATION", operation).replace("REFERENCING", referencing))


def downgrade() -> None:
    """Drop them."""
    for operation in NOTED:
        op.execute(f"drop trigger note_changes_after_{operation} on published_resources")
        op.execute(f"drop function note_changes_after_{operation}()")
    op.drop_table("published_changes")
