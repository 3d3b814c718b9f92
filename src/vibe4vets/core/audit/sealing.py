"""Sealing events into a hash chain, apart from the transactions that write them: no write waits on another.

A trigger queues each event in `audit_unsealed` within its own transaction. The sealing takes what it finds there,
so that an event whose transaction commits late, with a lower number than others, is simply of a later seal.
"""

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import Any

import structlog
from sqlalchemy import text

from vibe4vets.core.audit.models import AuditEvent
from vibe4vets.core.audit.recording import canonical
from vibe4vets.core.database import Database, Session, own_transaction

BATCH = 1000
FIRST_PREVIOUS = "0" * 64
_ALONE = text("select pg_try_advisory_xact_lock(hashtext('vibe4vets audit'), hashtext('seal'))")
_FIELDS = tuple(AuditEvent.model_fields)

# An event that has vanished stays in the queue, where the verification finds it.
_TAKE = text("""
delete from audit_unsealed u using audit_events e
where e.sequence = u.sequence and u.sequence in (select sequence from audit_unsealed order by sequence limit :size)
returning e.*
""")
_LAST = text("select number, hash from audit_seals order by number desc limit 1")
_SEAL = text("""
insert into audit_seals (number, sequences, digests, previous_hash, hash)
values (:number, cast(:sequences as bigint[]), cast(:digests as bytea[]), :previous_hash, :hash)
""")
_SWEEP = text("delete from audit_failures where minute < now() - interval '30 days'")


_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Sealed:
    """A new seal: its number in the chain, its hash, and how many events it is over."""

    number: int
    head: str
    events: int


async def seal_events(session: Session, *, size: int = BATCH) -> Sealed | None:
    """Seal up to `size` events in this transaction; None when none awaits it, or another one is sealing."""
    if not (await session.execute(_ALONE)).scalar_one():
        return None
    events = sorted((await session.execute(_TAKE, {"size": size})).all(), key=lambda event: event.sequence)
    if not events:
        return None
    last = (await session.execute(_LAST)).one_or_none()
    number, previous = (last.number + 1, last.hash) if last else (1, FIRST_PREVIOUS)
    sequences, digests = [event.sequence for event in events], [event_digest(event) for event in events]
    seal = {"number": number, "sequences": sequences, "digests": digests, "previous_hash": previous}
    head = seal_hash(number, sequences, digests, previous)
    await session.execute(_SEAL, {**seal, "hash": head})
    return Sealed(number, head, len(events))


def event_digest(event: Any) -> bytes:  # noqa: ANN401  a row of the table's columns
    """SHA-256 of everything that an event says."""
    said = {name: getattr(event, name) for name in _FIELDS}
    said["at"] = event.at.astimezone(UTC).isoformat(timespec="microseconds")
    return hashlib.sha256(canonical(said)).digest()


def seal_hash(number: int, sequences: Sequence[int], digests: Sequence[bytes], previous: str) -> str:
    """SHA-256 of a seal and, through `previous`, of all before it."""
    return hashlib.sha256(canonical([number, sequences, [digest.hex() for digest in digests], previous])).hexdigest()


async def seal_all(database: Database) -> int:
    """Seal everything that awaits it, a batch a transaction; forget failures of more than 30 days ago."""
    total = 0
    while True:
        async with own_transaction(database) as session:
            sealed = await seal_events(session)
        if sealed is None:
            break
        # told once it is committed: a log kept elsewhere holds the head that the chain must still have later
        _log.info("audit sealed", seal=sealed.number, head=sealed.head, count=sealed.events)
        total += sealed.events
    async with own_transaction(database) as session:
        await session.execute(_SWEEP)
    return total


async def keep_sealing(database: Database, interval: timedelta, tell: Callable[[int], None]) -> None:
    """Seal at intervals until cancelled, and `tell` how many; of several processes the first to come does it."""
    failing = False
    while True:
        await asyncio.sleep(interval.total_seconds())
        try:
            tell(await seal_all(database))
        except Exception as error:  # noqa: BLE001  whatever it is, the next round must come
            if not failing:
                _log.warning("audit not sealed", exc_info=error)
            failing = True
        else:
            failing = False
