"""Every router under its prefix; the only module that imports routers."""

from fastapi import APIRouter
from fastapi.routing import APIRoute

from vibe4vets.admin.router import router as admin
from vibe4vets.auth.router import router as auth
from vibe4vets.connectors.router import router as connectors
from vibe4vets.core.health import router as health
from vibe4vets.resources import router as resources


def _operation_id(route: APIRoute) -> str:
    return route.name


api = APIRouter(prefix="/api/v1", generate_unique_id_function=_operation_id)
for router in resources.routers:
    api.include_router(router)
api.include_router(auth)
api.include_router(admin)
api.include_router(connectors)

operations = APIRouter(generate_unique_id_function=_operation_id)
operations.include_router(health)

# An application takes these as they are, not the two routers: each level of routers is searched for every request, and
# FastAPI prepares the operations below it anew for each application.
routes = (*api.routes, *operations.routes)
