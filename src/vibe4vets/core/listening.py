"""What PostgreSQL tells (LISTEN and NOTIFY), heard on one connection of the process, which comes back by itself."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import asyncpg
import structlog
from sqlalchemy import URL

from vibe4vets.core.config import DatabaseSettings
from vibe4vets.core.database import dedicated_connection

_PAUSE_SECONDS: Final = 1.0
_PROBE_SECONDS: Final = 10.0
_FAULTS: Final = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)
_log = structlog.get_logger()


async def keep_listening(
    url: URL, limits: DatabaseSettings, channel: str, *, heard: Callable[[str], None], begun: Callable[[], None]
) -> None:
    """Pass on every payload of `channel` until cancelled; `begun` whenever it begins anew, for what was missed."""
    while True:
        try:
            connection = await dedicated_connection(url, limits)
            try:
                await _listen(connection, channel, heard, begun)
            finally:
                connection.terminate()
        except _FAULTS as error:
            _log.warning("not listening", exc_info=error)
        await asyncio.sleep(_PAUSE_SECONDS)


async def _listen(
    connection: "asyncpg.Connection[asyncpg.Record]",
    channel: str,
    heard: Callable[[str], None],
    begun: Callable[[], None],
) -> None:
    lost = asyncio.Event()
    connection.add_termination_listener(lambda _connection: lost.set())
    await connection.add_listener(channel, lambda _connection, _pid, _channel, payload: heard(str(payload)))
    begun()
    while not lost.is_set():
        with suppress(TimeoutError):
            await asyncio.wait_for(lost.wait(), _PROBE_SECONDS)
        if not lost.is_set():
            await connection.execute("select")  # nobody would tell of a connection that died on the way
