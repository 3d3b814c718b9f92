"""Sealing events into a hash chain, apart from the transactions that write them: no write waits on another.

A trigger queues each event in `audit_unsealed` within its own transaction. The sealing takes what it finds there,
so that an event whose transaction commits late, with a lower number than others, is simply of a later seal.
"""

import hashlib
from collections.abc import Sequence
from datetime import UTC
from typing import Any

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


async def seal_events(session: Session, *, size: int = BATCH) -> int:
    """Seal up to `size` events that await it, in this transaction; return how many, 0 while another one seals."""
    if not (await session.execute(_ALONE)).scalar_one():
        return 0
    events = sorted((await session.execute(_TAKE, {"size": size})).all(), key=lambda event: event.sequence)
    if not events:
        return 0
    last = (await session.execute(_LAST)).one_or_none()
    number, previous = (last.number + 1, last.hash) if last else (1, FIRST_PREVIOUS)
    sequences, digests = [event.sequence for event in events], [event_digest(event) for event in events]
    seal = {"number": number, "sequences": sequences, "digests": digests, "previous_hash": previous}
    await session.execute(_SEAL, {**seal, "hash": seal_hash(number, sequences, digests, previous)})
    return len(events)


def event_digest(event: Any) -> bytes:  # noqa: ANN401  a row of the table's columns
    """SHA-256 of everything that an event says."""
    said = {name: getattr(event, name) for name in _FIELDS}
    said["at"] = event.at.astimezone(UTC).isoformat(timespec="microseconds")
    return hashlib.sha256(canonical(said)).digest()


def seal_hash(number: int, sequences: Sequence[int], digests: Sequence[bytes], previous: str) -> str:
    """SHA-256 of a seal and, through `previous`, of all before it."""
    return hashlib.sha256(canonical([number, sequences, [digest.hex() for digest in digests], previous])).hexdigest()


async def seal_all(database: Database) -> int:
    """Seal everything that awaits it, a batch a transaction, and forget failures of more than 30 days ago."""
    sealed = 0
    while True:
        async with own_transaction(database) as session:
            count = await seal_events(session)
        sealed += count
        if count < BATCH:
            break
    async with own_transaction(database) as session:
        await session.execute(_SWEEP)
    return sealed
