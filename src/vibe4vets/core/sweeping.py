"""What is kept for a time only goes by itself: counts of limits, idempotency keys."""

import asyncio
import logging
from datetime import timedelta

from vibe4vets.core.database import Database, own_transaction
from vibe4vets.core.idempotency import forget_keys
from vibe4vets.core.limits import Limits

INTERVAL = timedelta(minutes=10)
_log = logging.getLogger(__name__)


async def keep_sweeping(database: Database, limits: Limits, interval: timedelta = INTERVAL) -> None:
    """Sweep at intervals until cancelled; of several processes each does it, which finds little to do."""
    while True:
        await asyncio.sleep(interval.total_seconds())
        try:
            await limits.sweep()
            async with own_transaction(database) as session:
                await forget_keys(session)
        except Exception as error:  # noqa: BLE001  whatever it is, the next round must come
            _log.warning("nothing was swept: %s", type(error).__name__)
