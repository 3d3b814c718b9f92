"""Reading the chain again from its first seal, to find what was changed behind the service's back."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import text

from vibe4vets.core.audit.sealing import FIRST_PREVIOUS, event_digest, seal_hash
from vibe4vets.core.database import Session

# One snapshot: an event that is sealed meanwhile would be seen in both places, or in none.
_SNAPSHOT = text("set transaction isolation level repeatable read read only")
_SIZE = text("select count(*) from audit_seals")
_NEXT = text("select * from audit_seals where number > :after order by number limit 1")
_EVENTS = text("select * from audit_events where sequence = any(cast(:sequences as bigint[]))")
_VANISHED = text("""
select min(u.sequence) from audit_unsealed u
where not exists (select from audit_events e where e.sequence = u.sequence)
""")
_STRAY = text("""
select min(sequence) from (
  select sequence from audit_events
  except select unnest(sequences) from audit_seals
  except select sequence from audit_unsealed
) stray
""")
_WAITING = text("select count(*) from audit_unsealed")


@dataclass(slots=True)
class Verdict:
    """What a verification found: how much is sealed, and the first thing that is wrong (None: nothing)."""

    seals: int = 0
    events: int = 0
    waiting: int = 0
    head: str = FIRST_PREVIOUS
    fault: str | None = None
    hashes: set[str] = field(default_factory=set)


async def verify_chain(
    session: Session, *, known_head: str | None = None, progress: Callable[[int, int], None]
) -> Verdict:
    """Check every seal and event, in a new transaction of `session`.

    `known_head` is the hash of a seal that was seen before, and must still be there: whoever removes the end of the
    chain, or writes it anew, cannot bring it back. `progress` is told how many seals of how many are done.
    """
    await session.execute(_SNAPSHOT)
    total = (await session.execute(_SIZE)).scalar_one()
    verdict = Verdict(waiting=(await session.execute(_WAITING)).scalar_one())
    while seal := (await session.execute(_NEXT, {"after": verdict.seals})).one_or_none():
        verdict.fault = _broken_link(seal, verdict) or await _changed_event(session, seal)
        if verdict.fault:
            return verdict
        verdict.seals, verdict.head = seal.number, seal.hash
        verdict.events += len(seal.sequences)
        verdict.hashes.add(seal.hash)
        progress(verdict.seals, total)
    verdict.fault = await _outside_the_chain(session)
    if not verdict.fault and known_head is not None and known_head not in verdict.hashes:
        verdict.fault = f"No seal has the hash {known_head}: the chain was cut off or written anew."
    return verdict


def _broken_link(seal: Any, before: Verdict) -> str | None:  # noqa: ANN401  a row of the table
    if seal.number != before.seals + 1:
        return f"Seal {before.seals + 1} was removed."
    if seal.previous_hash != before.head or seal.hash != seal_hash(
        seal.number, seal.sequences, seal.digests, seal.previous_hash
    ):
        return f"Seal {seal.number} was altered (it is over the events from {seal.sequences[0]} on)."
    return None


async def _changed_event(session: Session, seal: Any) -> str | None:  # noqa: ANN401
    rows = {event.sequence: event for event in await session.execute(_EVENTS, {"sequences": seal.sequences})}
    for sequence, digest in zip(seal.sequences, seal.digests, strict=True):
        if sequence not in rows:
            return f"Event {sequence} was removed after seal {seal.number}."
        if event_digest(rows[sequence]) != digest:
            return f"Event {sequence} was altered after seal {seal.number}."
    return None


async def _outside_the_chain(session: Session) -> str | None:
    if vanished := (await session.execute(_VANISHED)).scalar_one():
        return f"Event {vanished} was removed before it was sealed."
    if stray := (await session.execute(_STRAY)).scalar_one():
        return f"Event {stray} was inserted past the queue: no seal is over it, and it awaits none."
    return None
