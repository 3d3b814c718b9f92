"""Every router under its prefix; the only module that imports routers."""

from fastapi import APIRouter

from vibe4vets.admin.router import router as admin
from vibe4vets.auth.router import router as auth
from vibe4vets.connectors.router import router as connectors
from vibe4vets.core.health import router as health
from vibe4vets.resources import router as resources

api = APIRouter(prefix="/api/v1")
for router in resources.routers:
    api.include_router(router)
api.include_router(auth)
api.include_router(admin)
api.include_router(connectors)

operations = APIRouter()
operations.include_router(health)
