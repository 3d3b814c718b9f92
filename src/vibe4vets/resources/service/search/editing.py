"""The lexicon as administrators edit it. Every change is live in every process with the next search."""

from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Text, any_, bindparam, cast, func
from sqlalchemy import select as select_columns
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from vibe4vets.core.audit import Actor, Target, record_event
from vibe4vets.core.database import Session, violates
from vibe4vets.core.documents import etag_of
from vibe4vets.core.errors import InvalidRequest, Violation
from vibe4vets.core.pagination import Cursors, Listing, Order, Slice
from vibe4vets.core.preconditions import IfMatch
from vibe4vets.resources.exceptions import EntryNotFound, PhraseTaken
from vibe4vets.resources.models import ONE_PHRASE, EntryOrigin, LexiconEntry, TaxonomyTerm, lexicon_entries
from vibe4vets.resources.schemas import LexiconEntryIntake, LexiconEntryRead, LexiconEntryUpdate, LexiconQuery

E = lexicon_entries.c
_TEXTS = ARRAY(Text)
_CONDITIONS: dict[str, ColumnElement[bool]] = {
    "q": func.strpos(E.phrase, bindparam("q", type_=Text)) > 0,
    "kind": cast(E.kind, Text) == any_(bindparam("kind", type_=_TEXTS)),
    "code": E.codes.op("?|")(bindparam("code", type_=_TEXTS)),
}
_BY_PHRASE = Order((E.phrase, E.id), (str, UUID))


async def list_entries(session: Session, query: LexiconQuery, cursors: Cursors) -> Slice:
    """Return one page of the entries that match `query`, by phrase; retired ones are left out."""
    given = {name: value for name in _CONDITIONS if (value := getattr(query, name))}
    found = await _listing(frozenset(given)).read(session, query, cursors, given)
    return found.slice(lambda row: LexiconEntryRead.model_validate(row).model_dump_json())


@lru_cache(maxsize=8)
def _listing(names: AbstractSet[str]) -> Listing:
    matching = select_columns(*E).where(E.is_retired.is_(False), *(_CONDITIONS[name] for name in sorted(names)))
    return Listing(matching, _BY_PHRASE)


async def get_entry(session: Session, entry_id: UUID) -> LexiconEntryRead:
    """Return the entry; raises EntryNotFound, for retired ones too."""
    return LexiconEntryRead.model_validate(await _get(session, entry_id))


async def create_entry(session: Session, data: LexiconEntryIntake, *, actor: Actor) -> LexiconEntryRead:
    """Write an entry; raises PhraseTaken if one has the phrase. A retired one of that phrase comes back."""
    await _require_terms(session, data.codes)
    found = (
        await session.exec(select(LexiconEntry).where(LexiconEntry.phrase == data.phrase).with_for_update())
    ).one_or_none()
    if found is not None and not found.is_retired:
        raise PhraseTaken
    entry = found or LexiconEntry(**data.model_dump(), origin=EntryOrigin.ADMIN)
    changes = data.model_dump() if found is not None else None
    return await _write(session, "lexicon.create", entry, changes, actor=actor)


async def update_entry(
    session: Session, entry_id: UUID, data: LexiconEntryUpdate, match: IfMatch, *, actor: Actor
) -> LexiconEntryRead:
    """Change what `data` sets; raises EntryNotFound, PreconditionFailed or PhraseTaken."""
    entry, before = await _lock(session, entry_id, match)
    changes = data.model_dump()
    await _require_terms(session, changes.get("codes", {}))
    if all(getattr(entry, name) == value for name, value in changes.items()):
        return before
    return await _write(session, "lexicon.update", entry, changes, actor=actor, before=before)


async def delete_entry(session: Session, entry_id: UUID, match: IfMatch, *, actor: Actor) -> None:
    """Retire the entry; raises EntryNotFound or PreconditionFailed.

    It stays, so that the project's own file brings it not back.
    """
    entry, before = await _lock(session, entry_id, match)
    await _write(session, "lexicon.delete", entry, {"is_retired": True}, actor=actor, before=before)


async def _get(session: Session, entry_id: UUID, *, to_write: bool = False) -> LexiconEntry:
    entry = await session.get(LexiconEntry, entry_id, with_for_update=to_write)
    if entry is None or entry.is_retired:
        raise EntryNotFound
    return entry


async def _lock(session: Session, entry_id: UUID, match: IfMatch) -> tuple[LexiconEntry, LexiconEntryRead]:
    """The entry, locked, as long as it is what the administrator has seen."""
    entry = await _get(session, entry_id, to_write=True)
    before = LexiconEntryRead.model_validate(entry)
    match.require(etag_of(before.model_dump_json()))
    return entry, before


async def _require_terms(session: Session, codes: dict[str, float]) -> None:
    """See that every code but those of audiences is a term: a misspelt one would lead nowhere, and tell nobody."""
    names = [code for code in codes if not code.startswith("e:")]
    known = (
        set(await session.exec(select(TaxonomyTerm.code).where(col(TaxonomyTerm.code).in_(names)))) if names else set()
    )
    if unknown := [name for name in names if name not in known]:
        advice = f"{len(unknown)} of the codes are no terms of the taxonomy"
        raise InvalidRequest(errors=[Violation(pointer="/body/codes", code="unknown_term", message=advice)])


async def _write(  # noqa: PLR0913  a change, and what its event tells
    session: Session,
    action: str,
    entry: LexiconEntry,
    changes: dict[str, Any] | None,
    *,
    actor: Actor,
    before: LexiconEntryRead | None = None,
) -> LexiconEntryRead:
    """Store a new entry, or `changes` of one that is there; a retired one is back unless they retire it."""
    try:
        async with session.begin_nested():
            if changes is not None:
                entry.sqlmodel_update({"is_retired": False, **changes})
                entry.origin, entry.version = EntryOrigin.ADMIN, entry.version + 1
            session.add(entry)
    except IntegrityError as error:
        if violates(error, ONE_PHRASE):
            raise PhraseTaken from error
        raise
    written = LexiconEntryRead.model_validate(entry)
    after = None if entry.is_retired else written
    target = Target("lexicon_entry", str(entry.id))
    await record_event(session, action, actor=actor, target=target, before=before, after=after)
    return written
