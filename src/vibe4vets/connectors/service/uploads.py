"""Uploaded files: looked through at once, then kept in the database in pieces until their run has ended."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import async_sessionmaker

from vibe4vets.auth.principals import Principal
from vibe4vets.connectors.base import OtherKindError, Source, SourceError, printable
from vibe4vets.connectors.exceptions import OtherKind, UnusableFile
from vibe4vets.connectors.models import ConnectorRun, Format, Policy, Trigger, UploadedFile, UploadedPart
from vibe4vets.connectors.schemas import ImportRequest, RunRead
from vibe4vets.connectors.service.files import check_documents, check_spreadsheet, format_of, open_file
from vibe4vets.connectors.service.mappings import save_mapping, saved_mapping
from vibe4vets.connectors.service.reading import read_run
from vibe4vets.connectors.service.runs import request_run
from vibe4vets.connectors.sources.records import RecordFile
from vibe4vets.core.database import Session

PART_BYTES: Final = 512 * 1024
_NAMELESS: Final = RecordFile.about.slug
_FOLDERS: Final = re.compile(r"^.*[/\\]", re.DOTALL)
_PART = text("select content from uploaded_parts where run_id = :run_id and number = :number")


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file as it came: `name` is whatever its sender says."""

    content: BinaryIO
    name: str

    @property
    def subject(self) -> str:
        """The name for people: the last part of it, without anything that could mislead (row G6)."""
        return printable(_FOLDERS.sub("", self.name))


async def request_import(session: Session, given: ImportRequest, file: SentFile, *, admin: Principal) -> RunRead:
    """Check `file`, keep it and queue the run that imports it, all in one transaction.

    Columns that are named are kept for the next file of the source. Raises UnusableFile, OtherKind and RunUnderWay.
    """
    try:
        kind, columns = await _look_through(session, given, file.content)
    except OtherKindError as error:
        raise OtherKind(str(error)) from error
    except SourceError as error:
        raise UnusableFile(str(error)) from error
    run_id = await request_run(
        session,
        given.source or _NAMELESS,
        subject=file.subject,
        policy=Policy.PUBLISH if given.publish else Policy.REVIEW,
        trigger=Trigger.UPLOAD,
        actor=admin.actor,
        dry_run=given.dry_run,
    )
    described = UploadedFile(
        run_id=run_id, source=given.source, format=kind, encoding=given.encoding, columns=dict(columns)
    )
    await store_upload(session, described, file.content)
    if given.source is not None and not given.dry_run:
        await save_mapping(session, given.source, given.columns)
    return await read_run(session, run_id)


async def _look_through(session: Session, given: ImportRequest, content: BinaryIO) -> tuple[Format, Mapping[str, str]]:
    """What the file is, and the fields of its columns as far as somebody has named them; SourceError with advice."""
    kind: Format = await asyncio.to_thread(format_of, content) if given.format is None else given.format
    columns: Mapping[str, str] = {}
    if kind is Format.CSV:
        saved = {} if given.source is None else await saved_mapping(session, given.source)
        look = partial(check_spreadsheet, content, given.encoding, chosen=given.columns, saved=saved)
        columns = (await asyncio.to_thread(look)).chosen
    else:
        await asyncio.to_thread(check_documents, content, kind)
        if given.encoding or given.columns:
            message = f"Only a spreadsheet has an encoding and columns, and this file is {kind.value}: leave them out"
            raise SourceError(message)
    if given.source is None and kind is not Format.NDJSON:
        message = f"Name the source of these records, such as county_franklin: {kind.value} files name none"
        raise SourceError(message)
    return kind, columns


async def store_upload(session: Session, described: UploadedFile, file: BinaryIO) -> None:
    """Keep `file` for the run that `described` names, a piece at a time, in the request's transaction."""
    session.add(described)
    await session.flush()
    file.seek(0)
    number = 0
    while content := await asyncio.to_thread(file.read, PART_BYTES):
        part = UploadedPart(run_id=described.run_id, number=number, content=content)
        session.add(part)
        await session.flush()
        session.expunge(part)
        number += 1


@asynccontextmanager
async def open_upload(sessions: async_sessionmaker[Session], run: ConnectorRun) -> AsyncIterator[Source]:
    """The file that `run` was requested with, as a source; its copy on disk is gone afterwards.

    SourceError when there is none, for a run that has ended keeps none.
    """
    async with sessions() as session:
        described = await session.get(UploadedFile, run.id)
        if described is None:
            message = "The uploaded file is gone: upload it again"
            raise SourceError(message)
    with TemporaryDirectory(prefix="vibe4vets-upload-") as folder:
        path = Path(folder) / "upload"  # never the name that came with it (row G6)
        await _fetch(sessions, run.id, path)
        source = open_file(
            path, described.format, described.source, encoding=described.encoding, columns=described.columns
        )
        source.subject = run.subject
        yield source


async def _fetch(sessions: async_sessionmaker[Session], run_id: UUID, path: Path) -> None:
    async with sessions() as session:
        with path.open("wb") as file:
            number = 0
            while content := await session.scalar(_PART, {"run_id": run_id, "number": number}):
                await asyncio.to_thread(file.write, content)
                number += 1
