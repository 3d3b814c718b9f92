"""Whether the process lives, and whether it can serve."""

from datetime import datetime
from http import HTTPStatus
from typing import Literal

from fastapi import APIRouter, Request
from pydantic import Field

from vibe4vets.core.database import SessionDep
from vibe4vets.core.errors import InternalError, InvalidRequest, MalformedRequest, Unavailable, problem_responses
from vibe4vets.core.http import StrictRoute, success
from vibe4vets.core.jobs import queue_fault, queue_state
from vibe4vets.core.migrations import expected_revision, schema_fault
from vibe4vets.core.safety import database_fault
from vibe4vets.core.schemas import Output


class ProbeRoute(StrictRoute):
    """Never a 304: a balancer would take it for trouble."""

    has_tag = False


router = APIRouter(
    prefix="/health",
    tags=["operations"],
    route_class=ProbeRoute,
    responses=problem_responses(MalformedRequest, InvalidRequest, InternalError),
)


class NotReady(Unavailable):
    status, type, title = HTTPStatus.SERVICE_UNAVAILABLE, "not-ready", "The service is not ready."


class Health(Output):
    status: Literal["ok"]


class Queue(Output):
    """The jobs that wait for a worker. None runs, or none keeps up, when the oldest is overdue for minutes."""

    waiting: int
    working: int
    overdue_seconds: int


class SourceHealth(Output):
    """How a source of records does; `stale` is one without success for two of its schedules."""

    name: str
    health: str
    reason: str
    last_success_at: datetime | None


class Readiness(Health):
    database: Literal["ok"]
    schema_head: str = Field(description="The migration that the database and this version of the service are at.")
    queue: Queue
    sources: list[SourceHealth] | None = Field(description="For an admin who sends a token; null for everybody else.")


_OK = {"status": "ok"}
_READY = {
    "status": "ok",
    "database": "ok",
    "schema_head": "2026112001",
    "queue": {"waiting": 0, "working": 1, "overdue_seconds": 0},
    "sources": None,
}


@router.get("/live", summary="Is it alive?", responses=success("The process answers.", _OK))
async def is_live() -> Health:
    """Tell that the process answers; it asks nothing else. For liveness probes: restart it when this fails."""
    return Health(status="ok")


@router.get(
    "/ready",
    summary="Is it ready to serve?",
    responses={**success("The service can serve.", _READY), **problem_responses(NotReady, Unavailable)},
)
async def is_ready(request: Request, session: SessionDep) -> Readiness:
    """Tell that the database answers, has the schema of this version, is safe and takes jobs; else 503 with the reason.

    For readiness probes: send no traffic while this fails, and do not restart it. That no worker runs does not fail
    it, for jobs wait and reads go on; `queue` tells for how long. Nor does a source that is stale: admins see which.
    """
    settings = request.app.state.settings
    fault = await schema_fault(session) or await database_fault(session, settings) or await queue_fault(session)
    if fault is not None:
        raise NotReady(fault)
    jobs = await queue_state(session)
    overdue = round(jobs.overdue.total_seconds())
    queue = Queue(waiting=jobs.waiting, working=jobs.working, overdue_seconds=overdue)
    found = await request.app.state.tell_sources(request, session)
    sources = None if found is None else [SourceHealth.model_validate(source) for source in found]
    return Readiness(status="ok", database="ok", schema_head=expected_revision(), queue=queue, sources=sources)
