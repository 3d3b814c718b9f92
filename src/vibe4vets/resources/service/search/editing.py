"""The lexicon as administrators edit it. Every change is live in every process with the next search."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from vibe4vets.core.database import Session, violates
from vibe4vets.resources.exceptions import EntryChanged, EntryNotFound, PhraseTaken
from vibe4vets.resources.models import ONE_PHRASE, EntryOrigin, LexiconEntry
from vibe4vets.resources.schemas import LexiconEntryIntake


async def list_entries(session: Session, *, containing: str = "", limit: int = 100) -> Sequence[LexiconEntry]:
    """The entries whose phrase contains a text, by phrase; retired ones are left out."""
    matching = select(LexiconEntry).where(col(LexiconEntry.is_retired).is_(False))
    if containing:
        matching = matching.where(col(LexiconEntry.phrase).contains(containing, autoescape=True))
    return (await session.exec(matching.order_by(LexiconEntry.phrase).limit(limit))).all()


async def get_entry(session: Session, entry_id: UUID) -> LexiconEntry:
    """The entry with its row locked until the request ends; raises EntryNotFound, for retired ones too."""
    entry = await session.get(LexiconEntry, entry_id, with_for_update=True)
    if entry is None or entry.is_retired:
        raise EntryNotFound
    return entry


async def create_entry(session: Session, data: LexiconEntryIntake) -> LexiconEntry:
    """Write an entry; raises PhraseTaken if one has the phrase. A retired one of that phrase comes back."""
    found = (
        await session.exec(select(LexiconEntry).where(LexiconEntry.phrase == data.phrase).with_for_update())
    ).one_or_none()
    if found is not None:
        if not found.is_retired:
            raise PhraseTaken
        return await _write(session, found, data)
    entry = LexiconEntry(**data.model_dump(), origin=EntryOrigin.ADMIN)
    try:
        async with session.begin_nested():
            session.add(entry)
    except IntegrityError as error:
        if violates(error, ONE_PHRASE):
            raise PhraseTaken from error
        raise
    return entry


async def update_entry(session: Session, entry_id: UUID, data: LexiconEntryIntake, *, version: int) -> LexiconEntry:
    """Replace an entry that is still of `version`; raises EntryNotFound, EntryChanged or PhraseTaken."""
    entry = await get_entry(session, entry_id)
    if entry.version != version:
        raise EntryChanged
    try:
        async with session.begin_nested():
            return await _write(session, entry, data)
    except IntegrityError as error:
        if violates(error, ONE_PHRASE):
            raise PhraseTaken from error
        raise


async def delete_entry(session: Session, entry_id: UUID, *, version: int) -> None:
    """Retire an entry that is still of `version`. It stays, so that the project's own file brings it not back."""
    entry = await get_entry(session, entry_id)
    if entry.version != version:
        raise EntryChanged
    entry.is_retired, entry.origin, entry.version = True, EntryOrigin.ADMIN, entry.version + 1
    await session.flush()


async def _write(session: Session, entry: LexiconEntry, data: LexiconEntryIntake) -> LexiconEntry:
    entry.sqlmodel_update(data.model_dump())
    entry.is_retired, entry.origin, entry.version = False, EntryOrigin.ADMIN, entry.version + 1
    await session.flush()
    return entry
