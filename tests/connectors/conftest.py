"""Sources that say what a test wants."""

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.connectors.feeds import COMMUNITY, OFFICIAL, Feed


@pytest.fixture
def official(engine: AsyncEngine, sql: asyncpg.Connection) -> Feed:
    """A state agency's feed."""
    return Feed(engine, sql, OFFICIAL)


@pytest.fixture
def community(engine: AsyncEngine, sql: asyncpg.Connection) -> Feed:
    """A community list, which nobody official vouches for."""
    return Feed(engine, sql, COMMUNITY)
