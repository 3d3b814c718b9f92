"""HTTP of the connectors."""

from fastapi import APIRouter

from vibe4vets.connectors.router.links import router as links

router = APIRouter()
router.include_router(links)
