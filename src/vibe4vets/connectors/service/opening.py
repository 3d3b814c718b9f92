"""How a worker comes by what a run reads."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from vibe4vets.connectors.base import About, Source, SourceError, Version
from vibe4vets.connectors.known_sources import describe_source
from vibe4vets.connectors.models import ConnectorRun, Trigger
from vibe4vets.connectors.registry import Connector, connectors
from vibe4vets.connectors.service.stages import Opening
from vibe4vets.connectors.service.uploads import open_upload
from vibe4vets.connectors.service.versions import get_version, keep_version
from vibe4vets.core.config import Settings
from vibe4vets.core.database import Session, own_transaction
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
    yield connector.open(bench.fetcher, await _known_version(run, connector, bench))


async def _known_version(run: ConnectorRun, connector: Connector, bench: Workbench) -> Version | None:
    """What the schedule need not read again; whoever asks for a run wants it read."""
    if run.trigger is not Trigger.SCHEDULE or connector.file_url is None:
        return None
    async with own_transaction(bench.database) as session:
        return await get_version(session, run.connector, connector.file_url)


def find_opening(run: ConnectorRun, bench: Workbench) -> Opening:
    """What `run` reads, which is opened only if it is still to be read."""
    connector = connectors(bench.settings).get(run.connector)
    about = about_connector(bench.settings, run.connector)
    if connector is None or connector.file_url is None:
        return Opening(about, partial(open_source, run, bench))
    keep = partial(_keep_version, run.connector, connector.file_url)
    return Opening(about, partial(open_source, run, bench), keep)


async def _keep_version(connector: str, url: str, session: Session, version: Version) -> None:
    await keep_version(session, connector, url, version)


def about_connector(settings: Settings, slug: str) -> About:
    """What is known of a connector: one of the registry, else the source of an imported file."""
    connector = connectors(settings).get(slug)
    return describe_source(slug) if connector is None else connector.about
