"""HTTP for staff: everything below /connectors, and the health of links."""

from fastapi import APIRouter

from vibe4vets.connectors.router.acts import router as acts
from vibe4vets.connectors.router.acts import uploads
from vibe4vets.connectors.router.links import router as links
from vibe4vets.connectors.router.live import router as sockets
from vibe4vets.connectors.router.reads import router as reads

router = APIRouter()
for part in (uploads, reads, acts, sockets, links):
    router.include_router(part)
