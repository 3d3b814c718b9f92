"""The application: `create_app()` is the factory that uvicorn runs."""

import asyncio
import gc
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

import structlog
from fastapi import FastAPI

from vibe4vets import api
from vibe4vets.connectors.dependencies import tell_sources
from vibe4vets.connectors.service import Watching
from vibe4vets.connectors.service.figures import count_runs
from vibe4vets.core.audit import keep_sealing
from vibe4vets.core.config import Settings
from vibe4vets.core.database import Database, connect
from vibe4vets.core.docs import mount_docs
from vibe4vets.core.errors import install_error_handlers
from vibe4vets.core.http import Doorway, Operations, Shell, TrustedProxies
from vibe4vets.core.http.observing import Observer
from vibe4vets.core.jobs import count_jobs
from vibe4vets.core.limits import Limits
from vibe4vets.core.logging import configure_logging
from vibe4vets.core.metrics import Metrics, mount_metrics
from vibe4vets.core.openapi import describe
from vibe4vets.core.pagination import Cursors
from vibe4vets.core.safety import refuse_unsafe
from vibe4vets.core.sweeping import keep_sweeping
from vibe4vets.resources.service import (
    Exports,
    SearchKnowledge,
    SearchLearning,
    Views,
    erase_contacts,
    forget_views,
)
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
    if not structlog.is_configured():  # whichever server runs this: no line goes past the filter
        configure_logging(settings)
    metrics = Metrics()

    def sealed(events: int) -> None:
        metrics.count_sealed(events)
        metrics.measure(app.state.database)  # for whichever process is asked

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        refuse_unsafe(settings)
        app.state.database = await connect(settings)
        app.state.cursors = Cursors(settings.signing_key)
        app.state.limits = Limits(settings.limits, settings.signing_key, app.state.database)
        app.state.watching = Watching(settings, app.state.database)
        app.state.places = LivePlaces()
        app.state.search_knowledge = SearchKnowledge(app.state.places)
        app.state.views = views = Views()
        app.state.search_learning = SearchLearning(settings.signing_key)
        app.state.exports = Exports(app.state.database.published)
        # what was loaded to start lives as long as the process: walking it again at every full collection
        # would stop all requests for tens of milliseconds
        gc.collect()
        gc.freeze()
        database: Database = app.state.database
        sealing = keep_sealing(database, settings.audit.seal_interval, sealed)
        chores = [erase_contacts, views.store, forget_views, app.state.search_learning.store]
        sweeping = keep_sweeping(database, app.state.limits, chores=chores)
        try:
            async with _in_background(sealing, sweeping):
                yield
        finally:
            metrics.close()
            await database.dispose()

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
        openapi_url="/openapi.json" if settings.docs and settings.pages.openapi else None,
    )
    install_error_handlers(app)
    app.state.settings = settings
    app.state.tell_sources = tell_sources
    app.add_middleware(Doorway, limits=settings.http)
    app.add_middleware(
        Shell,
        deadline=settings.http.deadline,
        operations=Operations(app),
        proxies=TrustedProxies(settings.http.trusted_proxies),
        origins=settings.http.cors_origins,
    )
    app.add_middleware(Observer, metrics=metrics)
    app.router.routes.extend(api.routes)
    describe(app)
    mount_metrics(app, metrics, settings, looks=[count_jobs, count_runs])
    mount_docs(app, settings.pages)
    return app


@asynccontextmanager
async def _in_background(*work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Do what has no end of its own, until the service ends."""
    tasks = [asyncio.create_task(task) for task in work]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
