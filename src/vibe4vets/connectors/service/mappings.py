"""What the columns of a source's spreadsheets are: suggested from their headers, or said once by somebody."""

from collections.abc import Mapping, Sequence

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import select

from vibe4vets.connectors.models import ColumnMapping
from vibe4vets.connectors.schemas import ColumnRead, MappingRead
from vibe4vets.connectors.sources.spreadsheet.columns import FIELDS, IGNORED, suggest_fields
from vibe4vets.core.database import Session


async def saved_mapping(session: Session, source: str) -> dict[str, str]:
    """The field of each header that somebody has named for this source."""
    statement = select(ColumnMapping).where(ColumnMapping.source == source).order_by(ColumnMapping.header)
    return {mapping.header: mapping.field for mapping in await session.exec(statement)}


async def save_mapping(session: Session, source: str, columns: Mapping[str, str]) -> None:
    """Keep the fields of these headers; what is known of others stays."""
    rows = [{"source": source, "header": header, "field": field} for header, field in sorted(columns.items())]
    if rows:
        statement = insert(ColumnMapping).values(rows)
        known = statement.on_conflict_do_update(
            index_elements=["source", "header"], set_={"field": statement.excluded.field}
        )
        await session.execute(known)


async def read_mapping(session: Session, source: str, headers: Sequence[str]) -> MappingRead:
    """What the headers would be read as, and what is saved of the source beside them."""
    saved = await saved_mapping(session, source)
    suggested = suggest_fields(headers)
    columns = [
        ColumnRead(header=header, suggested=suggested.get(header), saved=saved.get(header))
        for header in dict.fromkeys((*headers, *saved))
    ]
    return MappingRead(source=source, columns=columns, fields=sorted({*FIELDS, IGNORED}))
