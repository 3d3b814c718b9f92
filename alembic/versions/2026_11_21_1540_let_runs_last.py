"""let runs last: queued, leased, held and resumed, with a plan; and know what each source said last."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision = "2026112201"
down_revision = "2026112109"
branch_labels = None
depends_on = None

ACTIVE = "state in ('queued', 'running', 'held')"
STATES = "state in ('queued', 'running', 'held', 'succeeded', 'failed', 'cancelled')"
OLD_STATES = "state in ('running', 'succeeded', 'failed', 'interrupted')"
COUNTED = (
    "created, updated, published, unchanged, proposed, withheld, vanished, retired, quarantined,"
    " attempt, done, staged, applied_through"
)
OLD_COUNTED = "created, updated, published, unchanged, withheld, quarantined"
NUMBERS = ("attempt", "done", "staged", "applied_through", "proposed", "vanished", "retired")
YES_OR_NO = ("dry_run", "cancel_requested", "confirmed")

# Whoever watches a run is told at the commit that changes it.
TELL = """
create function tell_connector_run() returns trigger language plpgsql as $$
begin
  perform pg_notify('connector_runs', new.id::text);
  return null;
end $$
"""
TELL_AFTER = """
create trigger tell_connector_run after insert or update on connector_runs
for each row execute function tell_connector_run()
"""


def upgrade() -> None:
    """Give runs their new columns; what was running is taken for dead."""
    op.execute("update connector_runs set state = 'interrupted', finished_at = now() where state = 'running'")
    for name in ("finished", "state", "counts"):
        op.drop_constraint(op.f(f"ck_connector_runs_{name}"), "connector_runs", type_="check")
    op.execute("update connector_runs set state = 'failed', error = 'Interrupted' where state = 'interrupted'")
    for name in NUMBERS:
        op.add_column("connector_runs", sa.Column(name, sa.Integer(), server_default=sa.text("0"), nullable=False))
    for name in YES_OR_NO:
        op.add_column("connector_runs", sa.Column(name, sa.Boolean(), server_default=sa.text("false"), nullable=False))
    for name, default in (("policy", "review"), ("trigger", "request"), ("actor_kind", "system")):
        column = sa.Column(name, sa.String(length=32), server_default=sa.text(f"'{default}'"), nullable=False)
        op.add_column("connector_runs", column)
    for column in (
        sa.Column("actor_id", sa.String(length=64), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stage", sa.String(length=32), nullable=True),
        sa.Column("total", sa.Integer(), nullable=True),
        sa.Column("checkpoint", sa.Text(), nullable=True),
        sa.Column("plan", postgresql.JSONB(), nullable=True),
        sa.Column("held_because", sa.String(length=500), nullable=True),
        sa.Column("warnings", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("advice", sa.String(length=500), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
    ):
        op.add_column("connector_runs", column)
    for name, rule in (
        ("state", STATES),
        ("policy", "policy in ('review', 'publish', 'draft')"),
        ("trigger", "trigger in ('schedule', 'request', 'upload', 'command')"),
        ("stage", "stage in ('read', 'plan', 'apply')"),
        ("finished", f"({ACTIVE}) = (finished_at is null)"),
        ("leased", "(state = 'running') = (lease_until is not null)"),
        ("counts", f"least({COUNTED}) >= 0"),
    ):
        op.create_check_constraint(op.f(f"ck_connector_runs_{name}"), "connector_runs", rule)
    op.create_index(
        "uq_connector_runs_active", "connector_runs", ["connector"], unique=True, postgresql_where=sa.text(ACTIVE)
    )
    op.create_index("ix_connector_runs_history", "connector_runs", ["connector", "created_at", "id"])
    op.execute(TELL)
    op.execute(TELL_AFTER)
    op.add_column("staged_records", sa.Column("changes", postgresql.JSONB(), nullable=True))
    op.add_column("source_records", sa.Column("content", sa.Text(), nullable=True))
    op.add_column("source_records", sa.Column("missed", sa.SmallInteger(), server_default=sa.text("0"), nullable=False))
    op.create_table(
        "connector_schedules",
        sa.Column("connector", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.Column("every", sa.Interval(), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("version >= 1", name=op.f("ck_connector_schedules_version")),
        sa.CheckConstraint("every >= interval '5 minutes'", name=op.f("ck_connector_schedules_every")),
        sa.PrimaryKeyConstraint("connector", name=op.f("pk_connector_schedules")),
    )


def downgrade() -> None:
    """Take them away; what is active is taken for interrupted."""
    op.drop_table("connector_schedules")
    op.drop_column("source_records", "missed")
    op.drop_column("source_records", "content")
    op.drop_column("staged_records", "changes")
    op.execute("drop trigger tell_connector_run on connector_runs")
    op.execute("drop function tell_connector_run()")
    op.drop_index("ix_connector_runs_history", "connector_runs")
    op.drop_index("uq_connector_runs_active", "connector_runs")
    for name in ("counts", "leased", "finished", "stage", "trigger", "policy", "state"):
        op.drop_constraint(op.f(f"ck_connector_runs_{name}"), "connector_runs", type_="check")
    op.execute("update connector_runs set state = 'interrupted', finished_at = now() where finished_at is null")
    op.execute("update connector_runs set state = 'interrupted' where state = 'cancelled'")
    for name in (
        "started_at", "advice", "warnings", "held_because", "plan", "checkpoint", "total", "stage", "lease_until",
        "actor_id", "actor_kind", "trigger", "policy", *YES_OR_NO, *NUMBERS,
    ):  # fmt: skip
        op.drop_column("connector_runs", name)
    for name, rule in (
        ("state", OLD_STATES),
        ("finished", "(state = 'running') = (finished_at is null)"),
        ("counts", f"least({OLD_COUNTED}) >= 0"),
    ):
        op.create_check_constraint(op.f(f"ck_connector_runs_{name}"), "connector_runs", rule)
