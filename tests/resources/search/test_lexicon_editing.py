"""The lexicon in the hands of administrators: live at once, versioned, safe from the project's own file."""

from uuid import uuid4

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from vibe4vets.core.audit import SYSTEM
from vibe4vets.core.database import Session
from vibe4vets.core.preconditions import IfMatch, PreconditionFailed
from vibe4vets.resources.exceptions import EntryNotFound, PhraseTaken
from vibe4vets.resources.models import EntryKind
from vibe4vets.resources.schemas import LexiconEntryIntake, LexiconEntryRead, LexiconEntryUpdate, LexiconQuery
from vibe4vets.resources.service.search import seed_lexicon
from vibe4vets.resources.service.search.editing import (
    create_entry,
    delete_entry,
    get_entry,
    list_entries,
    update_entry,
)

ANY = IfMatch(frozenset({"*"}))


def entry(phrase: str, **codes: float) -> LexiconEntryIntake:
    return LexiconEntryIntake.model_validate(
        {"phrase": phrase, "codes": {code.replace("_", "-"): weight for code, weight in codes.items()}}
    )


def update(**fields: object) -> LexiconEntryUpdate:
    return LexiconEntryUpdate.model_validate(fields)


async def phrases(session: Session, app: FastAPI, **query: object) -> list[str]:
    """The phrases of a list."""
    page = await list_entries(session, LexiconQuery.model_validate(query), app.state.cursors)
    return [LexiconEntryRead.model_validate_json(document).phrase for document in page.documents]


async def test_an_entry_is_written_changed_and_retired(session: Session, app: FastAPI) -> None:
    made = await create_entry(session, entry("Grüner Zettel!", legal_aid=1), actor=SYSTEM)
    assert (made.phrase, made.version, made.kind) == ("gruner zettel", 1, EntryKind.NEED)
    with pytest.raises(PhraseTaken):
        await create_entry(session, entry("gruner zettel", dental=1), actor=SYSTEM)
    with pytest.raises(PreconditionFailed):
        await update_entry(session, made.id, update(codes={"dental": 1}), IfMatch(frozenset({'"x"'})), actor=SYSTEM)
    changed = await update_entry(session, made.id, update(codes={"dental": 0.5}), ANY, actor=SYSTEM)
    assert (changed.codes, changed.version, changed.phrase) == ({"dental": 0.5}, 2, "gruner zettel")
    with pytest.raises(PhraseTaken):
        await update_entry(session, made.id, update(phrase="eviction"), ANY, actor=SYSTEM)
    assert await phrases(session, app, q="ZETTEL") == ["gruner zettel"]
    await delete_entry(session, made.id, ANY, actor=SYSTEM)
    assert await phrases(session, app, q="zettel") == []
    for missing in (made.id, uuid4()):
        with pytest.raises(EntryNotFound):
            await get_entry(session, missing)
    assert (await create_entry(session, entry("gruner zettel", mst=1), actor=SYSTEM)).version == 4


async def test_the_projects_file_leaves_what_administrators_wrote(
    session: Session, app: FastAPI, sql: asyncpg.Connection
) -> None:
    changed, retired = [
        await sql.fetchval("select id from lexicon_entries where phrase = $1", phrase)
        for phrase in ("eviction", "toothache")
    ]
    await update_entry(session, changed, update(codes={"dental": 1}), ANY, actor=SYSTEM)
    await delete_entry(session, retired, ANY, actor=SYSTEM)
    await seed_lexicon(session)
    assert (await get_entry(session, changed)).codes == {"dental": 1}
    assert await phrases(session, app, q="toothache") == []


async def test_what_the_projects_file_lost_goes_and_what_it_changed_is_brought(
    session: Session, sql: asyncpg.Connection
) -> None:
    await sql.execute("update lexicon_entries set codes = '{}', official_words = '' where phrase = 'eviction'")
    await sql.execute("update lexicon_entries set phrase = 'of an older file' where phrase = 'toothache'")
    await seed_lexicon(session)
    await session.commit()
    assert (
        await sql.fetchval("select codes ->> 'rent-assistance' from lexicon_entries where phrase = 'eviction'") == "1.0"
    )
    assert await sql.fetchval("select count(*) from lexicon_entries where phrase = 'of an older file'") == 0
    assert await sql.fetchval("select count(*) from lexicon_entries where phrase = 'toothache'") == 1


async def test_a_change_is_live_with_the_next_search(client: httpx.AsyncClient, sql: asyncpg.Connection) -> None:
    before = (await client.get("/api/v1/search?q=flurbish")).json()
    assert before["interpretation"]["fallback"] is True
    await sql.execute("""
        insert into lexicon_entries (phrase, kind, language, codes, official_words, origin, is_retired, version)
        values ('flurbish', 'need', 'en', '{"legal-aid": 1}', '', 'admin', false, 1)
    """)
    after = (await client.get("/api/v1/search?q=flurbish")).json()
    assert after["interpretation"]["fallback"] is False
    assert all("legal-aid" in hit["resource"]["tags"] for hit in after["items"][:5])


async def test_a_word_published_a_moment_ago_is_no_slip(client: httpx.AsyncClient, sql: asyncpg.Connection) -> None:
    wrong = (await client.get("/api/v1/search?q=houssing")).json()
    assert wrong["interpretation"]["corrected"] == "housing"
    await sql.execute("insert into search_words values ('houssing', 'hous', 1)")
    right = (await client.get("/api/v1/search?q=houssing")).json()
    assert right["interpretation"]["corrected"] is None
    assert right["items"]
