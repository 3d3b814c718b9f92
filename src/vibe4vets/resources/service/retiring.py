"""What no source has any longer, and what comes back: many resources at once, each with a revision."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text

from vibe4vets.core.database import Session
from vibe4vets.resources.service.history import Deed, record_revisions
from vibe4vets.resources.service.publishing import withdraw_resources

_ARCHIVE_DRAFTS = text("""
update resources set status = 'archived', version = version + 1, updated_at = now()
where id = any(cast(:ids as uuid[])) and status = 'draft'
""")
_REVIVE = text("""
update resources set status = 'draft', version = version + 1, updated_at = now()
where id = any(cast(:ids as uuid[])) and status = 'archived'
""")


async def retire_resources(session: Session, ids: Sequence[UUID], deed: Deed) -> None:
    """Archive `ids`, whose rows are locked and not archived: out of every public read, restorable as any other."""
    if ids:
        await session.execute(_ARCHIVE_DRAFTS, {"ids": ids})
        await withdraw_resources(session, ids)
        await record_revisions(session, ids, deed)


async def revive_resources(session: Session, ids: Sequence[UUID]) -> None:
    """Make drafts of archived `ids`; whoever goes on to publish them or not keeps the revision."""
    if ids:
        await session.execute(_REVIVE, {"ids": ids})
