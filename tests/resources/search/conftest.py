"""A starter directory of a test's own."""

from collections.abc import AsyncIterator
from uuid import uuid4

import asyncpg
import pytest


@pytest.fixture
async def database(owner: asyncpg.Connection, starter_template: str) -> AsyncIterator[str]:
    """The name of a database with the starter directory, which a test may change."""
    name = f"search_{uuid4().hex[:12]}"
    await owner.execute(f'create database "{name}" template "{starter_template}" strategy file_copy')
    yield name
    await owner.execute(f'drop database "{name}" with (force)')
