"""The service seals by itself, also after a time in which it could not; the command line verifies."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tests.commands import Ended, run_here
from tests.conftest import STARTER, import_file, make_client
from vibe4vets.cli.directory import render_published
from vibe4vets.core.audit import SYSTEM, record_event
from vibe4vets.core.config import AuditSettings, Settings
from vibe4vets.core.database import Session
from vibe4vets.core.embedded import EmbeddedPostgres
from vibe4vets.main import create_app

SOON = AuditSettings(seal_interval=timedelta(milliseconds=20))
"""Seals as often as a test can wait for."""

ASKED = "query like '%audit_seals%' and usename = 'vibe4vets_app' and datname = current_database()"


async def until(sql: asyncpg.Connection, query: str) -> None:
    """Wait until `query` is true."""
    async with asyncio.timeout(30):
        while not await sql.fetchval(query):
            await sql.fetch("select pg_sleep(0.02)")


async def test_the_service_seals_and_tells_so(settings: Settings, session: Session, sql: asyncpg.Connection) -> None:
    for _ in range(3):
        await record_event(session, "resource.publish", actor=SYSTEM)
    await session.commit()
    app = create_app(settings.model_copy(update={"audit": SOON}))
    async with app.router.lifespan_context(app), make_client(app) as client:
        await until(sql, "select sum(cardinality(sequences)) = 3 from audit_seals")
        await until(sql, "select count(*) = 0 from audit_unsealed")
        async with asyncio.timeout(30):
            while "vibe4vets_audit_sealed_total 3.0" not in (await client.get("/metrics")).text:
                await sql.fetch("select pg_sleep(0.02)")


async def test_a_round_that_fails_is_not_the_last(
    settings: Settings, session: Session, sql: asyncpg.Connection
) -> None:
    await record_event(session, "resource.publish", actor=SYSTEM)
    await session.commit()
    await sql.execute("alter table audit_seals rename to hidden")
    app = create_app(settings.model_copy(update={"audit": SOON}))
    async with app.router.lifespan_context(app):
        await until(sql, f"select count(*) > 0 from pg_stat_activity where {ASKED}")
        await sql.execute("alter table hidden rename to audit_seals")
        await until(sql, "select count(*) = 1 from audit_seals")


async def test_failures_are_forgotten_after_a_month(settings: Settings, sql: asyncpg.Connection) -> None:
    await sql.execute("insert into audit_failures values (now() - interval '31 days', 'a.b', 'c', 1)")
    await sql.execute("insert into audit_failures values (now() - interval '29 days', 'a.b', 'c', 1)")
    app = create_app(settings.model_copy(update={"audit": SOON}))
    async with app.router.lifespan_context(app):
        await until(sql, "select count(*) = 1 from audit_failures")


async def test_an_import_and_a_rendering_leave_events(
    settings: Settings, engine: Any, sql: asyncpg.Connection, tmp_path: Path
) -> None:
    """Row K2: one event a batch, in its transaction, with the content before and after."""
    records = tmp_path / "records.ndjson"
    records.write_text("".join(STARTER.read_text().splitlines(keepends=True)[:50]))
    report = await import_file(engine, records)
    (event,) = await sql.fetch("select * from audit_events where action = 'directory.import'")
    assert (event["action"], event["actor_kind"], event["actor_id"]) == (
        "directory.import",
        "system",
        str(report.run_id),
    )
    assert (event["target_kind"], event["target_id"]) == ("connector_run", str(report.run_id))
    assert json.loads(event["details"])["records"] == str(report.changed)
    assert event["before_hash"] is None
    assert len(event["after_hash"]) == 64
    await import_file(engine, records)
    imports = "select count(*) from audit_events where action = 'directory.import'"
    assert await sql.fetchval(imports) == 1, "what changes nothing is no act"
    changed = tmp_path / "changed.ndjson"
    changed.write_text(STARTER.read_text().splitlines()[0].replace('"title": "', '"title": "Changed: '))
    again = await import_file(engine, changed)
    assert again.changed > 0
    event = await sql.fetchrow("select * from audit_events order by sequence desc limit 1")
    assert None not in (event["before_hash"], event["after_hash"])
    await render_published(settings)
    written = "select action from audit_events where target_kind = 'connector_run' or target_kind is null"
    actions = await sql.fetch(f"{written} order by sequence")
    assert [row["action"] for row in actions if row["action"] != "connector_run.request"] == [
        "directory.import",
        "directory.import",
        "directory.reindex",
    ]


Verify = Callable[..., Awaitable[Ended]]


@pytest.fixture
def verify(server: EmbeddedPostgres, database: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> Verify:
    """Run `audit verify` on this test's database; its exit code, output and errors."""
    given = {"DATABASE_URL": server.app_url(database), "VIBE4VETS_DATA_DIR": folder / "data"}

    async def verify(*arguments: str) -> Ended:
        return await run_here(capsys, folder, ("audit", "verify", *arguments), given)

    return verify


async def test_the_command_line_verifies(
    verify: Verify, settings: Settings, session: Session, sql: asyncpg.Connection
) -> None:
    await record_event(session, "resource.publish", actor=SYSTEM)
    await session.commit()
    app = create_app(settings.model_copy(update={"audit": SOON}))
    async with app.router.lifespan_context(app):
        await until(sql, "select count(*) = 1 from audit_seals")
    head = await sql.fetchval("select hash from audit_seals")
    code, out, err = await verify("--known", head)
    assert (code, out) == (0, f"1 seals over 1 events; 0 await one.\nHead: {head}\nThe audit is whole.\n"), err
    await sql.execute("alter table audit_events disable trigger refuse_change")
    await sql.execute("update audit_events set actor_id = 'somebody else'")
    code, out, err = await verify()
    assert code == 1
    assert "Event 1 was altered after seal 1." in err
    assert "whole" not in out
