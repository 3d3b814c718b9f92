"""keep an audit."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision = "2026112102"
down_revision = "2026112001"
branch_labels = None
depends_on = None

APPEND_ONLY = ("audit_events", "audit_seals")

# Whoever serves may add and read. The grants come from default privileges, which name roles that a migration does
# not know: so the rights are taken from whoever has them. A restore without privileges grants anew; call it again.
PROTECT = """
create function protect_audit() returns void language plpgsql as $$
declare granted record;
begin
  for granted in
    select distinct c.oid::regclass as place, case when a.grantee = 0 then 'public' else quote_ident(r.rolname) end as who
    from pg_class c cross join lateral aclexplode(c.relacl) a left join pg_roles r on r.oid = a.grantee
    where c.oid in ('audit_events'::regclass, 'audit_seals'::regclass) and a.grantee <> c.relowner
  loop
    execute format('revoke update, delete, truncate, references, trigger on %s from %s', granted.place, granted.who);
  end loop;
end $$
"""
REFUSE = """
create function refuse_audit_change() returns trigger language plpgsql as $$
begin
  raise exception 'the audit is append-only: % on % is refused', tg_op, tg_table_name
    using errcode = 'insufficient_privilege';
end $$
"""
# Also where triggers are off for a replica's sake: "always".
REFUSE_ON = """
create trigger refuse_change before update or delete or truncate on TABLE
for each statement execute function refuse_audit_change()
"""
QUEUE = """
create function queue_audit_event() returns trigger language plpgsql as $$
begin
  insert into audit_unsealed (sequence) values (new.sequence);
  return null;
end $$
"""
QUEUE_ON = "create trigger queue_event after insert on audit_events for each row execute function queue_audit_event()"


def upgrade() -> None:
    """Create the audit's tables, and see that they only grow."""
    op.create_table(
        "audit_events",
        sa.Column("sequence", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column(
            "actor_kind",
            sa.Enum("anonymous", "user", "api_key", "system", name="actorkind", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("actor_id", sa.String(length=64), nullable=True),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("target_kind", sa.String(length=64), nullable=True),
        sa.Column("target_id", sa.String(length=200), nullable=True),
        sa.Column("before_hash", sa.String(length=64), nullable=True),
        sa.Column("after_hash", sa.String(length=64), nullable=True),
        sa.Column("request_id", sa.String(length=64), nullable=True),
        sa.Column("details", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.CheckConstraint(r"action ~ '^[a-z_]+(\.[a-z_]+)+$'", name=op.f("ck_audit_events_action")),
        sa.CheckConstraint(
            "actor_kind in ('anonymous', 'user', 'api_key', 'system')", name=op.f("ck_audit_events_actor_kind")
        ),
        sa.CheckConstraint(
            "actor_kind not in ('user', 'api_key') or actor_id is not null", name=op.f("ck_audit_events_actor_named")
        ),
        sa.CheckConstraint("jsonb_typeof(details) = 'object'", name=op.f("ck_audit_events_details")),
        sa.CheckConstraint("(target_kind is null) = (target_id is null)", name=op.f("ck_audit_events_target_whole")),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_audit_events")),
    )
    op.create_index("ix_audit_events_action", "audit_events", ["action", "sequence"])
    op.create_index("ix_audit_events_actor", "audit_events", ["actor_id", "sequence"])
    op.create_index("ix_audit_events_at", "audit_events", ["at"])
    op.create_index("ix_audit_events_target", "audit_events", ["target_id", "sequence"])
    op.create_table(
        "audit_unsealed",
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_audit_unsealed")),
    )
    op.create_table(
        "audit_seals",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("sequences", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("digests", postgresql.ARRAY(sa.LargeBinary()), nullable=False),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.CheckConstraint("cardinality(sequences) = cardinality(digests)", name=op.f("ck_audit_seals_digests")),
        sa.CheckConstraint("number >= 1", name=op.f("ck_audit_seals_number")),
        sa.CheckConstraint("cardinality(sequences) between 1 and 1000", name=op.f("ck_audit_seals_size")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit_seals")),
    )
    op.create_table(
        "audit_failures",
        sa.Column("minute", sa.DateTime(timezone=True), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("count >= 1", name=op.f("ck_audit_failures_count")),
        sa.PrimaryKeyConstraint("minute", "action", "reason", name=op.f("pk_audit_failures")),
    )
    for statement in (REFUSE, QUEUE, QUEUE_ON, PROTECT, "select protect_audit()"):
        op.execute(statement)
    for table in APPEND_ONLY:
        op.execute(REFUSE_ON.replace("TABLE", table))
        op.execute(f"alter table {table} enable always trigger refuse_change")


def downgrade() -> None:
    """Drop the audit, with every event."""
    for table in ("audit_failures", "audit_seals", "audit_unsealed", "audit_events"):
        op.drop_table(table)
    for function in ("protect_audit", "queue_audit_event", "refuse_audit_change"):
        op.execute(f"drop function {function}()")
