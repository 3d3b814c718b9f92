"""Which source or person set each field, and when: read from the versions of a resource."""

from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy.ext.asyncio import async_sessionmaker

from tests.connectors.feeds import PERSON, Feed
from vibe4vets.connectors.models import Policy
from vibe4vets.core.database import Session
from vibe4vets.resources import service as resources
from vibe4vets.resources.exceptions import ResourceNotFound


async def provenance(feed: Feed) -> dict[str, dict[str, Any]]:
    """What is told of each field of the first record."""
    async with async_sessionmaker(feed.engine, class_=Session)() as session:
        found = await resources.get_provenance(session, await feed.id_of())
    return {field.field: field.model_dump(mode="json") for field in found.fields}


async def test_every_field_tells_who_set_it(official: Feed) -> None:
    await official.read(official.record())
    await official.edit(title="Edited", cost="Free", reason="they called")
    await official.verify()
    await official.edit(cost=None)
    await official.sql.execute("update resources set verified_at = null")
    await official.read(official.record(description="New", phone="614-555-0199"), policy=Policy.REVIEW)
    await official.approve()
    told = await provenance(official)
    assert set(told) == set(resources.FIELDS)
    runs = await official.sql.fetch("select id::text from connector_runs order by created_at")
    source = {"slug": "state_office", "record_id": "1"}
    assert (told["hours"]["version"], told["hours"]["actor"], told["hours"]["source"]) == (
        1, {"kind": "system", "id": runs[0]["id"]}, source,
    )  # fmt: skip
    assert (told["description"]["version"], told["description"]["change"]) == (5, "imported")
    assert (told["description"]["actor"]["id"], told["description"]["source"]) == (runs[1]["id"], source)
    assert (told["title"]["version"], told["title"]["actor"]["id"], told["title"]["source"]) == (2, PERSON.id, None)
    assert told["title"]["reason"] == "they called"
    # set and taken away again: the last word counts
    assert (told["cost"]["version"], told["cost"]["actor"]["id"]) == (4, PERSON.id)
    # a person let the source's number in
    assert (told["phone"]["version"], told["phone"]["actor"]["kind"]) == (6, "user")


async def test_a_long_history_is_read_to_its_beginning(official: Feed) -> None:
    await official.read(official.record())
    await official.sql.execute(
        "insert into resource_revisions (resource_id, number, change, actor_kind, document)"
        " select resource_id, number + n, 'verified', 'user', document"
        " from resource_revisions, generate_series(1, 120) n"
    )
    told = await provenance(official)
    assert {field["version"] for field in told.values()} == {1}


async def test_an_unknown_resource_has_none(official: Feed) -> None:
    async with async_sessionmaker(official.engine, class_=Session)() as session:
        with pytest.raises(ResourceNotFound):
            await resources.get_provenance(session, uuid4())
