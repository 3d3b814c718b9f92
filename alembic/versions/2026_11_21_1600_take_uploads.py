"""take uploads: the file of a run, in pieces, and what the columns of a source's spreadsheets are."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision = "2026112207"
down_revision = "2026112211"
branch_labels = None
depends_on = None

# However a run ends, its file goes with the same commit.
FORGET = """
create function forget_uploaded_file() returns trigger language plpgsql as $$
begin
  delete from uploaded_files where run_id = new.id;
  return null;
end $$
"""
FORGET_AFTER = """
create trigger forget_uploaded_file after update on connector_runs
for each row when (old.finished_at is null and new.finished_at is not null) execute function forget_uploaded_file()
"""


def upgrade() -> None:
    """Create the tables, and let the end of a run delete its file."""
    op.create_table(
        "uploaded_files",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=True),
        sa.Column("format", sa.String(length=32), nullable=False),
        sa.Column("encoding", sa.String(length=32), nullable=True),
        sa.Column("columns", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.CheckConstraint("format in ('ndjson', 'csv', 'hsds')", name=op.f("ck_uploaded_files_format")),
        sa.ForeignKeyConstraint(
            ["run_id"], ["connector_runs.id"], name=op.f("fk_uploaded_files_run_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_uploaded_files")),
    )
    op.create_table(
        "uploaded_parts",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["uploaded_files.run_id"], name=op.f("fk_uploaded_parts_run_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "number", name=op.f("pk_uploaded_parts")),
    )
    op.create_table(
        "column_mappings",
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("header", sa.String(length=300), nullable=False),
        sa.Column("field", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("source", "header", name=op.f("pk_column_mappings")),
    )
    op.execute(FORGET)
    op.execute(FORGET_AFTER)


def downgrade() -> None:
    """Take them away, with the files of runs that have not ended."""
    op.execute("drop trigger forget_uploaded_file on connector_runs")
    op.execute("drop function forget_uploaded_file()")
    op.drop_table("column_mappings")
    op.drop_table("uploaded_parts")
    op.drop_table("uploaded_files")
