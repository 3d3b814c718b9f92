"""HTTP of the connectors."""

from vibe4vets.connectors.router.links import router as links

routers = (links,)
