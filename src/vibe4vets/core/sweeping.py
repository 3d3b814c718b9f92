"""What is kept for a time only goes by itself: counts of limits, idempotency keys, and what the domains name."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import TypeAlias

import structlog

from vibe4vets.core.database import Database, Session, own_transaction
from vibe4vets.core.idempotency import forget_keys
from vibe4vets.core.limits import Limits

Chore: TypeAlias = Callable[[Session], Awaitable[None]]
INTERVAL = timedelta(minutes=10)
_log = structlog.get_logger()


async def keep_sweeping(
    database: Database, limits: Limits, interval: timedelta = INTERVAL, *, chores: Sequence[Chore] = ()
) -> None:
    """Sweep at intervals until cancelled; of several processes each does it, which finds little to do.

    Each of the `chores` of other domains has a transaction of its own.
    """
    while True:
        await asyncio.sleep(interval.total_seconds())
        try:
            await limits.sweep()
            async with own_transaction(database) as session:
                await forget_keys(session)
            for chore in chores:
                async with own_transaction(database) as session:
                    await chore(session)
        except Exception as error:  # noqa: BLE001  whatever it is, the next round must come
            _log.warning("nothing swept", exc_info=error)
