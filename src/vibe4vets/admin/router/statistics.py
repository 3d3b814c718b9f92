"""HTTP for the dashboard."""

from vibe4vets.admin import service
from vibe4vets.admin.schemas import Stats, examples
from vibe4vets.auth.dependencies import get_staff, guarded_router
from vibe4vets.core.database import SessionDep
from vibe4vets.core.http import success

router = guarded_router("statistics", get_staff)


@router.get("/stats", summary="Get statistics", responses=success("The numbers.", examples.STATS))
async def get_stats(session: SessionDep) -> Stats:
    """Tell how long the queue is and how old, what was decided per day, how old verifications are, what is covered."""
    return await service.get_stats(session)
