"""Reading an export: batch by batch, so that neither the directory's size nor a slow client costs anything.

Each batch takes a connection for one statement and gives it back before its bytes are sent. The order is that of the
ids: whatever is published from the first batch to the last is in the file once, whoever changes it meanwhile; and
ids are random, so that what a filter finds lies evenly and the planner's guess about a LIMIT holds.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import Uuid, bindparam, select

from vibe4vets.core.database import PublishedPool, Session, Statement
from vibe4vets.core.documents import etag_of
from vibe4vets.core.models import utc_now
from vibe4vets.core.pagination import SIZE
from vibe4vets.resources.models import published
from vibe4vets.resources.schemas import ExportQuery
from vibe4vets.resources.service.changes import state_of_changes
from vibe4vets.resources.service.exporting.formats import ExportFormat
from vibe4vets.resources.service.filters import find_near, list_conditions, values
from vibe4vets.resources.service.places import LivePlaces
from vibe4vets.resources.service.publishing import DOCUMENT_VERSION

BATCH: Final = 100
"""About 150 kB, of which a client that has stopped reading keeps two or three copies in memory."""
SLICE: Final = 50
"""So many documents are written in a few milliseconds; then other requests have their turn."""
AT_ONCE: Final = 2
"""However many clients take an export, so many batches are read for them at a time."""
P = published.c


class Exports:
    """The exports of one process. They wait for one another, and for no client: who reads slowly holds nothing."""

    def __init__(self, pool: PublishedPool) -> None:
        self._pool = pool
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def open(self, session: Session, query: ExportQuery, places: LivePlaces, form: ExportFormat) -> "Export":
        """The export of what `query` selects; raises InvalidRequest where `near` is no known place."""
        given = values(query, await find_near(session, query, places))
        state = await state_of_changes(session)
        statement = _statement(frozenset(given), query.include_national)
        return Export(self, statement, given, form, _tag(state, statement, given, form))

    async def read(self, statement: Statement, given: Mapping[str, Any], form: ExportFormat) -> "Batch":
        """One batch as text, written in slices."""
        async with self._turns:
            rows = await self._pool.fetch(statement.sql, statement.arguments(given))
            texts = []
            for start in range(0, len(rows), SLICE):
                texts.append(form.write([row.document for row in rows[start : start + SLICE]]))
                await asyncio.sleep(0)
        return Batch(len(rows), rows[-1].id if rows else None, form.separator.join(texts))


class Batch(NamedTuple):
    """A batch as text, and which was its last row."""

    size: int
    last: UUID | None
    text: str


@dataclass(frozen=True, slots=True)
class Export:
    """One file, not yet read."""

    exports: Exports
    statement: Statement
    given: Mapping[str, Any]
    form: ExportFormat
    etag: str

    @property
    def media_type(self) -> str:
        return self.form.media_type

    @property
    def file_name(self) -> str:
        return f"vibe4vets-resources.{self.form.extension}"

    async def chunks(self) -> AsyncGenerator[bytes]:
        """The bytes of the file, a batch at a time; raises as soon as one cannot be read."""
        head, after, size = self.form.opening, UUID(int=0), BATCH
        while size == BATCH:
            given = {**self.given, "after": after, "size": BATCH}
            size, last, text = await self.exports.read(self.statement, given, self.form)
            if last is not None:
                chunk = (head + text).encode()
                head, after, text = self.form.separator, last, ""  # while the client reads, its chunk alone is kept
                yield chunk
        # the separator that awaited another batch is not written after the last one
        yield (self.form.closing if after.int else head + self.form.closing).encode()


@lru_cache(maxsize=256)
def _statement(names: frozenset[str], include_national: bool) -> Statement:  # noqa: FBT001
    matching = select(P.id, P.document).where(*list_conditions(names, include_national=include_national))
    return Statement(matching.where(P.id > bindparam("after", type_=Uuid)).order_by(P.id).limit(SIZE))


def _tag(state: str, statement: Statement, given: Mapping[str, Any], form: ExportFormat) -> str:
    """A weak tag, for it costs one look and not the reading of the file.

    Between two changes the trust of the day alone moves, and a day is in the tag. What depends on the moment, such as
    `open_at=now`, has another tag each time.
    """
    parts = [state, utc_now().date(), DOCUMENT_VERSION, form.extension, statement.sql, sorted(given.items())]
    return f"W/{etag_of(json.dumps(parts, default=str))}"
