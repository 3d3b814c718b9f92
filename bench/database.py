"""A database of the bench's own, on an embedded server with its usual, durable settings."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from vibe4vets.cli.directory import seed
from vibe4vets.core.config import Settings
from vibe4vets.core.embedded import EmbeddedPostgres, default_home
from vibe4vets.core.migrations import upgrade

PROJECT = Path(__file__).resolve().parents[1]
REAL_RECORDS = PROJECT.parent / "shared/data/veteran_resources.jsonl"
STARTER = PROJECT / "src/vibe4vets/connectors/starter/directory.ndjson"
RECORDS = REAL_RECORDS if REAL_RECORDS.exists() else STARTER


@dataclass(frozen=True)
class BenchDatabase:
    """Where the bench's database is, for each role."""

    app_url: str
    owner_url: str

    @property
    def settings(self) -> Settings:
        """The service's settings on this database, as the role that serves."""
        return Settings.model_validate(
            {"DATABASE_URL": self.app_url, "secret_key": "a secret for benches, not for use"}
        )


@contextmanager
def fresh_database(name: str) -> Iterator[BenchDatabase]:
    """A migrated, empty database that is dropped afterwards."""
    home = default_home()
    with EmbeddedPostgres(home.with_name(f"{home.name}-bench")).running() as server:
        asyncio.run(_execute(server, f'drop database if exists "{name}" with (force)', f'create database "{name}"'))
        database = BenchDatabase(server.app_url(name), server.owner_url(name))
        url = Settings.model_validate({"DATABASE_URL": database.owner_url}).database_url
        assert url is not None
        upgrade(url)
        asyncio.run(seed(url, database.settings.database))
        yield database
        asyncio.run(_execute(server, f'drop database "{name}" with (force)'))


async def _execute(server: EmbeddedPostgres, *statements: str) -> None:
    connection = await asyncpg.connect(server.owner_url("postgres"))
    for statement in statements:
        await connection.execute(statement)
    await connection.close()
