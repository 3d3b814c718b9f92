"""Accounts as stored. No secret is here in a form that opens anything: passwords and tokens are kept as hashes."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, Index, LargeBinary, SmallInteger, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

from vibe4vets.core.models import Record, enum_type

ONE_EMAIL = "uq_users_email"
ONE_ADMIN_LEFT = "ck_users_one_admin_left"
"""Raised by the trigger `keep_an_admin`, whoever writes: the last active admin stays one."""
ONE_USABLE_TOKEN = "uq_refresh_tokens_usable"  # noqa: S105  the name of an index
ONE_OPEN_RESET = "uq_password_resets_open"
TWO_LIVE_KEYS = "uq_api_keys_live"
ONE_KEY_PREFIX = "uq_api_keys_prefix"


class Role(StrEnum):
    """What a person does here; each role may do what `auth/matrix.toml` says, and no role contains another."""

    PARTNER = "partner"
    REVIEWER = "reviewer"
    EDITOR = "editor"
    ADMIN = "admin"


class UserState(StrEnum):
    """Whether an account works; `pending` waits for an admin."""

    PENDING = "pending"
    ACTIVE = "active"
    DISABLED = "disabled"


class SessionEnd(StrEnum):
    """Why a session ended before its time."""

    LOGOUT = "logout"
    REVOKED = "revoked"
    REUSE = "reuse"


class KeyScope(StrEnum):
    """What an API key may do in its partner's name."""

    READ_PROPOSALS = "proposals:read"
    WRITE_PROPOSALS = "proposals:write"


class User(Record, table=True):
    """A person's account. Raising `token_epoch` ends every session that began before, in one write."""

    __tablename__ = "users"
    __table_args__ = (
        UniqueConstraint("email", name=ONE_EMAIL),
        CheckConstraint(
            "email ~ '^[^@[:space:]]+@[^@[:space:]]+$' and email is nfc normalized"
            """ and email = lower(email collate "C")""",
            name="email",
        ),
        CheckConstraint("role in ('partner', 'reviewer', 'editor', 'admin')", name="role"),
        CheckConstraint("state in ('pending', 'active', 'disabled')", name="state"),
        CheckConstraint("password_hash like '$argon2id$%'", name="password_hash"),
        CheckConstraint("password_expires_at is null or password_hash is not null", name="password_expires_at"),
        CheckConstraint("token_epoch >= 0", name="token_epoch"),
    )

    email: str = Field(max_length=320)
    password_hash: str | None = Field(default=None, max_length=255)
    password_expires_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    """Set for a one-time password only."""
    role: Role = Field(sa_type=enum_type(Role))
    state: UserState = Field(sa_type=enum_type(UserState))
    token_epoch: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})


class UserSession(Record, table=True):
    """One login, and the family of every refresh token that descends from it."""

    __tablename__ = "sessions"
    __table_args__ = (
        CheckConstraint("(ended_at is null) = (end_reason is null)", name="ended"),
        CheckConstraint("end_reason in ('logout', 'revoked', 'reuse')", name="end_reason"),
        CheckConstraint("idle_expires_at <= expires_at", name="idle_expires_at"),
    )

    user_id: UUID = Field(foreign_key="users.id", ondelete="CASCADE", index=True)
    token_epoch: int
    last_used_at: datetime = Field(sa_type=DateTime(timezone=True))
    idle_expires_at: datetime = Field(sa_type=DateTime(timezone=True))
    expires_at: datetime = Field(sa_type=DateTime(timezone=True))
    ended_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    end_reason: SessionEnd | None = Field(default=None, sa_type=enum_type(SessionEnd))


class RefreshToken(SQLModel, table=True):
    """A refresh token by its hash. Of one `position` in a family, one at most is usable.

    The newest position is unused. The one before it may be sent again, for its answer may have been lost: what
    was given for it is then superseded.
    """

    __tablename__ = "refresh_tokens"
    __table_args__ = (
        Index(ONE_USABLE_TOKEN, "session_id", "position", unique=True, postgresql_where=text("not superseded")),
        CheckConstraint("octet_length(token_hash) = 32", name="token_hash"),
        CheckConstraint("position >= 0", name="position"),
    )

    token_hash: bytes = Field(primary_key=True, sa_type=LargeBinary)
    session_id: UUID = Field(foreign_key="sessions.id", ondelete="CASCADE", index=True)
    position: int
    superseded: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})


class APIKey(Record, table=True):
    """A partner's key for programs, found by its public prefix. Two live ones per name, so that it can be rotated."""

    __tablename__ = "api_keys"
    __table_args__ = (
        UniqueConstraint("prefix", name=ONE_KEY_PREFIX),
        Index(TWO_LIVE_KEYS, "user_id", "name", "slot", unique=True, postgresql_where=text("revoked_at is null")),
        CheckConstraint("slot in (1, 2)", name="slot"),
        CheckConstraint("name <> ''", name="named"),
        CheckConstraint("octet_length(secret_hash) = 32", name="secret_hash"),
        CheckConstraint("scopes <@ '{proposals:read,proposals:write}' and cardinality(scopes) >= 1", name="scopes"),
        CheckConstraint("expires_at - created_at <= interval '366 days'", name="expires_at"),
    )

    user_id: UUID = Field(foreign_key="users.id", ondelete="CASCADE", index=True)
    name: str = Field(max_length=100)
    slot: int = Field(sa_type=SmallInteger)
    prefix: str = Field(max_length=32)
    secret_hash: bytes = Field(sa_type=LargeBinary)
    scopes: list[str] = Field(sa_type=ARRAY(Text))
    expires_at: datetime = Field(sa_type=DateTime(timezone=True))
    last_used_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    revoked_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))


class PasswordReset(Record, table=True):
    """A one-time link that sets a password; void once the account's `token_epoch` is no longer the same."""

    __tablename__ = "password_resets"
    __table_args__ = (
        UniqueConstraint("token_hash", name="uq_password_resets_token_hash"),
        Index(ONE_OPEN_RESET, "user_id", unique=True, postgresql_where=text("used_at is null")),
        CheckConstraint("octet_length(token_hash) = 32", name="token_hash"),
        CheckConstraint("expires_at - created_at <= interval '15 minutes'", name="expires_at"),
    )

    user_id: UUID = Field(foreign_key="users.id", ondelete="CASCADE", index=True)
    token_hash: bytes = Field(sa_type=LargeBinary)
    token_epoch: int
    expires_at: datetime = Field(sa_type=DateTime(timezone=True))
    used_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))


users = SQLModel.metadata.tables["users"]
sessions = SQLModel.metadata.tables["sessions"]
refresh_tokens = SQLModel.metadata.tables["refresh_tokens"]
api_keys = SQLModel.metadata.tables["api_keys"]
password_resets = SQLModel.metadata.tables["password_resets"]
