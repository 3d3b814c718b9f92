"""Duplicates: found by phone, place and title; merged with a preview, a redirect that stays, and a way back."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI

from vibe4vets.core.audit import ANONYMOUS, Actor, ActorKind
from vibe4vets.core.database import own_transaction
from vibe4vets.core.preconditions import IfMatch
from vibe4vets.resources import service
from vibe4vets.resources.exceptions import MergeNotFound, MergeOutOfDate, ResourceStateConflict
from vibe4vets.resources.models import Origin
from vibe4vets.resources.schemas import (
    Dismissal,
    DuplicatePair,
    DuplicateQuery,
    MergeRequest,
    ResourceCreate,
    ResourceRead,
    ResourceUpdate,
    SuggestionCreate,
)

ADMIN = Actor(ActorKind.USER, str(uuid4()))
KEY = b"a key of at least thirty-two bytes"
ANY = IfMatch(frozenset({"*"}))
PLACE = {"street": "1 Main St", "city": "Columbus", "state": "OH", "postal_code": "43215"}
PANTRY: dict[str, Any] = {
    "title": "Community Food Pantry",
    "organization": "Mid-Ohio Food Collective",
    "categories": ["food"],
    "scope": "local",
    "phone": "614-555-0123",
    "locations": [PLACE],
}
Do = Callable[..., Awaitable[Any]]


@pytest.fixture
def do(app: FastAPI) -> Do:
    async def act(act: Do, *arguments: object, **named: object) -> Any:
        async with own_transaction(app.state.database) as session:
            return await act(session, *arguments, **named)

    return act


async def create(do: Do, **fields: object) -> ResourceRead:
    created: ResourceRead = await do(
        service.create_resource, ResourceCreate.model_validate(PANTRY | fields), actor=ADMIN
    )
    return created


async def pairs(app: FastAPI, do: Do) -> list[DuplicatePair]:
    page = await do(service.list_duplicates, DuplicateQuery(), app.state.cursors)
    return [DuplicatePair.model_validate_json(document) for document in page.documents]


async def test_pairs_are_found_by_what_they_share(app: FastAPI, do: Do) -> None:
    one = await create(do)
    two = await create(do, title="Community food pantry of Columbus", phone=None)
    await create(do, title="Legal aid", phone="614-555-0177", locations=[{"city": "Dayton", "state": "OH"}])
    await create(do, title="Community Food Pantry", phone=None, locations=[{"city": "Reno", "state": "NV"}])
    await do(service.find_duplicates)
    (pair,) = await pairs(app, do)
    assert {pair.first.id, pair.second.id} == {one.id, two.id}
    assert pair.reasons == ["same-place", "alike-title"]
    await do(service.dismiss_duplicate, Dismissal(first_id=two.id, second_id=one.id), actor=ADMIN)
    await do(service.find_duplicates)
    assert await pairs(app, do) == []
    with pytest.raises(MergeNotFound):
        await do(service.dismiss_duplicate, Dismissal(first_id=uuid4(), second_id=one.id), actor=ADMIN)


async def test_a_hotline_that_many_share_makes_no_pairs(app: FastAPI, do: Do) -> None:
    for number in range(21):
        await create(do, title=f"{chr(97 + number) * 6} office", locations=[])
    await do(service.find_duplicates)
    assert await pairs(app, do) == []


async def merged(do: Do, kept: UUID, other: UUID, *, dry_run: bool = False) -> Any:
    return await do(service.merge_resources, MergeRequest(kept_id=kept, merged_id=other, dry_run=dry_run), actor=ADMIN)


async def test_a_merge_is_previewed_done_and_undone(client: httpx.AsyncClient, do: Do, sql: Any) -> None:
    kept = await create(do, phone=None)
    other = await create(do, tags=["food-pantry"], cost="Free", locations=[PLACE, PLACE | {"street": "2 Oak St"}])
    address, gone = (f"/api/v1/resources/{one.id}" for one in (kept, other))
    before = (await client.get(address)).json()
    preview = await merged(do, kept.id, other.id, dry_run=True)
    assert {change.field for change in preview.changes} == {"phone", "cost", "tags", "locations"}
    assert (await client.get(address)).json() == before

    suggestion = {"resource_id": str(other.id), "resource": {"summary": "Short"}}
    submitter = service.Submitter(Origin.PUBLIC, ANONYMOUS)
    await do(service.take_suggestion, SuggestionCreate.model_validate(suggestion), KEY, submitter)
    merge = await merged(do, kept.id, other.id)
    assert merge.changes == preview.changes
    assert merge.moved_proposals == 1
    assert await sql.fetchval("select resource_id from proposals") == kept.id
    shown = (await client.get(address)).json()
    assert (shown["phone"], shown["cost"], shown["tags"]) == ("+16145550123", "Free", ["food-pantry"])
    assert [place["street"] for place in shown["locations"]] == ["1 Main St", "2 Oak St"]
    answer = await client.get(gone)
    assert (answer.status_code, answer.json()["successor"]) == (410, str(kept.id))
    with pytest.raises(ResourceStateConflict):
        await merged(do, kept.id, other.id)

    await do(service.undo_merge, merge.id, actor=ADMIN)
    assert (await client.get(gone)).json()["cost"] == "Free"
    after = (await client.get(address)).json()
    assert (after["phone"], after["tags"], len(after["locations"])) == (None, [], 1)
    assert await sql.fetchval("select resource_id from proposals") == other.id
    with pytest.raises(MergeNotFound):
        await do(service.undo_merge, merge.id, actor=ADMIN)


async def test_a_merge_is_not_undone_over_a_later_change(do: Do) -> None:
    kept, other = await create(do, phone=None), await create(do)
    merge = await merged(do, kept.id, other.id)
    await do(service.update_resource, kept.id, ResourceUpdate(cost="Free"), ANY, actor=ADMIN)
    with pytest.raises(MergeOutOfDate):
        await do(service.undo_merge, merge.id, actor=ADMIN)


async def test_a_redirect_leads_to_what_is_published_in_the_end(client: httpx.AsyncClient, do: Do) -> None:
    first, second, third = [await create(do, title=f"Pantry {number}") for number in range(3)]
    await merged(do, second.id, first.id)
    merge = await merged(do, third.id, second.id)

    async def successor() -> str | None:
        found: str | None = (await client.get(f"/api/v1/resources/{first.id}")).json().get("successor")
        return found

    assert await successor() == str(third.id)
    await do(service.undo_merge, merge.id, actor=ADMIN)
    assert await successor() == str(second.id)
    await do(service.archive_resource, second.id, ANY, actor=ADMIN)
    assert await successor() is None
