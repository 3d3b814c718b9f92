"""A starter directory of a test's own."""

from collections.abc import AsyncIterator

import pytest

from tests.databases import Lender


@pytest.fixture
async def database(lender: Lender, starter_template: str) -> AsyncIterator[str]:
    """The name of a database with the starter directory, which a test may change."""
    async with lender.lent(starter_template) as name:
        yield name
