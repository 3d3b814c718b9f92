"""HTTP for admins: accounts, keys, the audit, review, duplicates, and what to verify."""

from fastapi import APIRouter

from vibe4vets.admin.router.duplicates import router as duplicates
from vibe4vets.admin.router.events import router as events
from vibe4vets.admin.router.keys import router as keys
from vibe4vets.admin.router.lexicon import router as lexicon
from vibe4vets.admin.router.reviews import router as reviews
from vibe4vets.admin.router.searches import router as searches
from vibe4vets.admin.router.statistics import router as statistics
from vibe4vets.admin.router.users import router as users
from vibe4vets.admin.router.worklist import router as worklist

router = APIRouter(prefix="/admin")
router.include_router(users)
router.include_router(keys)
router.include_router(events)
router.include_router(reviews)
router.include_router(statistics)
router.include_router(duplicates)
router.include_router(worklist)
router.include_router(lexicon)
router.include_router(searches)
