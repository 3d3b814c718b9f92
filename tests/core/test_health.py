"""What the health answers say of a schema that does not fit, and that the service never mends it itself (row I7)."""

import asyncpg
import httpx
import pytest

from vibe4vets.core.embedded import EmbeddedPostgres
from vibe4vets.core.migrations import expected_revision

OBJECTS = "select array_agg(relname::text order by relname) from pg_class where relnamespace = 'public'::regnamespace"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("update alembic_version set version_num = '2027010101'", "newer than this version of the service: deploy"),
        ("delete from alembic_version", "no schema yet: run `vibe4vets migrate`"),
        ("drop table alembic_version", "no schema yet: run `vibe4vets migrate`"),
    ],
)
async def test_a_schema_that_does_not_fit_is_told(
    client: httpx.AsyncClient, server: EmbeddedPostgres, database: str, change: str, reason: str
) -> None:
    assert (await client.get("/health/ready")).json()["status"] == "ok"
    owner = await asyncpg.connect(server.owner_url(database))
    await owner.execute(change)
    before = await owner.fetchval(OBJECTS)
    answer = await client.get("/health/ready")
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["retry-after"]
    assert answer.json()["type"] == "not-ready"
    assert reason in answer.json()["detail"]
    assert (await client.get("/health/live")).json() == {"status": "ok"}
    await client.get("/api/v1/resources")
    assert await owner.fetchval(OBJECTS) == before, "the service mends no schema"
    await owner.close()


async def test_an_older_schema_is_told(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is one revision so far, so that the code is made to expect one after it."""
    assert expected_revision()
    monkeypatch.setattr("vibe4vets.core.migrations.expected_revision", lambda: "2099010101")
    answer = await client.get("/health/ready")
    assert answer.status_code == 503
    assert "older than this version of the service: run `vibe4vets migrate`" in answer.json()["detail"]


async def test_ready_tells_the_queue_and_that_it_cannot_be_used(
    client: httpx.AsyncClient, sql: asyncpg.Connection
) -> None:
    """A missing worker is no fault: jobs wait. Missing rights are, after a restore say."""
    idle = {"waiting": 0, "working": 0, "overdue_seconds": 0}
    ready = {"status": "ok", "database": "ok", "schema_head": expected_revision(), "queue": idle, "sources": None}
    assert (await client.get("/health/ready")).json() == ready
    await sql.execute(
        "insert into pgqueuer (priority, status, entrypoint, execute_after)"
        " values (0, 'queued', 'x', now() - interval '5 minutes'), (0, 'picked', 'x', now())"
    )
    answer = await client.get("/health/ready")
    assert (answer.status_code, answer.json()["queue"]["waiting"], answer.json()["queue"]["working"]) == (200, 1, 1)
    assert 299 <= answer.json()["queue"]["overdue_seconds"] <= 330
    await sql.execute("revoke insert on pgqueuer from vibe4vets_app")
    answer = await client.get("/health/ready")
    assert answer.status_code == 503
    assert "may not use the queue: grant it" in answer.json()["detail"]


async def test_without_tables_a_read_is_a_503(
    client: httpx.AsyncClient, server: EmbeddedPostgres, database: str
) -> None:
    owner = await asyncpg.connect(server.owner_url(database))
    await owner.execute("drop table published_resources cascade")
    answer = await client.get("/api/v1/resources")
    assert (answer.status_code, answer.json()["type"]) == (503, "unavailable")
    await owner.close()
