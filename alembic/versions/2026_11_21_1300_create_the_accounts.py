"""create the accounts."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision = "2026112104"
down_revision = "2026112102"
branch_labels = None
depends_on = None

# Two admins who demote each other at once change two different rows: the lock makes the second see the first.
KEEP_AN_ADMIN = """
create function keep_an_admin() returns trigger language plpgsql as $$
begin
  perform pg_advisory_xact_lock(7264387004);
  if not exists (select from users where role = 'admin' and state = 'active') then
    raise exception 'the last active admin stays one'
      using errcode = '23514', constraint = 'ck_users_one_admin_left', table = 'users';
  end if;
  return null;
end $$
"""
KEEP_AN_ADMIN_AFTER = """
create trigger keep_an_admin after update of role, state or delete on users
  for each row when (old.role = 'admin' and old.state = 'active') execute function keep_an_admin()
"""


def upgrade() -> None:
    """Accounts, sessions, refresh tokens, API keys, reset links."""
    op.create_table(
        "users",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=True),
        sa.Column("password_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "role",
            sa.Enum("partner", "reviewer", "editor", "admin", name="role", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum("pending", "active", "disabled", name="userstate", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("token_epoch", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("password_hash like '$argon2id$%'", name=op.f("ck_users_password_hash")),
        sa.CheckConstraint("role in ('partner', 'reviewer', 'editor', 'admin')", name=op.f("ck_users_role")),
        sa.CheckConstraint("state in ('pending', 'active', 'disabled')", name=op.f("ck_users_state")),
        sa.CheckConstraint(
            "email ~ '^[^@[:space:]]+@[^@[:space:]]+$' and email is nfc normalized and email = lower(email collate \"C\")",
            name=op.f("ck_users_email"),
        ),
        sa.CheckConstraint(
            "password_expires_at is null or password_hash is not null", name=op.f("ck_users_password_expires_at")
        ),
        sa.CheckConstraint("token_epoch >= 0", name=op.f("ck_users_token_epoch")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email", name="uq_users_email"),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("slot", sa.SmallInteger(), nullable=False),
        sa.Column("prefix", sa.String(length=32), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("expires_at - created_at <= interval '366 days'", name=op.f("ck_api_keys_expires_at")),
        sa.CheckConstraint("name <> ''", name=op.f("ck_api_keys_named")),
        sa.CheckConstraint(
            "scopes <@ '{proposals:read,proposals:write}' and cardinality(scopes) >= 1", name=op.f("ck_api_keys_scopes")
        ),
        sa.CheckConstraint("octet_length(secret_hash) = 32", name=op.f("ck_api_keys_secret_hash")),
        sa.CheckConstraint("slot in (1, 2)", name=op.f("ck_api_keys_slot")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_api_keys_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("prefix", name="uq_api_keys_prefix"),
    )
    op.create_index(op.f("ix_api_keys_user_id"), "api_keys", ["user_id"], unique=False)
    op.create_index(
        "uq_api_keys_live",
        "api_keys",
        ["user_id", "name", "slot"],
        unique=True,
        postgresql_where=sa.text("revoked_at is null"),
    )
    op.create_table(
        "password_resets",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("token_epoch", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "expires_at - created_at <= interval '15 minutes'", name=op.f("ck_password_resets_expires_at")
        ),
        sa.CheckConstraint("octet_length(token_hash) = 32", name=op.f("ck_password_resets_token_hash")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_password_resets_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_password_resets")),
        sa.UniqueConstraint("token_hash", name="uq_password_resets_token_hash"),
    )
    op.create_index(op.f("ix_password_resets_user_id"), "password_resets", ["user_id"], unique=False)
    op.create_index(
        "uq_password_resets_open",
        "password_resets",
        ["user_id"],
        unique=True,
        postgresql_where=sa.text("used_at is null"),
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("token_epoch", sa.Integer(), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("idle_expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "end_reason",
            sa.Enum("logout", "revoked", "reuse", name="sessionend", native_enum=False, length=32),
            nullable=True,
        ),
        sa.CheckConstraint("end_reason in ('logout', 'revoked', 'reuse')", name=op.f("ck_sessions_end_reason")),
        sa.CheckConstraint("(ended_at is null) = (end_reason is null)", name=op.f("ck_sessions_ended")),
        sa.CheckConstraint("idle_expires_at <= expires_at", name=op.f("ck_sessions_idle_expires_at")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sessions_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
    )
    op.create_index(op.f("ix_sessions_user_id"), "sessions", ["user_id"], unique=False)
    op.create_table(
        "refresh_tokens",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("superseded", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.CheckConstraint("octet_length(token_hash) = 32", name=op.f("ck_refresh_tokens_token_hash")),
        sa.CheckConstraint("position >= 0", name=op.f("ck_refresh_tokens_position")),
        sa.ForeignKeyConstraint(
            ["session_id"], ["sessions.id"], name=op.f("fk_refresh_tokens_session_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_refresh_tokens")),
    )
    op.create_index(op.f("ix_refresh_tokens_session_id"), "refresh_tokens", ["session_id"], unique=False)
    op.create_index(
        "uq_refresh_tokens_usable",
        "refresh_tokens",
        ["session_id", "position"],
        unique=True,
        postgresql_where=sa.text("not superseded"),
    )
    op.execute(KEEP_AN_ADMIN)
    op.execute(KEEP_AN_ADMIN_AFTER)


def downgrade() -> None:
    """Drop the accounts and everything of theirs."""
    op.execute("drop trigger keep_an_admin on users")
    op.execute("drop function keep_an_admin()")
    op.drop_index("uq_refresh_tokens_usable", table_name="refresh_tokens", postgresql_where=sa.text("not superseded"))
    op.drop_index(op.f("ix_refresh_tokens_session_id"), table_name="refresh_tokens")
    op.drop_table("refresh_tokens")
    op.drop_index(op.f("ix_sessions_user_id"), table_name="sessions")
    op.drop_table("sessions")
    op.drop_index("uq_password_resets_open", table_name="password_resets", postgresql_where=sa.text("used_at is null"))
    op.drop_index(op.f("ix_password_resets_user_id"), table_name="password_resets")
    op.drop_table("password_resets")
    op.drop_index("uq_api_keys_live", table_name="api_keys", postgresql_where=sa.text("revoked_at is null"))
    op.drop_index(op.f("ix_api_keys_user_id"), table_name="api_keys")
    op.drop_table("api_keys")
    op.drop_table("users")
