"""Writing events, each in the transaction of the act it tells of."""

import hashlib
import json
from collections.abc import Mapping

from pydantic_core import to_jsonable_python
from sqlalchemy import text

from vibe4vets.core.audit.models import Actor, Target
from vibe4vets.core.context import request_id
from vibe4vets.core.database import Session

_RECORD = text("""
insert into audit_events (
  actor_kind, actor_id, action, target_kind, target_id, before_hash, after_hash, request_id, details)
values (:actor_kind, :actor_id, :action, :target_kind, :target_id, :before_hash, :after_hash, :request_id,
  cast(:details as jsonb))
""")

_COUNT = text("""
insert into audit_failures as f (minute, action, reason, count)
values (date_trunc('minute', now()), :action, :reason, 1)
on conflict (minute, action, reason) do update set count = f.count + 1
""")


async def record_event(  # noqa: PLR0913  an event is all of these
    session: Session,
    action: str,
    *,
    actor: Actor,
    target: Target | None = None,
    before: object = None,
    after: object = None,
    details: Mapping[str, str] | None = None,
) -> None:
    """Add an event to the transaction of `session`: the act and its event are stored together, or neither.

    `action` is a noun and a verb (`resource.publish`). Of `before` and `after` (models, dicts, lists) only the
    SHA-256 of their canonical JSON is kept. `details` hold no personal data: no name, e-mail, address or free text.
    """
    await session.execute(
        _RECORD,
        {
            "actor_kind": actor.kind.value,
            "actor_id": actor.id,
            "action": action,
            "target_kind": target and target.kind,
            "target_id": target and target.id,
            "before_hash": content_hash(before),
            "after_hash": content_hash(after),
            "request_id": request_id.get(),
            "details": json.dumps(dict(details or {})),
        },
    )


async def count_failure(session: Session, action: str, *, reason: str) -> None:
    """Count what a stranger failed at, by the minute; `action` and `reason` are names of ours, never input.

    The caller commits at once (`own_transaction`): the row of the minute is locked until then.
    """
    await session.execute(_COUNT, {"action": action, "reason": reason})


def content_hash(content: object) -> str | None:
    """SHA-256 of `content` as canonical JSON, in hexadecimal; None for None."""
    return None if content is None else hashlib.sha256(canonical(content)).hexdigest()


def canonical(content: object) -> bytes:
    """The one spelling of `content` as JSON: keys sorted, no spaces."""
    plain = to_jsonable_python(content)
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
