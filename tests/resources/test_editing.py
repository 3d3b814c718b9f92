"""Acts of editors: what each does to the row, to what the public sees, to the history and to the audit log."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from tests.conftest import import_file
from vibe4vets.core.audit import Actor, ActorKind
from vibe4vets.core.database import Session, own_transaction
from vibe4vets.core.errors import AppError, InvalidRequest
from vibe4vets.core.preconditions import IfMatch, PreconditionFailed
from vibe4vets.resources import service
from vibe4vets.resources.exceptions import ResourceNotFound, ResourceStateConflict, RevisionNotFound
from vibe4vets.resources.models import Change, Status
from vibe4vets.resources.schemas import (
    ResourceCreate,
    ResourceRead,
    ResourceUpdate,
    Rollback,
    Verification,
    WorkingQuery,
)

EDITOR = Actor(ActorKind.USER, str(uuid4()))
PANTRY: dict[str, Any] = {
    "title": "Food pantry",
    "organization": "Mid-Ohio Food Collective",
    "categories": ["food"],
    "scope": "local",
    "states": ["OH"],
    "phone": "614-555-0123",
    "hours": {"text": "Mon-Fri 8:00AM-4:30PM"},
    "locations": [{"city": "Columbus", "state": "OH", "latitude": 39.96, "longitude": -83.0}],
}
ANY = IfMatch(frozenset({"*"}))
Do = Callable[..., Awaitable[ResourceRead]]


@pytest.fixture
def do(app: FastAPI) -> Do:
    """Run one act in a transaction of its own, as the request does."""

    async def act(act: Do, *arguments: object, **named: object) -> ResourceRead:
        async with own_transaction(app.state.database) as session:
            return await act(session, *arguments, **named, actor=EDITOR)

    return act


@pytest.fixture
async def pantry(do: Do) -> ResourceRead:
    return await do(service.create_resource, ResourceCreate.model_validate(PANTRY))


async def public(client: httpx.AsyncClient, resource: ResourceRead) -> httpx.Response:
    return await client.get(f"/api/v1/resources/{resource.id}")


async def history(sql: asyncpg.Connection, resource_id: UUID) -> list[tuple[int, str, str | None]]:
    rows = await sql.fetch(
        "select number, change, reason from resource_revisions where resource_id = $1 order by number", resource_id
    )
    return [tuple(row) for row in rows]


async def test_a_new_resource_is_public_at_once(client: httpx.AsyncClient, pantry: ResourceRead) -> None:
    answer = (await public(client, pantry)).json()
    assert answer == json.loads(pantry.model_dump_json())
    assert answer["phone"] == "+16145550123"
    assert answer["hours"]["weekly"][0] == [["08:00", "16:30"]]
    assert answer["locations"][0]["time_zone"] == "America/New_York"
    assert answer["source"]["slug"] == "editors"
    assert (await client.get("/api/v1/search?q=pantry")).json()["total"] == 1


async def test_a_draft_waits_for_its_publication(client: httpx.AsyncClient, do: Do, sql: asyncpg.Connection) -> None:
    draft = await do(service.create_resource, ResourceCreate.model_validate(PANTRY | {"status": "draft"}))
    assert (await public(client, draft)).status_code == 404
    assert (await client.get("/api/v1/resources")).json()["total"] == 0
    changed = await do(service.update_resource, draft.id, ResourceUpdate(title="Pantry"), ANY)
    assert (changed.status, changed.version) == (Status.DRAFT, 2)
    shown = await do(service.publish_resource, draft.id, ANY)
    assert (shown.status, shown.version) == (Status.PUBLISHED, 3)
    assert (await public(client, draft)).json()["title"] == "Pantry"
    assert [change for _, change, _ in await history(sql, draft.id)] == ["created", "updated", "published"]
    with pytest.raises(ResourceStateConflict):
        await do(service.publish_resource, draft.id, ANY)


async def test_a_source_must_be_known(do: Do) -> None:
    with pytest.raises(InvalidRequest) as caught:
        await do(service.create_resource, ResourceCreate.model_validate(PANTRY | {"source": "nobody"}))
    assert caught.value.errors[0].pointer == "/body/source"


async def test_absent_stays_and_null_empties(client: httpx.AsyncClient, do: Do, pantry: ResourceRead) -> None:
    await do(service.update_resource, pantry.id, ResourceUpdate.model_validate({"phone": None, "cost": "Free"}), ANY)
    answer = (await public(client, pantry)).json()
    assert (answer["phone"], answer["cost"], answer["title"]) == (None, "Free", "Food pantry")
    assert answer["version"] == 2
    assert (await client.get("/api/v1/search?q=pantry")).json()["total"] == 1


async def test_what_changes_nothing_makes_no_version(do: Do, pantry: ResourceRead, sql: asyncpg.Connection) -> None:
    same = ResourceUpdate.model_validate({name: PANTRY[name] for name in ("title", "phone", "hours", "locations")})
    assert (await do(service.update_resource, pantry.id, same, ANY)).version == 1
    assert len(await history(sql, pantry.id)) == 1


async def test_a_rule_across_fields_holds_for_the_whole(do: Do, pantry: ResourceRead) -> None:
    extended = await do(service.update_resource, pantry.id, ResourceUpdate(phone_extension="12"), ANY)
    assert extended.phone_extension == "12"
    with pytest.raises(InvalidRequest) as caught:
        await do(service.update_resource, pantry.id, ResourceUpdate(phone=None), ANY)
    assert caught.value.errors[0].message == "An extension needs a phone"


async def test_archived_is_gone_and_comes_back(client: httpx.AsyncClient, do: Do, pantry: ResourceRead) -> None:
    archived = await do(service.archive_resource, pantry.id, ANY, reason="closed down")
    assert (archived.status, archived.version) == (Status.ARCHIVED, 2)
    assert (await public(client, pantry)).status_code == 410
    assert (await client.get("/api/v1/search?q=pantry")).json()["total"] == 0
    for act, *arguments in (
        (service.archive_resource,),
        (service.publish_resource,),
    ):
        with pytest.raises(ResourceStateConflict):
            await do(act, pantry.id, *arguments, ANY)
    with pytest.raises(ResourceStateConflict):
        await do(service.update_resource, pantry.id, ResourceUpdate(title="Other"), ANY)
    restored = await do(service.restore_resource, pantry.id, ANY)
    assert (restored.status, restored.version) == (Status.PUBLISHED, 3)
    assert (await public(client, pantry)).status_code == 200
    with pytest.raises(ResourceStateConflict):
        await do(service.restore_resource, pantry.id, ANY)


async def test_an_archived_draft_comes_back_as_one(client: httpx.AsyncClient, do: Do) -> None:
    draft = await do(service.create_resource, ResourceCreate.model_validate(PANTRY | {"status": "draft"}))
    assert (await do(service.archive_resource, draft.id, ANY)).status is Status.ARCHIVED
    assert (await public(client, draft)).status_code == 404
    assert (await do(service.restore_resource, draft.id, ANY)).status is Status.DRAFT
    assert (await public(client, draft)).status_code == 404


async def test_verifying_raises_trust(client: httpx.AsyncClient, do: Do, pantry: ResourceRead, sql: Any) -> None:
    await sql.execute("update resources set as_of = '2020-01-01' where id = $1", pantry.id)
    verified = await do(service.verify_resource, pantry.id, Verification(how="phone", note="spoke to Ann"), ANY)
    assert verified.trust.freshness == 1
    answer = (await public(client, pantry)).json()
    assert answer["trust"]["verified_at"] is not None
    assert (await history(sql, pantry.id))[-1] == (2, "verified", "phone: spoke to Ann")


async def test_rolling_back_makes_a_new_version(client: httpx.AsyncClient, do: Do, pantry: ResourceRead) -> None:
    other = {"title": "X", "phone": None, "locations": [], "hours": {"text": None}, "organization": "Other"}
    await do(service.update_resource, pantry.id, ResourceUpdate.model_validate(other), ANY)
    back = await do(service.roll_back_resource, pantry.id, Rollback(revision=1), ANY)
    assert back.version == 3
    answer = (await public(client, pantry)).json()
    volatile = {"version", "updated_at", "locations", "trust"}
    before = json.loads(pantry.model_dump_json())
    assert {key: value for key, value in answer.items() if key not in volatile} == {
        key: value for key, value in before.items() if key not in volatile
    }
    assert answer["locations"][0]["city"] == "Columbus"
    with pytest.raises(RevisionNotFound):
        await do(service.roll_back_resource, pantry.id, Rollback(revision=9), ANY)


async def test_two_versions_differ_in_the_fields_that_changed(app: FastAPI, do: Do, pantry: ResourceRead) -> None:
    await do(service.update_resource, pantry.id, ResourceUpdate(phone="614-555-0199", cost="Free"), ANY)
    async with own_transaction(app.state.database) as session:
        diff = await service.compare_revisions(session, pantry.id, 1, 2)
    assert [(change.field, change.before, change.after) for change in diff.changes] == [
        ("phone", "+16145550123", "+16145550199"),
        ("cost", None, "Free"),
    ]


async def test_every_act_is_an_event_with_both_hashes(do: Do, pantry: ResourceRead, sql: asyncpg.Connection) -> None:
    await do(service.update_resource, pantry.id, ResourceUpdate(title="Pantry"), ANY)
    events = await sql.fetch(
        "select action, actor_id, before_hash, after_hash from audit_events where target_id = $1 order by sequence",
        str(pantry.id),
    )
    assert [event["action"] for event in events] == ["resource.created", "resource.updated"]
    assert {event["actor_id"] for event in events} == {EDITOR.id}
    assert events[0]["before_hash"] is None
    assert events[1]["before_hash"] == events[0]["after_hash"] != events[1]["after_hash"]


@pytest.mark.parametrize(
    "act",
    [
        lambda session, id_, match: service.update_resource(
            session, id_, ResourceUpdate(title="X"), match, actor=EDITOR
        ),
        lambda session, id_, match: service.archive_resource(session, id_, match, actor=EDITOR),
        lambda session, id_, match: service.verify_resource(
            session, id_, Verification(how="visit"), match, actor=EDITOR
        ),
        lambda session, id_, match: service.roll_back_resource(session, id_, Rollback(revision=1), match, actor=EDITOR),
        lambda session, id_, match: service.publish_resource(session, id_, match, actor=EDITOR),
        lambda session, id_, match: service.restore_resource(session, id_, match, actor=EDITOR),
    ],
)
async def test_every_act_names_the_version_and_the_resource(
    session: Session, pantry: ResourceRead, act: Callable[..., Awaitable[ResourceRead]]
) -> None:
    with pytest.raises(PreconditionFailed) as caught:
        await act(session, pantry.id, IfMatch(frozenset({'"7"'})))
    assert caught.value.headers["ETag"] == '"1"'
    with pytest.raises(ResourceNotFound):
        await act(session, uuid4(), ANY)


async def test_of_thirty_at_once_one_wins(do: Do, pantry: ResourceRead, sql: asyncpg.Connection) -> None:
    first = IfMatch(frozenset({'"1"'}))

    async def attempt(number: int) -> AppError | None:
        try:
            await do(service.update_resource, pantry.id, ResourceUpdate(title=f"Title {number}"), first)
        except AppError as error:
            return error
        return None

    outcomes = await asyncio.gather(*(attempt(number) for number in range(30)))
    assert outcomes.count(None) == 1
    assert {type(outcome) for outcome in outcomes} == {type(None), PreconditionFailed}
    assert len(await history(sql, pantry.id)) == 2


async def test_staff_see_every_status(app: FastAPI, do: Do, pantry: ResourceRead) -> None:
    draft = await do(service.create_resource, ResourceCreate.model_validate(PANTRY | {"status": "draft"}))
    await do(service.archive_resource, pantry.id, ANY)

    async def ids(**filters: object) -> set[str]:
        async with own_transaction(app.state.database) as session:
            page = await service.list_working(session, WorkingQuery.model_validate(filters), app.state.cursors)
        return {json.loads(document)["id"] for document in page.documents}

    assert await ids() == {str(pantry.id), str(draft.id)}
    assert await ids(status=["draft"]) == {str(draft.id)}
    assert await ids(status=["archived"], state=["OH"], category=["food"], source=["editors"]) == {str(pantry.id)}
    assert await ids(category=["legal"]) == await ids(source=["va_ssvf"]) == await ids(state=["TX"]) == set()
    assert await ids(updated_since="2999-01-01T00:00:00Z") == set()
    assert await ids(verified_before="2000-01-01T00:00:00Z") == {str(pantry.id), str(draft.id)}


async def test_an_import_leaves_revisions(sql: asyncpg.Connection, engine: Any, tmp_path: Any) -> None:
    record = {"source": "s", "source_record_id": "1", "title": "A", "organization": "O", "categories": ["food"]}
    record |= {"scope": "national", "description": "d"}
    path = tmp_path / "records.ndjson"
    for number, title in enumerate(("A", "B"), 1):
        path.write_text(json.dumps(record | {"title": title}) + "\n")
        await import_file(engine, path)
        rows = await sql.fetch("select number, change, actor_kind from resource_revisions order by number")
        assert [tuple(row) for row in rows] == [(n, Change.IMPORTED, "system") for n in range(1, number + 1)]
