"""HTTP for what admins do with connectors: set them, run them, decide what a run may do."""

from http import HTTPStatus
from typing import Annotated, Final

from fastapi import Body, Request, Response

from vibe4vets.auth.dependencies import Admin, get_admin, guarded_router
from vibe4vets.connectors import service
from vibe4vets.connectors.dependencies import CurrentConnector, SentImport
from vibe4vets.connectors.exceptions import (
    ConnectorNotFound,
    ConnectorOff,
    OtherKind,
    RunEnded,
    RunNotFound,
    RunNotHeld,
    RunUnderWay,
    UnusableFile,
)
from vibe4vets.connectors.router.reads import RunID, connector_answer
from vibe4vets.connectors.schemas import ConnectorRead, ConnectorUpdate, RunRead, RunRequest, examples
from vibe4vets.core.database import SessionDep
from vibe4vets.core.errors import problem_responses
from vibe4vets.core.http import IDEMPOTENT, Limited, UploadRoute, success
from vibe4vets.core.http.preconditions import IfMatchDep
from vibe4vets.core.limits import TooManyRequests
from vibe4vets.core.preconditions import PreconditionFailed, PreconditionRequired

router = guarded_router("connectors", get_admin, prefix="/connectors")
uploads = guarded_router("connectors", get_admin, prefix="/connectors", route_class=UploadRoute)
_AS_IT_IS: Final = RunRequest()
_FORM: Final = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "additionalProperties": False,
                    "properties": {
                        "file": {
                            "type": "string",
                            "contentMediaType": "application/octet-stream",
                            "description": "The file: at most 10 MiB and 50,000 rows of 64 columns.",
                        },
                        "source": {
                            "type": "string",
                            "maxLength": 64,
                            "pattern": "^[a-z0-9]+(?:[_-][a-z0-9]+)*$",
                            "description": "The source that the records belong to; record files name their own.",
                            "examples": ["county_franklin"],
                        },
                        "format": {
                            "type": "string",
                            "enum": ["csv", "ndjson", "hsds"],
                            "description": "Left out: what the content looks like.",
                        },
                        "encoding": {
                            "type": "string",
                            "enum": ["utf-8", "cp1252"],
                            "description": "Of a spreadsheet that is not UTF-8: cp1252 is converted.",
                        },
                        "columns": {
                            "type": "string",
                            "contentMediaType": "application/json",
                            "maxLength": 32768,
                            "description": "The field of a header where the suggestion is wrong, or `ignore`, as a JSON"
                            " object. It is kept for the next file of the source.",
                            "examples": ['{"Agency": "title"}'],
                        },
                        "publish": {
                            "type": "boolean",
                            "default": False,
                            "description": "Publish at once; left out, what is risky or new becomes a proposal.",
                        },
                        "dry_run": {
                            "type": "boolean",
                            "default": False,
                            "description": "Only read and plan: nothing changes.",
                        },
                    },
                }
            }
        },
    }
}


def _queued_answer(request: Request, run: RunRead) -> Response:
    """What waits for a worker: 202, and its own address in Location."""
    base = request.url.path.rpartition("/connectors/")[0]
    headers = {"location": f"{base}/connectors/runs/{run.id}"}
    return Response(run.model_dump_json(), HTTPStatus.ACCEPTED, headers, media_type="application/json")


@uploads.post(
    "/imports",
    status_code=HTTPStatus.ACCEPTED,
    summary="Import a file",
    response_model=RunRead,
    openapi_extra=_FORM,
    responses={
        **success("The run that imports it.", examples.UPLOADED, status=HTTPStatus.ACCEPTED),
        **problem_responses(RunUnderWay, UnusableFile, OtherKind),
    },
)
async def import_file(request: Request, session: SessionDep, admin: Admin, sent: SentImport) -> Response:
    """Send a spreadsheet (csv), a record file (ndjson) or HSDS services (json), which a run then imports.

    Its encoding and structure are checked at once; what its rows say is checked by the run, whose quarantine tells each
    bad one with its number. Send it with `dry_run` first to see what it would do. The same file again changes nothing.
    """
    return _queued_answer(request, await service.request_import(session, *sent, admin=admin))


@router.post(
    "/runs/{run_id}/cancel",
    summary="Cancel a run",
    responses={**success("The run, as it is now.", examples.CANCELLED), **problem_responses(RunNotFound, RunEnded)},
)
async def cancel_run(session: SessionDep, admin: Admin, run_id: RunID) -> RunRead:
    """End a run: at once while it waits, else after its present batch. What it has applied stays."""
    return RunRead.of(await service.cancel_run(session, run_id, actor=admin.actor))


@router.post(
    "/runs/{run_id}/confirm",
    summary="Confirm a run",
    responses={**success("The run, as it is now.", examples.CONFIRMED), **problem_responses(RunNotFound, RunNotHeld)},
)
async def confirm_run(session: SessionDep, admin: Admin, run_id: RunID) -> RunRead:
    """Let a held run do what its plan says; look at `held_because`, the plan and its samples first."""
    return RunRead.of(await service.confirm_run(session, run_id, actor=admin.actor))


@router.patch(
    "/{name}",
    summary="Change a connector",
    response_model=ConnectorRead,
    responses={
        **success("The connector as it is now.", examples.CONNECTOR),
        **problem_responses(ConnectorNotFound, PreconditionFailed, PreconditionRequired),
    },
)
async def update_connector(
    session: SessionDep, admin: Admin, connector: CurrentConnector, match: IfMatchDep, data: ConnectorUpdate
) -> Response:
    """Switch it on or off, or give it another schedule, which counts from its last run.

    One that the environment has switched off stays off: `obstacle` names the setting.
    """
    return connector_answer(await service.update_connector(session, connector, data, match, admin=admin))


@router.post(
    "/{name}/runs",
    status_code=HTTPStatus.ACCEPTED,
    summary="Run a connector",
    response_model=RunRead,
    dependencies=[Limited("connector_runs"), IDEMPOTENT],
    responses={
        **success("The run, which waits for a worker.", examples.QUEUED, status=HTTPStatus.ACCEPTED),
        **problem_responses(ConnectorNotFound, ConnectorOff, RunUnderWay, TooManyRequests),
    },
)
async def run_connector(
    request: Request,
    session: SessionDep,
    admin: Admin,
    connector: CurrentConnector,
    given: Annotated[RunRequest, Body()] = _AS_IT_IS,
) -> Response:
    """Read the source now, six times an hour at most. One run of a connector is under way at a time.

    `run_id` of the 409 is the run that has not ended.
    """
    return _queued_answer(request, await service.start_run(session, connector, dry_run=given.dry_run, admin=admin))
