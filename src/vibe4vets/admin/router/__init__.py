"""HTTP for admins: everything below /admin that only they may use."""

from fastapi import APIRouter

from vibe4vets.admin.router.events import router as events
from vibe4vets.admin.router.keys import router as keys
from vibe4vets.admin.router.users import router as users

router = APIRouter(prefix="/admin")
router.include_router(users)
router.include_router(keys)
router.include_router(events)
