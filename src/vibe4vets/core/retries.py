"""Transactions that PostgreSQL gave up in favour of another, and that are right to try again."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from sqlalchemy.exc import DBAPIError

from vibe4vets.core.database import Database, Session, own_transaction
from vibe4vets.core.errors import sql_state

T = TypeVar("T")
MOST_RETRIES = 3
GIVEN_UP = frozenset({"40001", "40P01"})  # serialization failure, deadlock
_PAUSE_SECONDS = 0.05


async def in_transaction(database: Database, work: Callable[[Session], Awaitable[T]]) -> T:
    """Do `work` in a transaction of its own, again from the start when it loses a deadlock; at last that is a 503.

    `work` must do nothing that a rollback does not undo, for it may run up to four times.
    """
    retry = 0
    while True:
        try:
            async with own_transaction(database) as session:
                return await work(session)
        except DBAPIError as error:
            if sql_state(error) not in GIVEN_UP or retry == MOST_RETRIES:
                raise
        # two that lost to each other must not meet again
        await asyncio.sleep(random.uniform(0, _PAUSE_SECONDS * 2**retry))  # noqa: S311  no secret
        retry += 1
