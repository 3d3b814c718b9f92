"""A directory to fill, one resource at a time."""

import asyncio
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from vibe4vets.core.database import Session
from vibe4vets.resources import service
from vibe4vets.resources.schemas import ResourceIntake, SourceIntake

_IS_SETTLED = """
select coalesce(max(changed_in), 0) < cast(cast(pg_snapshot_xmin(pg_current_snapshot()) as text) as bigint)
from published_changes
"""


async def settle(sql: asyncpg.Connection) -> None:
    """Return once no transaction of another test on this server could still have come before the newest change."""
    async with asyncio.timeout(60):  # against a hang only
        while not await sql.fetchval(_IS_SETTLED):
            await sql.execute("select pg_sleep(0.02)")


class Shelf:
    """A test's own directory."""

    def __init__(self, session: Session) -> None:
        self.session = session

    async def put(self, record_id: str = "1", **given: Any) -> UUID:
        """Write a draft, or a new version of what is there."""
        record = {
            "source": "s", "source_record_id": record_id, "organization": "Helpers", "title": "Help",
            "scope": "local", "categories": ["housing"], **given,
        }  # fmt: skip
        await service.upsert_sources(self.session, [SourceIntake(slug="s", name="S", tier=1)])
        intake = ResourceIntake.model_validate(record)
        ids = await service.upsert_resources(self.session, [intake.model_dump_json()])
        await self.session.commit()
        return ids[0]

    async def publish(self, record_id: str = "1", **given: Any) -> UUID:
        id_ = await self.put(record_id, **given)
        await service.publish_resources(self.session, [id_])
        await self.session.commit()
        return id_

    async def withdraw(self, id_: UUID, successor_id: UUID | None = None) -> None:
        await service.withdraw_resources(self.session, [id_], successor_id=successor_id)
        await self.session.commit()


@pytest.fixture
def shelf(session: Session) -> Shelf:
    """An empty directory to fill."""
    return Shelf(session)
