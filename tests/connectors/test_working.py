"""Runs that workers do: woken, tried again, given up, cancelled, confirmed, gone on with, and never done by two."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from tests.conftest import make_settings
from tests.publisher import Asked, Publisher, http
from vibe4vets.connectors import service
from vibe4vets.connectors.exceptions import RunEnded, RunNotFound, RunNotHeld, RunUnderWay
from vibe4vets.connectors.models import ConnectorRun, RunState, Trigger
from vibe4vets.connectors.service.leases import Lease, LeaseLost, take
from vibe4vets.core.audit import SYSTEM
from vibe4vets.core.config import Settings
from vibe4vets.core.embedded import EmbeddedPostgres
from vibe4vets.core.jobs import LONGEST_WAIT, Workbench

SLUG = "ohio_211"
LEASE = timedelta(seconds=30)


def service_of(number: int, **changes: Any) -> dict[str, Any]:
    """A service as HSDS has it."""
    return {
        "id": f"s{number}",
        "name": f"Rent help {number}",
        "status": "active",
        "description": "Help with rent.",
        "organization": {"id": "o", "name": "Help House"},
        "service_areas": [{"name": "Ohio", "extent": "OH", "extent_type": "state"}],
        "attributes": [{"value": "housing", "taxonomy_term": {"code": "housing", "name": "Housing"}}],
        **changes,
    }


def pages_of(services: list[dict[str, Any]], size: int) -> Callable[[Asked], bytes]:
    """A feed of `services`, so many a page."""

    def answer(asked: Asked) -> bytes:
        number, last = int(asked.query("page") or 1), -(-len(services) // size)
        contents = services[(number - 1) * size : number * size]
        known = {"total_items": len(services), "total_pages": last, "page_number": number}
        return http(json.dumps(known | {"contents": contents}).encode())

    return answer


FEED = "/hsds/services"
BUSY = http(b"{}", "429 Too Many Requests", retry_after="300")


@pytest.fixture
def settings(server: EmbeddedPostgres, database: str, publisher: Publisher) -> Settings:
    """Settings with one connector, which the scripted publisher answers."""
    return make_settings(
        server.app_url(database),
        connectors={SLUG: {"base_url": publisher.url("/hsds")}},
        fetch={"allow": publisher.address},
        jobs={"poll": timedelta(milliseconds=100), "retry_pause": timedelta(seconds=10)},
    )


async def request(bench: Workbench, **options: Any) -> UUID:
    """Queue a run."""
    async with bench.database.write_sessions.begin() as session:
        return await service.request_run(session, SLUG, subject="Ohio 211", actor=SYSTEM, **options)


async def run_of(sql: asyncpg.Connection, run_id: UUID) -> asyncpg.Record:
    """The row of a run."""
    row = await sql.fetchrow("select * from connector_runs where id = $1", run_id)
    assert row is not None
    return row


async def jobs_of(sql: asyncpg.Connection) -> list[str]:
    """The payloads in the queue."""
    return [row[0].decode() for row in await sql.fetch("select payload from pgqueuer order by id")]


async def test_a_requested_run_is_done_once(bench: Workbench, publisher: Publisher, sql: asyncpg.Connection) -> None:
    publisher.scripts[FEED] = pages_of([service_of(n) for n in range(5)], 2)
    run_id = await request(bench)
    assert await jobs_of(sql) == [str(run_id)]
    assert await service.do_run(bench, str(run_id)) is None
    run = await run_of(sql, run_id)
    assert (run["state"], run["attempt"], run["failures"], run["lease_until"]) == ("succeeded", 1, 0, None)
    assert (run["done"], run["total"], run["created"] + run["proposed"]) == (5, 5, 5)
    assert await sql.fetchval("select count(*) from staged_records") == 0
    asked = len(publisher.asked)
    assert await service.do_run(bench, str(run_id)) is None, "a job may come twice"
    assert len(publisher.asked) == asked
    actions = [row[0] for row in await sql.fetch("select action from audit_events order by sequence")]
    assert actions[0] == "connector_run.request"


async def test_a_run_and_its_job_come_together_or_not_at_all(bench: Workbench, sql: asyncpg.Connection) -> None:
    async with bench.database.write_sessions() as session:
        await service.request_run(session, SLUG, subject="x", actor=SYSTEM)
        await session.rollback()
    assert await jobs_of(sql) == []
    assert await sql.fetchval("select count(*) from connector_runs") == 0


async def test_twenty_requests_at_once_make_one_run(bench: Workbench, sql: asyncpg.Connection) -> None:
    barrier = asyncio.Barrier(20)

    async def ask() -> UUID:
        await barrier.wait()
        return await request(bench)

    answers = await asyncio.gather(*(ask() for _ in range(20)), return_exceptions=True)
    made = [answer for answer in answers if isinstance(answer, UUID)]
    refused = [answer.run_id for answer in answers if isinstance(answer, RunUnderWay)]
    assert len(made) == 1
    assert refused == made * 19
    assert await jobs_of(sql) == [str(made[0])]


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (http(b"{}", "404 Not Found"), "UnexpectedStatus: 127.0.0.1: answers 404"),
        (http(b"<html>Sign in</html>", content_type="text/html"), "ContentRefused: 127.0.0.1: "),
        (http(status="302 Found", location="http://169.254.169.254/"), "RedirectRefused: 127.0.0.1: "),
        (http(b'{"contents": ['), "ContentRefused: the answer is not JSON, or was cut off"),
        (http(json.dumps({"contents": []}).encode()), "SourceError: ohio_211: page 1 is not a page of HSDS"),
    ],
)
async def test_what_cannot_pass_fails_at_once(
    bench: Workbench, publisher: Publisher, sql: asyncpg.Connection, answer: bytes, told: str
) -> None:
    publisher.scripts[FEED] = answer
    run_id = await request(bench)
    assert await service.do_run(bench, str(run_id)) is None
    run = await run_of(sql, run_id)
    assert (run["state"], run["attempt"], run["failures"]) == ("failed", 1, 1)
    assert f"{run['error']}: {run['advice']}".startswith(told)
    assert run["finished_at"] is not None


async def test_what_may_pass_is_tried_five_times_and_then_given_up(
    bench: Workbench, publisher: Publisher, sql: asyncpg.Connection
) -> None:
    publisher.scripts[FEED] = BUSY
    run_id = await request(bench)
    for failures in range(1, 5):
        again = await service.do_run(bench, str(run_id))
        assert again is not None
        assert timedelta(seconds=200) < again <= LONGEST_WAIT, "as long as the publisher asks"
        run = await run_of(sql, run_id)
        assert (run["state"], run["attempt"], run["failures"]) == ("queued", failures, failures)
        assert "left alone" in run["advice"] or "429" in run["advice"]
    assert await service.do_run(bench, str(run_id)) is None
    run = await run_of(sql, run_id)
    assert (run["state"], run["attempt"]) == ("failed", 5)
    assert run["advice"].startswith("Given up after 5 tries. ")
    assert await service.do_run(bench, str(run_id)) is None
    await request(bench)  # and the next one may be asked for


async def test_the_database_going_away_is_no_failure_of_the_run(
    bench: Workbench, publisher: Publisher, sql: asyncpg.Connection
) -> None:
    publisher.scripts[FEED] = pages_of([service_of(n) for n in range(3)], 3)
    await sql.execute("create table held (id int)")
    await sql.execute("""
        create function break() returns trigger language plpgsql as $$ begin
          raise exception 'disk full' using errcode = '53100'; end $$;
        create trigger break before insert on source_records execute function break()""")
    run_id = await request(bench)
    again = await service.do_run(bench, str(run_id))
    assert again is not None
    assert timedelta(seconds=5) <= again <= timedelta(seconds=10), "half of the pause to the whole, at random"
    await sql.execute("drop trigger break on source_records")
    assert await service.do_run(bench, str(run_id)) is None
    run = await run_of(sql, run_id)
    assert (run["state"], run["attempt"], run["failures"], run["error"]) == ("succeeded", 2, 1, None)


async def test_a_run_whose_worker_dies_five_times_is_given_up(bench: Workbench, sql: asyncpg.Connection) -> None:
    run_id = await request(bench)
    for attempt in range(1, 6):
        taken = await take(bench.database.write_sessions, run_id, LEASE)
        assert isinstance(taken, ConnectorRun)
        assert taken.attempt == attempt
        await sql.execute("update connector_runs set lease_until = now() - interval '1 second'")
    assert await service.do_run(bench, str(run_id)) is None
    run = await run_of(sql, run_id)
    assert (run["state"], run["error"]) == ("failed", "WorkerLost")
    assert "died 5 times" in run["advice"]


async def test_a_waiting_run_is_cancelled_at_once(bench: Workbench, publisher: Publisher) -> None:
    run_id = await request(bench)
    async with bench.database.write_sessions.begin() as session:
        assert (await service.cancel_run(session, run_id, actor=SYSTEM)).state is RunState.CANCELLED
    assert await service.do_run(bench, str(run_id)) is None
    assert publisher.asked == []
    async with bench.database.write_sessions.begin() as session:
        with pytest.raises(RunEnded):
            await service.cancel_run(session, run_id, actor=SYSTEM)
        with pytest.raises(RunNotHeld):
            await service.confirm_run(session, run_id, actor=SYSTEM)
        with pytest.raises(RunNotFound):
            await service.cancel_run(session, UUID(int=0), actor=SYSTEM)


async def during(
    bench: Workbench, publisher: Publisher, run_id: UUID, act: Callable[[], Awaitable[None]]
) -> timedelta | None:
    """Do the run, and `act` while it waits for its second page, which comes only afterwards."""
    asked = asyncio.Event()
    acted = asyncio.Event()
    whole = pages_of([service_of(n) for n in range(4)], 2)

    async def answer(question: Asked, writer: asyncio.StreamWriter) -> None:
        if question.query("page") == "2":
            asked.set()
            await acted.wait()
        writer.write(whole(question).replace(b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nconnection: close\r\n"))
        await writer.drain()

    publisher.scripts[FEED] = answer
    working = asyncio.create_task(service.do_run(bench, str(run_id)))
    async with asyncio.timeout(20):
        await asked.wait()
        await act()
        acted.set()
        return await working


async def test_a_run_that_is_cancelled_meanwhile_stops_at_its_next_batch(
    bench: Workbench, publisher: Publisher, sql: asyncpg.Connection
) -> None:
    run_id = await request(bench)

    async def cancel() -> None:
        async with bench.database.write_sessions.begin() as session:
            assert (await service.cancel_run(session, run_id, actor=SYSTEM)).state is RunState.RUNNING

    assert await during(bench, publisher, run_id, cancel) is None
    run = await run_of(sql, run_id)
    assert (run["state"], run["created"]) == ("cancelled", 0)
    counts = "select (select count(*) from resources) + (select count(*) from staged_records)"
    assert await sql.fetchval(counts) == 0


async def test_a_worker_that_is_told_to_stop_gives_its_run_back(
    bench: Workbench, publisher: Publisher, sql: asyncpg.Connection
) -> None:
    run_id = await request(bench)

    async def stop() -> None:
        bench.stopping.set()

    assert await during(bench, publisher, run_id, stop) == timedelta(0)
    run = await run_of(sql, run_id)
    assert (run["state"], run["attempt"], run["failures"], run["staged"]) == ("queued", 1, 0, 2)
    bench.stopping.clear()
    publisher.asked.clear()
    publisher.scripts[FEED] = pages_of([service_of(n) for n in range(4)], 2)
    assert await service.do_run(bench, str(run_id)) is None
    assert [asked.query("page") for asked in publisher.asked] == ["2"], "the first page was read before"
    run = await run_of(sql, run_id)
    assert (run["state"], run["attempt"], run["failures"]) == ("succeeded", 2, 0)
    assert await sql.fetchval("select count(*) from source_records") == 4


async def test_a_worker_that_has_lost_its_lease_writes_nothing(
    bench: Workbench, publisher: Publisher, sql: asyncpg.Connection
) -> None:
    run_id = await request(bench)

    async def lose() -> None:
        await sql.execute("update connector_runs set lease_until = now() - interval '1 second'")
        assert isinstance(await take(bench.database.write_sessions, run_id, LEASE), ConnectorRun)

    assert await during(bench, publisher, run_id, lose) == LEASE, "its job looks again when the other's lease has ended"
    run = await run_of(sql, run_id)
    assert (run["state"], run["attempt"], run["failures"], run["staged"]) == ("running", 2, 1, 2)


async def test_the_fence_holds_whoever_would_take_the_run_over(bench: Workbench, sql: asyncpg.Connection) -> None:
    """A batch that takes longer than the lease is still the only one; people may cancel meanwhile."""
    run_id = await request(bench)
    sessions = bench.database.write_sessions
    assert isinstance(await take(sessions, run_id, LEASE), ConnectorRun)
    lease = Lease(sessions, run_id, 1, LEASE)
    async with lease.batch() as (_, run):
        await sql.execute("update connector_runs set lease_until = now() - interval '1 second'")
        assert await take(sessions, run_id, LEASE) == timedelta(seconds=1)
        run.done = 7
        async with sessions.begin() as session:
            await service.cancel_run(session, run_id, actor=SYSTEM)
    stored = await run_of(sql, run_id)
    assert (stored["done"], stored["attempt"], stored["cancel_requested"]) == (7, 1, True)
    assert await sql.fetchval("select lease_until > now() + interval '20 seconds' from connector_runs")
    await sql.execute("update connector_runs set lease_until = now(), cancel_requested = false")
    assert isinstance(await take(sessions, run_id, LEASE), ConnectorRun)
    with pytest.raises(LeaseLost):
        async with lease.batch():
            pytest.fail("fenced off")


async def test_a_lost_stage_is_read_again(bench: Workbench, publisher: Publisher, sql: asyncpg.Connection) -> None:
    """The stage is unlogged: a crash of the server empties it, and must not look like an empty publisher."""
    run_id = await request(bench)

    async def crash() -> None:
        bench.stopping.set()
        await sql.execute("delete from staged_records")

    await during(bench, publisher, run_id, crash)
    assert (await run_of(sql, run_id))["staged"] == 2
    bench.stopping.clear()
    publisher.asked.clear()
    publisher.scripts[FEED] = pages_of([service_of(n) for n in range(4)], 2)
    assert await service.do_run(bench, str(run_id)) is None
    assert [asked.query("page") for asked in publisher.asked] == ["1", "2"]
    assert await sql.fetchval("select count(*) from source_records") == 4


async def test_a_stage_that_is_lost_between_two_batches_is_never_planned(
    bench: Workbench, publisher: Publisher, sql: asyncpg.Connection
) -> None:
    publisher.scripts[FEED] = pages_of([service_of(n) for n in range(4)], 2)
    await sql.execute("""
        create function crash() returns trigger language plpgsql security definer as $$ begin
          delete from staged_records; return null; end $$;
        create trigger crash after update on connector_runs for each row
          when (new.stage = 'plan' and old.stage = 'read') execute function crash()""")
    run_id = await request(bench)
    assert await service.do_run(bench, str(run_id)) is not None
    run = await run_of(sql, run_id)
    assert (run["state"], run["error"], run["stage"], run["staged"]) == ("queued", "BeginAnew", "read", 0)
    await sql.execute("drop trigger crash on connector_runs")
    assert await service.do_run(bench, str(run_id)) is None
    assert (await run_of(sql, run_id))["state"] == "succeeded"
    assert await sql.fetchval("select count(*) from source_records") == 4


async def test_a_source_that_has_changed_meanwhile_is_read_anew(
    bench: Workbench, publisher: Publisher, sql: asyncpg.Connection
) -> None:
    run_id = await request(bench)

    async def stop() -> None:
        bench.stopping.set()

    await during(bench, publisher, run_id, stop)
    bench.stopping.clear()
    publisher.scripts[FEED] = pages_of([service_of(n) for n in range(5)], 2)
    assert await service.do_run(bench, str(run_id)) is not None
    assert await service.do_run(bench, str(run_id)) is None
    run = await run_of(sql, run_id)
    assert (run["state"], run["failures"]) == ("succeeded", 1)
    assert await sql.fetchval("select count(*) from source_records") == 5


async def test_too_many_bad_records_stop_a_run_that_nobody_watches(
    bench: Workbench, publisher: Publisher, sql: asyncpg.Connection
) -> None:
    """Row F9: 5 of 100 are passed over, 6 of 100 are a broken feed."""
    good = [service_of(n) for n in range(95)]
    bad = [service_of(n, name=None) for n in range(95, 101)]
    publisher.scripts[FEED] = pages_of([*good[:94], *bad], 100)
    run_id = await request(bench)
    assert await service.do_run(bench, str(run_id)) is None
    run = await run_of(sql, run_id)
    assert (run["state"], run["error"], run["quarantined"], run["created"]) == ("failed", "PlanRefused", 6, 0)
    assert "6 of 100 records were refused" in run["advice"]
    assert await sql.fetchval("select count(*) from source_records") == 0
    assert await sql.fetchval("select count(*) from quarantined_records") == 6
    publisher.scripts[FEED] = pages_of([*good, *bad[:5]], 100)
    run_id = await request(bench)
    assert await service.do_run(bench, str(run_id)) is None
    run = await run_of(sql, run_id)
    assert (run["state"], run["quarantined"]) == ("succeeded", 5)
    assert await sql.fetchval("select count(*) from source_records") == 95


async def test_a_dry_run_only_plans(bench: Workbench, publisher: Publisher, sql: asyncpg.Connection) -> None:
    publisher.scripts[FEED] = pages_of([service_of(n) for n in range(3)], 3)
    run_id = await request(bench, dry_run=True)
    assert await service.do_run(bench, str(run_id)) is None
    run = await run_of(sql, run_id)
    assert run["state"] == "succeeded"
    assert run["plan"] is not None
    for table in ("resources", "source_records", "staged_records", "proposals"):
        assert await sql.fetchval(f"select count(*) from {table}") == 0


async def test_a_held_run_goes_on_once_it_is_confirmed(
    bench: Workbench, publisher: Publisher, sql: asyncpg.Connection
) -> None:
    run_id = await request(bench)

    async def stop() -> None:
        bench.stopping.set()

    await during(bench, publisher, run_id, stop)
    bench.stopping.clear()
    await sql.execute("delete from pgqueuer")
    await sql.execute("update connector_runs set state = 'held', held_because = 'it would change 11 %'")
    assert await service.do_run(bench, str(run_id)) is None, "it waits for a person"
    with pytest.raises(RunUnderWay):
        await request(bench)
    async with bench.database.write_sessions.begin() as session:
        run = await service.confirm_run(session, run_id, actor=SYSTEM)
        assert (run.state, run.confirmed, run.held_because) == (RunState.QUEUED, True, None)
    assert await jobs_of(sql) == [str(run_id)]
    publisher.scripts[FEED] = pages_of([service_of(n) for n in range(4)], 2)
    assert await service.do_run(bench, str(run_id)) is None
    assert (await run_of(sql, run_id))["state"] == "succeeded"


@pytest.mark.parametrize("jump", ["-1 hour", "1 hour"])
async def test_a_clock_that_jumps_leaves_no_run_behind(bench: Workbench, sql: asyncpg.Connection, jump: str) -> None:
    """Row I17: what a worker wrote an hour from now is as dead as what it wrote an hour ago."""
    run_id = await request(bench)
    sessions = bench.database.write_sessions
    assert isinstance(await take(sessions, run_id, LEASE), ConnectorRun)
    assert isinstance(await take(sessions, run_id, LEASE), timedelta), "while the lease runs, nobody takes it"
    await sql.execute(f"update connector_runs set lease_until = lease_until + interval '{jump}'")
    await sql.execute(
        f"update pgqueuer set status = 'picked', heartbeat = now() + interval '{jump}',"
        f" execute_after = now() + interval '{jump}'"
    )
    async with sessions.begin() as session:
        assert await service.wake_runs(session, LEASE) == 1
    async with sessions.begin() as session:
        assert await service.wake_runs(session, LEASE) == 0, "it has a job now"
    assert isinstance(await take(sessions, run_id, LEASE), ConnectorRun)


async def test_a_run_whose_job_is_lost_is_woken(bench: Workbench, sql: asyncpg.Connection) -> None:
    run_id = await request(bench)
    async with bench.database.write_sessions.begin() as session:
        assert await service.wake_runs(session, LEASE) == 0
    await sql.execute("delete from pgqueuer")
    async with bench.database.write_sessions.begin() as session:
        assert await service.wake_runs(session, LEASE) == 1
    assert await jobs_of(sql) == [str(run_id)]


async def test_connectors_are_due_by_their_source_or_as_admins_say(bench: Workbench, sql: asyncpg.Connection) -> None:
    assert await service.request_due(bench) == [SLUG], "from the first time on"
    assert await service.request_due(bench) == []
    [(trigger, state)] = [tuple(r) for r in await sql.fetch("select trigger, state from connector_runs")]
    assert (Trigger(trigger), RunState(state)) == (Trigger.SCHEDULE, RunState.QUEUED)
    assert await sql.fetchval("select due_at - now() from connector_schedules") > timedelta(hours=23)
    await sql.execute("update connector_schedules set due_at = now() - interval '3 days'")
    assert await service.request_due(bench) == [], "one at a time"
    assert await sql.fetchval("select due_at < now() from connector_schedules"), "it stays due"
    await sql.execute("update connector_runs set state = 'succeeded', finished_at = now()")
    await sql.execute("update connector_schedules set is_enabled = false")
    assert await service.request_due(bench) == []
    await sql.execute("update connector_schedules set is_enabled = true, every = '10 minutes'")
    assert await service.request_due(bench) == [SLUG]
    assert await sql.fetchval("select due_at - now() from connector_schedules") < timedelta(minutes=11)
