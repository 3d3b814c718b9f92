"""Runs migrations: one at a time across processes, never waiting long for a lock of the live service."""

import asyncio

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool
from sqlmodel import SQLModel
from sqlmodel.sql.sqltypes import AutoString

import vibe4vets.admin.models
import vibe4vets.auth.models
import vibe4vets.connectors.link_models
import vibe4vets.connectors.models
import vibe4vets.core.audit.models
import vibe4vets.core.fetch.models
import vibe4vets.core.idempotency
import vibe4vets.core.limits.models
import vibe4vets.resources.models  # noqa: F401
from alembic import context
from vibe4vets.core.config import Settings

# Any number, the same for every version of this project: only one upgrade runs at a time.
UPGRADE_LOCK = 7_264_387_001
SETTINGS = {
    "lock_timeout": "4s",
    "statement_timeout": "10min",
    "idle_in_transaction_session_timeout": "10min",
}


def render_item(kind: str, item: object, _context: object) -> str | bool:
    """Write SQLModel's text type as plain SQLAlchemy: revisions import nothing of ours."""
    if kind == "type" and isinstance(item, AutoString):
        return f"sa.String(length={item.length})" if item.length else "sa.String()"
    return False


def include_name(name: str | None, kind: str, _parents: object) -> bool:
    """Compare our own tables only: the queue's come from pgqueuer, as frozen SQL, and have no models."""
    return kind != "table" or not (name or "").startswith("pgqueuer")


def run(connection: sa.Connection) -> None:
    """Run the migrations on `connection`, in one transaction, alone."""
    connection.execute(sa.text("select pg_advisory_lock(:key)"), {"key": UPGRADE_LOCK})
    for name, value in SETTINGS.items():
        connection.execute(sa.text("select set_config(:name, :value, false)"), {"name": name, "value": value})
    connection.commit()
    context.configure(
        connection=connection,
        target_metadata=SQLModel.metadata,
        compare_type=True,
        compare_server_default=True,
        include_name=include_name,
        render_item=render_item,
        transaction_per_migration=True,
    )
    try:
        with context.begin_transaction():
            context.run_migrations()
    finally:
        connection.rollback()
        connection.execute(sa.text("select pg_advisory_unlock(:key)"), {"key": UPGRADE_LOCK})
        connection.commit()


def write() -> None:
    """Write the migrations as SQL instead, for whoever reads it first and runs it by hand."""
    context.configure(dialect_name="postgresql", literal_binds=True, transaction_per_migration=True)
    for name, value in SETTINGS.items():
        context.execute(f"set {name} = '{value}'")
    with context.begin_transaction():
        context.run_migrations()


async def main() -> None:
    """Connect as the owner and run."""
    url = context.config.attributes.get("url")
    if url is None:
        settings = Settings()
        url = settings.database_migration_url or settings.database_url
    if url is None:
        message = "set DATABASE_MIGRATION_URL (or DATABASE_URL) to the database to migrate"
        raise SystemExit(message)
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(run)
    await engine.dispose()


if context.is_offline_mode():
    write()
else:
    asyncio.run(main())
