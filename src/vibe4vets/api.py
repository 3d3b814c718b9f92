"""Every router under its prefix; the only module that imports routers."""

from fastapi import APIRouter

from vibe4vets.admin.router import router as admin
from vibe4vets.auth.router import router as auth
from vibe4vets.core.health import router as health
from vibe4vets.resources.router import router as resources

api = APIRouter(prefix="/api/v1")
api.include_router(resources)
api.include_router(auth)
api.include_router(admin)

operations = APIRouter()
operations.include_router(health)
