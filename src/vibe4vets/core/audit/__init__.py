"""Who did what, to what, when: append-only events, sealed into a hash chain."""

from vibe4vets.core.audit.listing import list_events
from vibe4vets.core.audit.models import ANONYMOUS, SYSTEM, Actor, ActorKind, Target
from vibe4vets.core.audit.recording import count_failure, record_event
from vibe4vets.core.audit.schemas import AuditEventQuery, AuditEventRead
from vibe4vets.core.audit.sealing import Sealed, keep_sealing, seal_all, seal_events
from vibe4vets.core.audit.verifying import Verdict, verify_chain

__all__ = [
    "ANONYMOUS",
    "SYSTEM",
    "Actor",
    "ActorKind",
    "AuditEventQuery",
    "AuditEventRead",
    "Sealed",
    "Target",
    "Verdict",
    "count_failure",
    "keep_sealing",
    "list_events",
    "record_event",
    "seal_all",
    "seal_events",
    "verify_chain",
]
