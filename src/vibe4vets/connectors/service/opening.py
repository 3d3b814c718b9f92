"""How a worker comes by what a run reads."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from vibe4vets.connectors.base import About, Source, SourceError
from vibe4vets.connectors.known_sources import describe_source
from vibe4vets.connectors.models import ConnectorRun, Trigger
from vibe4vets.connectors.registry import connectors
from vibe4vets.connectors.service.stages import Opening
from vibe4vets.connectors.service.uploads import open_upload
from vibe4vets.core.config import Settings
from vibe4vets.core.jobs import Workbench


@asynccontextmanager
async def open_source(run: ConnectorRun, bench: Workbench) -> AsyncIterator[Source]:
    """Begin a reading for `run`, and tidy up after it; SourceError when there is nothing to read."""
    if run.trigger is Trigger.UPLOAD:
        async with open_upload(bench.database.write_sessions, run) as source:
            yield source
        return
    connector = connectors(bench.settings).get(run.connector)
    if connector is None:
        message = f"There is no connector {run.connector} in the settings of the worker: add it."
        raise SourceError(message)
    yield connector.open(bench.fetcher)


def find_opening(run: ConnectorRun, bench: Workbench) -> Opening:
    """What `run` reads, which is opened only if it is still to be read."""
    return Opening(about_connector(bench.settings, run.connector), partial(open_source, run, bench))


def about_connector(settings: Settings, slug: str) -> About:
    """What is known of a connector: one of the registry, else the source of an imported file."""
    connector = connectors(settings).get(slug)
    return describe_source(slug) if connector is None else connector.about
