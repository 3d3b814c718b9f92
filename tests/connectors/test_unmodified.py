"""A record file that has not changed costs one conditional request, and only where nothing is left to find out."""

import json
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest

from tests.conftest import make_settings
from tests.publisher import Asked, Publisher, http
from vibe4vets.connectors import service
from vibe4vets.connectors.models import Trigger
from vibe4vets.core.audit import SYSTEM
from vibe4vets.core.config import Settings
from vibe4vets.core.embedded import EmbeddedPostgres
from vibe4vets.core.jobs import Workbench

SLUG = "county_franklin"


def file(*ids: str) -> bytes:
    """A record file."""
    record = {"title": "Office", "organization": "County", "scope": "local", "categories": ["benefits"]}
    return b"".join(json.dumps(record | {"source_record_id": id_}).encode() + b"\n" for id_ in ids)


def versioned(body: bytes, etag: str) -> object:
    """Answers 304 to whoever has this version."""

    def answer(asked: Asked) -> bytes:
        if asked.headers.get("if-none-match") == etag:
            return http(b"", "304 Not Modified", etag=etag)
        return http(body, content_type="application/x-ndjson", etag=etag)

    return answer


@pytest.fixture
def settings(server: EmbeddedPostgres, database: str, publisher: Publisher) -> Settings:
    """Settings with one record file, which the scripted publisher serves."""
    return make_settings(
        server.app_url(database),
        connectors={SLUG: {"base_url": publisher.url("/r"), "format": "records"}},
        fetch={"allow": publisher.address},
        jobs={"poll": timedelta(milliseconds=100), "retry_pause": timedelta(seconds=10)},
    )


async def run(bench: Workbench, sql: asyncpg.Connection, trigger: Trigger = Trigger.SCHEDULE) -> asyncpg.Record:
    """Request a run and do it."""
    async with bench.database.write_sessions.begin() as session:
        run_id: UUID = await service.request_run(session, SLUG, subject="County", actor=SYSTEM, trigger=trigger)
    assert await service.do_run(bench, str(run_id)) is None
    row = await sql.fetchrow("select * from connector_runs where id = $1", run_id)
    assert row is not None
    return row


async def test_an_unchanged_file_is_not_read_again(
    bench: Workbench, publisher: Publisher, sql: asyncpg.Connection
) -> None:
    publisher.scripts["/r"] = versioned(file("1", "2"), '"v1"')
    assert (await run(bench, sql))["proposed"] == 2
    again = await run(bench, sql)
    assert (again["state"], again["unchanged"], again["attempt"]) == ("succeeded", 2, 1)
    assert publisher.asked[-1].headers["if-none-match"] == '"v1"'
    publisher.scripts["/r"] = versioned(file("1", "2", "3"), '"v2"')
    assert (await run(bench, sql))["proposed"] == 1


async def test_whoever_asks_for_a_run_has_it_read(
    bench: Workbench, publisher: Publisher, sql: asyncpg.Connection
) -> None:
    publisher.scripts["/r"] = versioned(file("1"), '"v1"')
    await run(bench, sql)
    await run(bench, sql, Trigger.REQUEST)
    assert "if-none-match" not in publisher.asked[-1].headers


async def test_a_missing_record_is_looked_for_once_more(
    bench: Workbench, publisher: Publisher, sql: asyncpg.Connection
) -> None:
    """A file that stays as it is must still retire what it has lost."""
    ids = [str(number) for number in range(30)]
    publisher.scripts["/r"] = versioned(file(*ids), '"v1"')
    await run(bench, sql)
    publisher.scripts["/r"] = versioned(file(*ids[1:]), '"v2"')
    assert (await run(bench, sql))["vanished"] == 1
    assert (await run(bench, sql))["vanished"] == 0
    assert publisher.asked[-1].headers.get("if-none-match") != '"v2"', "the second reading was a whole one"
    await run(bench, sql)
    assert publisher.asked[-1].headers["if-none-match"] == '"v2"'
