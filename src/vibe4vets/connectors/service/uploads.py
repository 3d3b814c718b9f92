"""Uploaded files: kept in the database in pieces from the request until their run has ended."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import async_sessionmaker

from vibe4vets.connectors.base import Source, SourceError
from vibe4vets.connectors.models import ConnectorRun, UploadedFile, UploadedPart
from vibe4vets.connectors.service.files import open_file
from vibe4vets.core.database import Session

PART_BYTES: Final = 512 * 1024
_PART = text("select content from uploaded_parts where run_id = :run_id and number = :number")


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
