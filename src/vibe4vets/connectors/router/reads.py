"""HTTP for what staff read of connectors and their runs."""

from typing import Annotated
from uuid import UUID

from fastapi import Path, Query, Request, Response

from vibe4vets.auth.dependencies import SettingsDep, get_staff, guarded_router
from vibe4vets.connectors import service
from vibe4vets.connectors.dependencies import ConnectorName, CurrentConnector
from vibe4vets.connectors.exceptions import ConnectorNotFound, RunNotFound
from vibe4vets.connectors.schemas import (
    ConnectorRead,
    MappingQuery,
    MappingRead,
    QuarantinedRead,
    QuarantineQuery,
    RunQuery,
    RunRead,
    RunSummary,
    examples,
)
from vibe4vets.core.database import SessionDep
from vibe4vets.core.errors import problem_responses
from vibe4vets.core.http import private_page, success
from vibe4vets.core.pagination import CursorsDep, InvalidCursor, Page, PageQuery
from vibe4vets.core.schemas import Slug

router = guarded_router("connectors", get_staff, prefix="/connectors")
RunID = Annotated[UUID, Path(description="The `id` of a run.", examples=["6e1f0b52-3c35-4f0c-9f9c-0d6c1a7f2f44"])]
SourceName = Annotated[Slug, Path(description="The slug of a source.", examples=["county_franklin"])]


def connector_answer(found: tuple[ConnectorRead, int]) -> Response:
    """A connector with the ETag that a change of it names in `If-Match`."""
    connector, version = found
    headers = {"etag": service.settings_etag(version)}
    return Response(connector.model_dump_json(), headers=headers, media_type="application/json")


@router.get(
    "",
    summary="List connectors",
    response_model=Page[ConnectorRead],
    responses={**success("A page of connectors.", examples.CONNECTORS), **problem_responses(InvalidCursor)},
)
async def list_connectors(
    request: Request,
    session: SessionDep,
    settings: SettingsDep,
    cursors: CursorsDep,
    query: Annotated[PageQuery, Query()],
) -> Response:
    """List connectors by name: the source, the schedule, the last run, and how it does or what is in its way."""
    return private_page(request, await service.page_connectors(session, settings, query, cursors))


@router.get(
    "/runs/{run_id}",
    summary="Get a run",
    responses={**success("The run, as it is now.", examples.RUN), **problem_responses(RunNotFound)},
)
async def get_connector_run(session: SessionDep, run_id: RunID) -> RunRead:
    """Get a run: how far it is, what became of how many records, its plan with samples, and what ended it.

    To watch it, open a WebSocket at `/api/v1/connectors/runs/{run_id}/live` and send `{"token": "<access token>"}`
    within 5 seconds. Each message is the run as its list shows it, the first at once; a newer one takes the place of
    those that you have not read. Send a fresh token the same way before the old one expires. It closes with 1000 when
    the run has ended, 4401 without a good token, 4403 for a role that may not read it, 4404 where there is no such
    run, 1013 when the service cannot tell now.
    """
    return await service.read_run(session, run_id)


@router.get(
    "/runs/{run_id}/quarantine",
    summary="List the refused records of a run",
    response_model=Page[QuarantinedRead],
    responses={**success("A page of refused records.", examples.QUARANTINE), **problem_responses(RunNotFound)}
    | problem_responses(InvalidCursor),
)
async def list_quarantine(
    request: Request,
    session: SessionDep,
    cursors: CursorsDep,
    run_id: RunID,
    query: Annotated[QuarantineQuery, Query()],
) -> Response:
    """List the records that a run has refused, with line, reason and content, for whoever corrects them."""
    return private_page(request, await service.list_quarantine(session, run_id, query, cursors))


@router.get(
    "/mappings/{source}",
    summary="Get the column mapping of a source",
    responses=success("The mapping.", examples.MAPPING),
)
async def get_mapping(session: SessionDep, source: SourceName, query: Annotated[MappingQuery, Query()]) -> MappingRead:
    """Tell what each `header` of a spreadsheet would be read as, and what is saved for the source.

    What an upload names in `columns` is saved, and used for the next file of the source that has such a header.
    """
    return await service.read_mapping(session, source, query.header)


@router.get(
    "/{name}",
    summary="Get a connector",
    response_model=ConnectorRead,
    responses={**success("The connector.", examples.CONNECTOR), **problem_responses(ConnectorNotFound)},
)
async def get_connector(session: SessionDep, connector: CurrentConnector) -> Response:
    """Get one connector, with the `ETag` that a change of its settings names in `If-Match`."""
    return connector_answer(await service.get_connector(session, connector))


@router.get(
    "/{name}/runs",
    summary="List the runs of a connector",
    response_model=Page[RunSummary],
    responses={
        **success("A page of runs.", examples.RUNS),
        **problem_responses(ConnectorNotFound),
        **problem_responses(InvalidCursor),
    },
)
async def list_connector_runs(  # noqa: PLR0913, PLR0917  a signature of a route is what it needs
    request: Request,
    session: SessionDep,
    settings: SettingsDep,
    cursors: CursorsDep,
    name: ConnectorName,
    query: Annotated[RunQuery, Query()],
) -> Response:
    """List the runs of a connector, the newest first; also those of a source whose files were uploaded."""
    return private_page(request, await service.list_runs(session, settings, name, query, cursors))
