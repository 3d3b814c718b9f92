"""A scripted publisher, and a fetcher that may reach it."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.publisher import Publisher
from vibe4vets.core.config import FetchSettings
from vibe4vets.core.fetch import Fetcher
from vibe4vets.core.fetch.hosts import PostgresHosts


@pytest.fixture
async def publisher() -> AsyncIterator[Publisher]:
    """Answers what a test writes."""
    async with Publisher().running() as publisher:
        yield publisher


@pytest.fixture
async def fetcher(engine: AsyncEngine, publisher: Publisher) -> AsyncIterator[Fetcher]:
    """The real fetcher; the publisher is the one exception to its address checks."""
    async with Fetcher(FetchSettings(allow=publisher.address), PostgresHosts(engine)) as fetcher:
        yield fetcher
