"""The worker: does the runs of connectors, and what comes round by itself. `CHORES` is the place to add to.

What people are promised whether or not a worker runs stays with the service, in `core.sweeping`: contacts are erased.
"""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Final

import structlog

from vibe4vets.admin import service as admin
from vibe4vets.connectors import service as connectors
from vibe4vets.connectors.service.links import check_links
from vibe4vets.connectors.service.runs import RUN_JOB
from vibe4vets.core import jobs
from vibe4vets.core.config import Settings
from vibe4vets.core.database import Database, Session, connect, own_transaction
from vibe4vets.core.fetch import Fetcher
from vibe4vets.core.fetch.hosts import PostgresHosts
from vibe4vets.core.jobs import Chore, Workbench
from vibe4vets.core.migrations import schema_fault
from vibe4vets.resources import service as resources

STOPPED_AT_ONCE: Final = 128 + signal.SIGTERM
_UNWINDING_SECONDS: Final = 3.0
_log = structlog.get_logger()


async def _in_transaction(work: Callable[[Session], Awaitable[object]], bench: Workbench) -> None:
    async with own_transaction(bench.database) as session:
        await work(session)


async def _wake_runs(bench: Workbench) -> None:
    async with own_transaction(bench.database) as session:
        await connectors.wake_runs(session, bench.settings.jobs.lease)


async def _check_links(bench: Workbench) -> None:
    await check_links(bench.database, bench.fetcher, bench.settings.links)


async def _refresh_trust(bench: Workbench) -> None:
    await resources.refresh_trust(bench.database)


async def _refresh_worklist(bench: Workbench) -> None:
    await admin.refresh_worklist(bench.database)


# Name, when, what. The work of one transaction is `partial(_in_transaction, work)`; what needs several, or the
# fetcher, takes the bench.
CHORES: Final = (
    Chore("connectors.request_due", "* * * * *", connectors.request_due),
    Chore("connectors.wake_runs", "* * * * * */15", _wake_runs),
    Chore("connectors.check_links", "*/5 * * * *", _check_links),
    Chore("resources.refresh_trust", "0 4 * * *", _refresh_trust),
    Chore("admin.refresh_worklist", "20 * * * *", _refresh_worklist),
    Chore("resources.find_duplicates", "0 5 * * *", partial(_in_transaction, resources.find_duplicates)),
    Chore("resources.order_rows", "40 8 * * *", partial(_in_transaction, resources.order_rows)),
    Chore("jobs.forget", "30 3 * * *", partial(_in_transaction, jobs.forget_jobs)),
)
HANDLERS: Final = {RUN_JOB: connectors.do_run}


async def run_worker(settings: Settings, stopping: asyncio.Event) -> None:
    """Work until `stopping` is set, then stop at the next batch; what is not done is another worker's."""
    database = await connect(settings, statement_timeout=settings.database.bulk_statement_timeout)
    try:
        await _await_schema(database, stopping)
        async with Fetcher(settings.fetch, PostgresHosts(database.writes)) as fetcher:
            bench = Workbench(settings, database, fetcher, stopping)
            await _begin(bench)
            await jobs.work(bench, HANDLERS, CHORES)
    finally:
        await database.dispose()


async def _begin(bench: Workbench) -> None:
    """Weigh what to verify at once: a new installation would show an empty worklist for an hour."""
    if bench.stopping.is_set():
        return
    try:
        await _refresh_worklist(bench)
    except Exception as error:  # noqa: BLE001  the chore comes again, and says so if it fails
        _log.warning("chore failed", chore="admin.refresh_worklist", exc_info=error)


async def work_until_told(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT; the second one ends it at once, and the leases of its runs end by themselves."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _stop, stopping, loop)
    try:
        await run_worker(settings, stopping)
    except asyncio.CancelledError:
        raise SystemExit(STOPPED_AT_ONCE) from None


def _stop(stopping: asyncio.Event, loop: asyncio.AbstractEventLoop) -> None:
    if stopping.is_set():
        loop.call_later(_UNWINDING_SECONDS, os._exit, STOPPED_AT_ONCE)
        for task in asyncio.all_tasks(loop):
            task.cancel()
    stopping.set()


async def _await_schema(database: Database, stopping: asyncio.Event) -> None:
    """Wait for a schema of this version: a worker of another one would write what the service cannot read."""
    told = None
    while not stopping.is_set():
        try:
            async with own_transaction(database) as session:
                fault = await schema_fault(session)
        except Exception as error:  # noqa: BLE001  the database is not there yet
            fault = f"The database does not answer ({type(error).__name__})."
        if fault is None:
            return
        if fault != told:
            _log.warning("worker waits", reason=fault)
        told = fault
        with suppress(TimeoutError):
            async with asyncio.timeout(1):
                await stopping.wait()
