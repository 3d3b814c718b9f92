"""The audit: it only grows, in the transaction of the act; the chain over it shows what was changed behind it."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker

from vibe4vets.core.audit import (
    ANONYMOUS,
    SYSTEM,
    Actor,
    ActorKind,
    AuditEventQuery,
    Target,
    Verdict,
    count_failure,
    list_events,
    record_event,
    seal_events,
    verify_chain,
)
from vibe4vets.core.context import request_id
from vibe4vets.core.database import Session
from vibe4vets.core.embedded import EmbeddedPostgres
from vibe4vets.core.pagination import Cursors

ALICE = Actor(ActorKind.USER, "alice")
HOUSE = Target("resource", "house")


async def record(session: Session, *actions: str, actor: Actor = SYSTEM) -> None:
    """Commit an event for each action."""
    for action in actions:
        await record_event(session, action, actor=actor, target=HOUSE, before={"a": 1}, after={"a": 2})
    await session.commit()


async def seal(session: Session, size: int = 1000) -> int:
    """Seal, and commit."""
    sealed = await seal_events(session, size=size)
    await session.commit()
    return sealed.events if sealed else 0


async def verify(engine: AsyncEngine, known_head: str | None = None) -> Verdict:
    """Check the chain."""
    async with Session(engine) as session:
        return await verify_chain(session, known_head=known_head, progress=lambda _done, _total: None)


async def test_an_event_says_who_did_what_to_what(session: Session, sql: asyncpg.Connection) -> None:
    token = request_id.set("0123456789abcdef")
    await record_event(
        session, "resource.update", actor=ALICE, target=HOUSE, before={"b": 1, "a": "ü"}, after={"a": "ü", "b": 1},
        details={"fields": "title"},
    )  # fmt: skip
    request_id.reset(token)
    assert await sql.fetchval("select count(*) from audit_events") == 0
    await session.commit()
    row = dict(await sql.fetchrow("select * from audit_events"))
    assert abs(row.pop("at") - datetime.now(UTC)) < timedelta(minutes=1)
    hashed = row.pop("before_hash"), row.pop("after_hash")
    assert hashed[0] == hashed[1], "the order of keys is no difference"
    assert len(hashed[0]) == 64
    assert json.loads(row.pop("details")) == {"fields": "title"}
    assert row == {
        "sequence": 1,
        "actor_kind": "user",
        "actor_id": "alice",
        "action": "resource.update",
        "target_kind": "resource",
        "target_id": "house",
        "request_id": "0123456789abcdef",
    }


async def test_an_act_that_is_undone_has_no_event(session: Session, sql: asyncpg.Connection) -> None:
    await record_event(session, "resource.update", actor=SYSTEM)
    await session.rollback()
    await record(session, "resource.publish")
    assert [row[0] for row in await sql.fetch("select action from audit_events")] == ["resource.publish"]


CHANGES = [
    "update audit_events set action = 'a.b'",
    "delete from audit_events",
    "truncate audit_events",
    "update audit_seals set hash = ''",
    "delete from audit_seals",
    "truncate audit_seals",
]


@pytest.mark.parametrize("change", CHANGES)
async def test_the_database_refuses_every_change(
    session: Session, sql: asyncpg.Connection, server: EmbeddedPostgres, database: str, change: str
) -> None:
    """The app role has no right to it, and a trigger stops the owner: also one who has told triggers to stay quiet."""
    await record(session, "resource.publish")
    assert await seal(session) == 1
    app = await asyncpg.connect(server.app_url(database))
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied"):
        await app.execute(change)
    await app.close()
    await sql.execute("set session_replication_role = replica")
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
        await sql.execute(change)


async def test_rights_that_a_restore_gives_back_are_taken_again(sql: asyncpg.Connection) -> None:
    await sql.execute("grant all on audit_events, audit_seals to vibe4vets_app, public")
    await sql.execute("select protect_audit()")
    rights = "select distinct privilege_type from information_schema.table_privileges where table_name = any($1)"
    rows = await sql.fetch(f"{rights} and grantee in ('vibe4vets_app', 'PUBLIC')", ["audit_events", "audit_seals"])
    assert {row[0] for row in rows} == {"INSERT", "SELECT"}


async def test_the_chain_holds_over_batches(session: Session, engine: AsyncEngine) -> None:
    await record(session, *(f"resource.step_{letter}" for letter in "abcde"))
    assert [await seal(session, size=2) for _ in range(4)] == [2, 2, 1, 0]
    await record(session, "resource.publish")
    verdict = await verify(engine)
    assert (verdict.seals, verdict.events, verdict.waiting, verdict.fault) == (3, 5, 1, None)


async def test_a_late_commit_is_of_a_later_seal(engine: AsyncEngine, sql: asyncpg.Connection) -> None:
    sessions = async_sessionmaker(engine, class_=Session)
    async with sessions() as late, sessions() as session:
        await record_event(late, "resource.late", actor=SYSTEM)
        await record(session, "resource.early")
        assert await seal(session) == 1, "no seal waits for a transaction that is open"
        await late.commit()
        assert await seal(session) == 1
    assert [row[0] for row in await sql.fetch("select sequences from audit_seals order by number")] == [[2], [1]]
    assert (await verify(engine)).fault is None


async def test_two_that_seal_at_once_make_one_chain(engine: AsyncEngine, session: Session) -> None:
    sessions = async_sessionmaker(engine, class_=Session)
    await record(session, *["resource.publish"] * 20)

    async def work() -> int:
        sealed = 0
        for _ in range(20):
            async with sessions.begin() as mine:
                sealed += await seal_events(mine, size=1) is not None
        return sealed

    sealed = await asyncio.gather(work(), work())
    while await seal(session, size=1):
        sealed.append(1)
    assert sum(sealed) == 20
    verdict = await verify(engine)
    assert (verdict.seals, verdict.fault) == (20, None)


TAMPERED = {
    "Event 2 was altered after seal 1.": 'update audit_events set details = \'{"a": "b"}\' where sequence = 2',
    "Event 3 was altered after seal 2.": "update audit_events set at = at + interval '1 us' where sequence = 3",
    "Event 1 was removed after seal 1.": "delete from audit_events where sequence = 1",
    "Event 5 was removed before it was sealed.": "delete from audit_events where sequence = 5",
    "Event 6 was inserted past the queue: no seal is over it, and it awaits none.": (
        "insert into audit_events (actor_kind, action) values ('system', 'a.b');"
        "delete from audit_unsealed where sequence = 6"
    ),
    "Seal 1 was removed.": "delete from audit_seals where number = 1",
    "Seal 2 was altered (it is over the events from 3 on).": (
        "update audit_seals set sequences = '{3,6}' where number = 2"
    ),
    "Event 3 was inserted past the queue: no seal is over it, and it awaits none.": (
        "delete from audit_seals where number = 2"
    ),
}


@pytest.mark.parametrize(("fault", "tampering"), TAMPERED.items())
async def test_tampering_is_found(
    session: Session, engine: AsyncEngine, sql: asyncpg.Connection, fault: str, tampering: str
) -> None:
    """Events 1 and 2 are of seal 1, 3 and 4 of seal 2, and 5 awaits one; the owner switches the guards off."""
    await record(session, *["resource.publish"] * 4)
    assert [await seal(session, size=2) for _ in range(2)] == [2, 2]
    await record(session, "resource.publish")
    assert (await verify(engine)).fault is None
    for table in ("audit_events", "audit_seals"):
        await sql.execute(f"alter table {table} disable trigger refuse_change")
    await sql.execute(tampering)
    assert (await verify(engine)).fault == fault


async def test_an_end_that_was_cut_off_is_found_by_a_head_that_was_noted(
    session: Session, engine: AsyncEngine, sql: asyncpg.Connection
) -> None:
    await record(session, "resource.publish")
    await seal(session)
    noted = (await verify(engine)).head
    await record(session, "resource.publish")
    await seal(session)
    assert (await verify(engine, noted)).fault is None, "the chain has grown since"
    for table in ("audit_events", "audit_seals"):
        await sql.execute(f"alter table {table} disable trigger refuse_change")
        await sql.execute(f"delete from {table}")
    assert (await verify(engine)).fault is None
    assert "cut off" in str((await verify(engine, noted)).fault)


async def test_strangers_fill_one_row_a_minute(engine: AsyncEngine, sql: asyncpg.Connection) -> None:
    sessions = async_sessionmaker(engine, class_=Session)

    async def fail() -> None:
        for _ in range(50):
            async with sessions.begin() as session:
                await count_failure(session, "auth.login", reason="wrong-password")

    await asyncio.gather(fail(), fail(), fail())
    rows = await sql.fetch("select minute, count from audit_failures")
    assert sum(row["count"] for row in rows) == 150
    assert len(rows) <= 2, "the minute may have changed meanwhile"
    assert await sql.fetchval("select count(*) from audit_events") == 0


async def page(session: Session, **query: Any) -> dict[str, Any]:
    """One page of events."""
    found = await list_events(session, AuditEventQuery(**query), Cursors(b"k" * 32))
    read: dict[str, Any] = json.loads(found.body())
    return read


async def test_events_are_listed_the_latest_first(session: Session) -> None:
    await record(session, "resource.create", "resource.publish", actor=ALICE)
    await record(session, "resource.withdraw", actor=ANONYMOUS)
    first = await page(session, limit=2)
    assert [event["action"] for event in first["items"]] == ["resource.withdraw", "resource.publish"]
    assert first["total"] == 3
    second = await page(session, limit=2, cursor=first["next_cursor"])
    assert [event["sequence"] for event in second["items"]] == [1]
    assert second["next_cursor"] is None


async def test_filters_of_the_list_all_hold(session: Session) -> None:
    await record(session, "resource.create", "resource.publish", actor=ALICE)
    await record(session, "resource.publish")
    between = (await session.execute(text("select at from audit_events where sequence = 2"))).scalar_one().isoformat()

    async def found(**query: Any) -> list[int]:
        return [event["sequence"] for event in (await page(session, **query))["items"]]

    assert await found(action=["resource.publish"]) == [3, 2]
    assert await found(action=["resource.publish", "resource.create"]) == [3, 2, 1]
    assert await found(actor_id=["alice"]) == [2, 1]
    assert await found(actor_kind=["system"]) == [3]
    assert await found(actor_kind=["system", "user"]) == [3, 2, 1]
    assert await found(target_kind=["resource"], target_id=["garden", "house"]) == [3, 2, 1]
    assert await found(target_id=["garden"]) == []
    assert await found(since=between) == [3, 2]
    assert await found(until=between) == [1]
    assert await found(action=["resource.publish"], actor_kind=["user"], since=between) == [2]
