"""Every router under its prefix; the only module that imports routers."""

from fastapi import APIRouter

from vibe4vets.core.health import router as health
from vibe4vets.resources import router as resources

api = APIRouter(prefix="/api/v1")
api.include_router(resources.public)

operations = APIRouter()
operations.include_router(health)
