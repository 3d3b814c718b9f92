"""What staff read of runs: lists, one with its plan, the records that it refused."""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Text, Uuid, bindparam, or_, select
from sqlmodel import SQLModel

from vibe4vets.connectors.exceptions import ConnectorNotFound, RunNotFound
from vibe4vets.connectors.models import ConnectorRun
from vibe4vets.connectors.registry import connectors
from vibe4vets.connectors.schemas import QuarantinedRead, QuarantineQuery, RunQuery, RunRead, RunSummary
from vibe4vets.core.config import Settings
from vibe4vets.core.database import Session
from vibe4vets.core.pagination import Cursors, Listing, Order, Slice

_RUNS = SQLModel.metadata.tables["connector_runs"].c
_REFUSED = SQLModel.metadata.tables["quarantined_records"].c
_STATE = bindparam("state", type_=Text)
_LIST_RUNS: Final = Listing(
    select(*(column for column in _RUNS if column.name not in {"plan", "warnings", "checkpoint"})).where(
        _RUNS.connector == bindparam("connector", type_=Text), or_(_STATE.is_(None), _RUNS.state.cast(Text) == _STATE)
    ),
    Order((_RUNS.created_at, _RUNS.id), (datetime.fromisoformat, UUID), descending=True),
)
_LIST_REFUSED: Final = Listing(
    select(_REFUSED.line, _REFUSED.reason, _REFUSED.source, _REFUSED.source_record_id, _REFUSED.content).where(
        _REFUSED.run_id == bindparam("run_id", type_=Uuid)
    ),
    Order((_REFUSED.line, _REFUSED.id), (int, UUID)),
)


async def get_run(session: Session, run_id: UUID) -> ConnectorRun:
    """The run; raises RunNotFound."""
    run = await session.get(ConnectorRun, run_id)
    if run is None:
        raise RunNotFound
    return run


async def read_run(session: Session, run_id: UUID) -> RunRead:
    """The run with its plan; raises RunNotFound."""
    return RunRead.of(await get_run(session, run_id))


async def list_runs(session: Session, settings: Settings, name: str, query: RunQuery, cursors: Cursors) -> Slice:
    """Return one page of the runs of a connector, or of a source whose files were uploaded; raises ConnectorNotFound
    where there is neither."""
    given = {"connector": name, "state": query.state and query.state.value}
    found = await _LIST_RUNS.read(session, query, cursors, given)
    if not found.matches and name not in connectors(settings) and not await _has_runs(session, name):
        raise ConnectorNotFound
    return found.slice(lambda row: RunSummary.of(ConnectorRun(**row._mapping)).model_dump_json())  # noqa: SLF001


async def list_quarantine(session: Session, run_id: UUID, query: QuarantineQuery, cursors: Cursors) -> Slice:
    """Return one page of the records that a run has refused; raises RunNotFound."""
    await get_run(session, run_id)
    found = await _LIST_REFUSED.read(session, query, cursors, {"run_id": run_id})
    return found.slice(lambda row: QuarantinedRead.model_validate(row).model_dump_json())


async def _has_runs(session: Session, name: str) -> bool:
    return await session.scalar(select(_RUNS.id).where(_RUNS.connector == name).limit(1)) is not None
