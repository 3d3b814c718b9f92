"""HTTP for the audit: names, statuses and documents; no rules."""

from typing import Annotated

from fastapi import Query, Request, Response

from vibe4vets.admin.schemas import examples
from vibe4vets.auth.dependencies import get_admin, guarded_router
from vibe4vets.core.audit import AuditEventQuery, AuditEventRead, list_events
from vibe4vets.core.database import SessionDep
from vibe4vets.core.errors import problem_responses
from vibe4vets.core.http import private_page, success
from vibe4vets.core.pagination import CursorsDep, InvalidCursor, Page

router = guarded_router("audit", get_admin)


@router.get(
    "/audit-events",
    summary="List audit events",
    response_model=Page[AuditEventRead],
    responses={**success("A page of events.", examples.EVENTS), **problem_responses(InvalidCursor)},
)
async def list_audit_events(
    request: Request, session: SessionDep, cursors: CursorsDep, query: Annotated[AuditEventQuery, Query()]
) -> Response:
    """List who did what to what, the latest first. Events are never changed or deleted; no name or e-mail is in one."""
    return private_page(request, await list_events(session, query, cursors))
