"""The application: `create_app()` is the factory that uvicorn runs."""

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from vibe4vets import api
from vibe4vets.core.config import Settings
from vibe4vets.core.database import connect
from vibe4vets.core.docs import mount_docs
from vibe4vets.core.errors import install_error_handlers
from vibe4vets.core.http import Shell
from vibe4vets.core.openapi import describe
from vibe4vets.core.pagination import Cursors
from vibe4vets.resources.service import SearchKnowledge
from vibe4vets.resources.service.places import LivePlaces

DESCRIPTION = """
A directory of programs and places that help US Veterans: housing, benefits, health, work, law, food, family.

* **Reading needs no account.** Start with `GET /api/v1/search?q=housing`, narrow with filters and facets.
* **Every answer is what reviewers approved.** Each resource names its source and how far to trust it.
* **Errors are RFC 9457 problems** with a stable `type`, and on 422 the rule that was broken.
* **Cache with the ETag**: send it back as `If-None-Match` and get 304 while nothing changed.

If you or someone near you is in crisis: call 988, then press 1.
"""


def create_app(settings: Settings | None = None) -> FastAPI:
    """Build the service; nothing is opened before its lifespan starts."""
    settings = settings or Settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.database = await connect(settings)
        app.state.cursors = Cursors(settings.signing_key)
        app.state.places = LivePlaces()
        app.state.search_knowledge = SearchKnowledge(app.state.places)
        # what was loaded to start lives as long as the process: walking it again at every full collection
        # would stop all requests for tens of milliseconds
        gc.collect()
        gc.freeze()
        try:
            yield
        finally:
            await app.state.database.dispose()

    app = FastAPI(
        title="Vibe4Vets",
        summary="A directory of resources for US Veterans.",
        description=DESCRIPTION,
        version="1.0.0",
        license_info={"name": "MIT", "identifier": "MIT"},
        lifespan=lifespan,
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json" if settings.docs else None,
        generate_unique_id_function=lambda route: route.name,
    )
    install_error_handlers(app)
    app.add_middleware(Shell, deadline=settings.http.deadline)
    app.include_router(api.api)
    app.include_router(api.operations)
    describe(app)
    if settings.docs:
        mount_docs(app)
    return app
