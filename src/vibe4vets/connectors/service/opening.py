"""What a run reads, opened for the worker: a publisher's address, or the file that somebody sent."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncEngine

from vibe4vets.connectors.base import Fetcher, Source, SourceError
from vibe4vets.connectors.models import ConnectorRun, Trigger
from vibe4vets.connectors.registry import connectors
from vibe4vets.connectors.service.uploads import open_upload
from vibe4vets.core.config import Settings


@asynccontextmanager
async def open_source(
    engine: AsyncEngine, run: ConnectorRun, settings: Settings, fetcher: Fetcher
) -> AsyncIterator[Source]:
    """Open what `run` reads, for as long as it is read; SourceError, with the remedy, when it cannot be."""
    if run.trigger is Trigger.UPLOAD:
        async with open_upload(engine, run) as source:
            yield source
        return
    connector = connectors(settings).get(run.connector)
    if connector is None:
        message = f"There is no connector {run.connector} any more: set it up again, or leave it"
        raise SourceError(message)
    yield connector.open(fetcher)
