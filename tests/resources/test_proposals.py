"""Proposals: stored apart from what the public sees, queued once, decided once, applied field by field."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from pydantic import ValidationError

from vibe4vets.core.audit import ANONYMOUS, Actor, ActorKind
from vibe4vets.core.database import own_transaction
from vibe4vets.core.errors import AppError, InvalidRequest
from vibe4vets.core.preconditions import IfMatch, PreconditionFailed
from vibe4vets.resources import service
from vibe4vets.resources.exceptions import (
    OwnProposal,
    ProposalConflicts,
    ProposalDecided,
    ProposalNotFound,
    ResourceGone,
    ResourceNotFound,
    SuggestionNotFound,
)
from vibe4vets.resources.models import Change, Origin, ProposalKind, ProposalState, Risk
from vibe4vets.resources.privacy import find_identifier
from vibe4vets.resources.schemas import (
    FeedbackCreate,
    ProposalCreate,
    ProposalDetail,
    ProposalQuery,
    ResourceCreate,
    ResourceFields,
    ResourceRead,
    ResourceUpdate,
    SuggestionCreate,
    SuggestionReceipt,
)

KEY = b"a key of at least thirty-two bytes"
EDITOR, REVIEWER = (Actor(ActorKind.USER, str(uuid4())) for _ in range(2))
PUBLIC = service.Submitter(Origin.PUBLIC, ANONYMOUS)
PARTNER = service.Submitter(Origin.PARTNER, Actor(ActorKind.USER, str(uuid4())), user_id="a-partner")
ANY = IfMatch(frozenset({"*"}))
PANTRY: dict[str, Any] = {
    "title": "Food pantry",
    "organization": "Mid-Ohio Food Collective",
    "categories": ["food"],
    "scope": "local",
    "phone": "614-555-0123",
    "website": "https://www.mofc.org/",
    "hours": {"text": "Mon-Fri 8:00AM-4:30PM"},
    "locations": [{"city": "Columbus", "state": "OH"}],
}
Do = Callable[..., Awaitable[Any]]


@pytest.fixture
def do(app: FastAPI) -> Do:
    """Run one function of the service in a transaction of its own, as the request does."""

    async def act(act: Do, *arguments: object, **named: object) -> Any:
        async with own_transaction(app.state.database) as session:
            return await act(session, *arguments, **named)

    return act


@pytest.fixture
async def pantry(do: Do) -> ResourceRead:
    created: ResourceRead = await do(service.create_resource, ResourceCreate.model_validate(PANTRY), actor=EDITOR)
    return created


async def suggest(do: Do, resource: ResourceRead | None, **fields: object) -> SuggestionReceipt:
    given = {"resource_id": resource and str(resource.id), "resource": fields}
    receipt: SuggestionReceipt = await do(service.take_suggestion, SuggestionCreate.model_validate(given), KEY, PUBLIC)
    return receipt


async def queued(sql: asyncpg.Connection, do: Do) -> list[ProposalDetail]:
    ids = [row["id"] for row in await sql.fetch("select id from proposals order by created_at")]
    found = await do(service.read_proposals, ids)
    return [found[id_] for id_ in ids]


async def decide(
    do: Do, proposal_id: UUID, *, approve: bool = True, match: IfMatch = ANY, by: Actor = REVIEWER, **how: Any
) -> None:
    async def decision(session: Any) -> None:
        proposal = await service.lock_proposal(session, proposal_id, match, by.id or "")
        deed = service.Deed(Change.UPDATED, by, "checked")
        decider = service.Decider(deed, how.pop("reason", "because"))
        if approve:
            await service.approve_proposal(session, proposal, decider, **how)
        else:
            await service.reject_proposal(session, proposal, decider)

    await do(decision)


async def test_a_suggestion_that_lacks_something_is_told_where_it_belongs(client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/v1/suggestions", json={"resource": {"title": "Food pantry"}})
    assert answer.status_code == 422
    assert [(error["pointer"], error["code"]) for error in answer.json()["errors"]] == [
        ("/body/resource/categories", "missing")
    ]


async def test_a_suggestion_is_invisible_until_approved(
    client: httpx.AsyncClient, do: Do, pantry: ResourceRead, sql: asyncpg.Connection
) -> None:
    before = (await client.get(f"/api/v1/resources/{pantry.id}")).headers["etag"]
    receipt = await suggest(do, pantry, phone="614-555-0199", cost="Free", title="Zebra")
    (proposal,) = await queued(sql, do)
    assert {change.field: (change.before, change.after) for change in proposal.changes} == {
        "phone": ("+16145550123", "+16145550199"),
        "cost": (None, "Free"),
        "title": ("Food pantry", "Zebra"),
    }
    assert (proposal.risk, proposal.conflicting, proposal.submissions) == (Risk.HIGH, False, 1)
    assert (await client.get(f"/api/v1/resources/{pantry.id}")).headers["etag"] == before
    assert (await client.get("/api/v1/search?q=zebra")).json()["total"] == 0
    await decide(do, proposal.id, fields=["phone", "cost"])
    shown = (await client.get(f"/api/v1/resources/{pantry.id}")).json()
    assert (shown["phone"], shown["cost"], shown["title"]) == ("+16145550199", "Free", "Food pantry")
    status = await do(service.get_suggestion, receipt.token, KEY)
    assert (status.state, status.reason, status.resource_id) == (ProposalState.APPROVED, "because", pantry.id)
    with pytest.raises(SuggestionNotFound):
        await do(service.get_suggestion, "sug_other", KEY)


async def test_a_new_resource_is_published_by_its_approval(client: httpx.AsyncClient, do: Do, sql: Any) -> None:
    receipt = await suggest(do, None, title="Stand Down", categories=["food"], states=["OH"])
    (proposal,) = await queued(sql, do)
    assert (proposal.kind, proposal.risk) == (ProposalKind.CREATE, Risk.HIGH)
    assert (await do(service.get_suggestion, receipt.token, KEY)).resource_id is None
    await decide(do, proposal.id, edits=ResourceFields(phone="614-555-0123"))
    resource_id = (await do(service.get_suggestion, receipt.token, KEY)).resource_id
    shown = (await client.get(f"/api/v1/resources/{resource_id}")).json()
    assert (shown["title"], shown["phone"], shown["source"]["slug"]) == ("Stand Down", "+16145550123", "suggestions")
    assert shown["source"]["tier"] == 4
    with pytest.raises(InvalidRequest):
        await suggest(do, None, title="Without a category")


async def test_the_same_open_change_is_queued_once(do: Do, pantry: ResourceRead, sql: asyncpg.Connection) -> None:
    receipts = await asyncio.gather(*(suggest(do, pantry, phone="614-555-0199") for _ in range(8)))
    assert len({receipt.token for receipt in receipts}) == 8
    (proposal,) = await queued(sql, do)
    assert proposal.submissions == 8
    await decide(do, proposal.id, approve=False)
    await suggest(do, pantry, phone="614-555-0199")
    assert [entry.state for entry in await queued(sql, do)] == [ProposalState.REJECTED, ProposalState.OPEN]


async def test_what_changes_nothing_is_told(do: Do, pantry: ResourceRead) -> None:
    with pytest.raises(InvalidRequest) as caught:
        await suggest(do, pantry, phone="(614) 555-0123", title="Food pantry")
    assert caught.value.errors[0].code == "no_change"


async def test_what_is_not_published_does_not_exist_here(do: Do) -> None:
    hidden = await do(
        service.create_resource, ResourceCreate.model_validate(PANTRY | {"status": "draft"}), actor=EDITOR
    )
    with pytest.raises(ResourceNotFound):
        await suggest(do, hidden, phone="614-555-0199")
    with pytest.raises(ResourceNotFound):
        await do(service.report, hidden.id, FeedbackCreate(kind="closed"), KEY, PUBLIC)


async def test_what_is_gone_is_told_with_its_successor(client: httpx.AsyncClient, do: Do, pantry: ResourceRead) -> None:
    address, given = f"/api/v1/resources/{pantry.id}/feedback", {"kind": "closed"}
    successor = await do(service.create_resource, ResourceCreate.model_validate(PANTRY), actor=EDITOR)
    await do(service.withdraw_resources, [pantry.id], successor_id=successor.id)
    answer = await client.post(address, json=given)
    assert (answer.status_code, answer.json()["successor"]) == (410, str(successor.id))
    with pytest.raises(ResourceGone):
        await suggest(do, pantry, phone="614-555-0199")
    unknown = await client.post(f"/api/v1/resources/{uuid4()}/feedback", json=given)
    assert (unknown.status_code, unknown.json()["type"]) == (404, "resource-not-found")


async def test_an_untouched_field_is_rebased_and_a_touched_one_conflicts(
    client: httpx.AsyncClient, do: Do, pantry: ResourceRead, sql: asyncpg.Connection
) -> None:
    await suggest(do, pantry, phone="614-555-0199", cost="Free")
    await do(service.update_resource, pantry.id, ResourceUpdate(title="Pantry"), ANY, actor=EDITOR)
    assert not (await queued(sql, do))[0].conflicting
    await do(service.update_resource, pantry.id, ResourceUpdate(phone="614-555-0150"), ANY, actor=EDITOR)
    (proposal,) = await queued(sql, do)
    phone = next(change for change in proposal.changes if change.field == "phone")
    assert (phone.before, phone.current, phone.after) == ("+16145550123", "+16145550150", "+16145550199")
    assert [change.field for change in proposal.changes if change.conflicts] == ["phone"]
    with pytest.raises(ProposalConflicts):
        await decide(do, proposal.id)
    await decide(do, proposal.id, fields=["cost", "phone"])
    shown = (await client.get(f"/api/v1/resources/{pantry.id}")).json()
    assert (shown["title"], shown["phone"], shown["cost"]) == ("Pantry", "+16145550199", "Free")


async def test_it_is_decided_once_on_what_was_read(do: Do, pantry: ResourceRead, sql: asyncpg.Connection) -> None:
    await suggest(do, pantry, cost="Free")
    (proposal,) = await queued(sql, do)
    with pytest.raises(PreconditionFailed):
        await decide(do, proposal.id, match=IfMatch(frozenset({'"2"'})))
    with pytest.raises(InvalidRequest):
        await decide(do, proposal.id, fields=["phone"])

    async def attempt(*, approve: bool) -> AppError | None:
        try:
            await decide(do, proposal.id, approve=approve, match=IfMatch(frozenset({'"1"'})))
        except AppError as error:
            return error
        return None

    outcomes = await asyncio.gather(*(attempt(approve=bool(number % 2)) for number in range(10)))
    assert outcomes.count(None) == 1
    assert {type(outcome) for outcome in outcomes} == {type(None), ProposalDecided}
    state = (await queued(sql, do))[0].state
    events = await sql.fetch("select action from audit_events where target_id = $1", str(proposal.id))
    assert [row["action"] for row in events] == ["proposal.created", f"proposal.{state}"]
    with pytest.raises(ProposalNotFound):
        await decide(do, uuid4())


async def test_nobody_decides_what_they_sent(do: Do, pantry: ResourceRead, sql: asyncpg.Connection) -> None:
    given = {"kind": "archive", "resource_id": str(pantry.id), "note": "closed last week"}
    id_ = (await do(service.propose_as_partner, ProposalCreate.model_validate(given), PARTNER)).id
    with pytest.raises(OwnProposal):
        await decide(do, id_, by=Actor(ActorKind.USER, "a-partner"))
    await decide(do, id_)
    assert await sql.fetchval("select status from resources") == "archived"


async def test_who_proposes_what_is_queued_finds_it_and_may_not_decide_it(
    app: FastAPI, do: Do, pantry: ResourceRead, sql: asyncpg.Connection
) -> None:
    other = service.Submitter(Origin.PARTNER, Actor(ActorKind.USER, str(uuid4())), user_id="another-partner")
    given = {"kind": "change", "resource_id": str(pantry.id), "resource": {"cost": "Free"}}
    first = await do(
        service.propose_as_partner, ProposalCreate.model_validate(given | {"note": "a secret of mine"}), PARTNER
    )
    for _ in range(2):
        second = await do(service.propose_as_partner, ProposalCreate.model_validate(given), other)
    assert (second.id, first.note, second.note) == (first.id, "a secret of mine", None)
    assert await do(service.get_own_proposal, "another-partner", first.id) == second
    for user_id, count in (("a-partner", 1), ("another-partner", 1), ("a-stranger", 0)):
        page = await do(service.list_own_proposals, user_id, ProposalQuery(state=["open"]), app.state.cursors)
        assert page.matches == count
    assert (await queued(sql, do))[0].submissions == 2
    for user_id in ("a-partner", "another-partner"):
        with pytest.raises(OwnProposal):
            await decide(do, first.id, by=Actor(ActorKind.USER, user_id))


async def test_a_report_is_closed_with_the_right_value(do: Do, pantry: ResourceRead, sql: asyncpg.Connection) -> None:
    receipt = await do(service.report, pantry.id, FeedbackCreate(kind="wrong_phone", note="rings out"), KEY, PUBLIC)
    (proposal,) = await queued(sql, do)
    assert (proposal.kind, proposal.feedback, proposal.note) == (ProposalKind.REPORT, "wrong_phone", "rings out")
    await decide(do, proposal.id, edits=ResourceFields(phone="614-555-0150"))
    assert await sql.fetchval("select phone from resources") == "+16145550150"
    assert (await do(service.get_suggestion, receipt.token, KEY)).state is ProposalState.APPROVED


@pytest.mark.parametrize(
    ("fields", "risk"),
    [
        ({"description": "New words"}, Risk.LOW),
        ({"hours": {"text": "daily"}}, Risk.LOW),
        ({"website": "https://example.org/"}, Risk.HIGH),
        ({"website": "https://food.mofc.org/pantry?id=1"}, Risk.LOW),
        ({"website": "https://mofc.org.example.com/"}, Risk.HIGH),
        ({"website": None}, Risk.HIGH),
        ({"email": "help@example.org"}, Risk.HIGH),
        ({"eligibility": ["Veterans"]}, Risk.HIGH),
        ({"summary": "Short"}, Risk.LOW),
        ({"locations": [{"city": "Dayton", "state": "OH"}]}, Risk.HIGH),
        ({"locations": [{"name": "Hall", "city": "Columbus", "state": "OH"}]}, Risk.LOW),
    ],
)
async def test_risk_is_what_a_wrong_approval_would_do(
    do: Do, pantry: ResourceRead, sql: asyncpg.Connection, fields: dict[str, Any], risk: Risk
) -> None:
    await suggest(do, pantry, **fields)
    assert (await queued(sql, do))[0].risk is risk


async def test_a_crisis_line_comes_first(do: Do, sql: asyncpg.Connection) -> None:
    for number, crisis in enumerate(({"phone": "988"}, {"tags": ["crisis-support"]})):
        given = ResourceCreate.model_validate(PANTRY | crisis)
        line = await do(service.create_resource, given, actor=EDITOR)
        await suggest(do, line, phone="614-555-0199")
        assert (await queued(sql, do))[number].risk is Risk.CRISIS
    await suggest(do, line, tags=["hotline"])
    assert (await queued(sql, do))[-1].risk is Risk.CRISIS
    assert await sql.fetchval("select max(priority) from proposals") == 0


async def test_contacts_are_apart_and_erased(do: Do, pantry: ResourceRead, sql: asyncpg.Connection) -> None:
    contact = {"name": "Canary Person", "email": "canary@example.org", "phone": "614-555-0177"}
    given = {"resource_id": str(pantry.id), "resource": {"cost": "Free"}, "contact": contact}
    await do(service.take_suggestion, SuggestionCreate.model_validate(given), KEY, PUBLIC)
    (proposal,) = await queued(sql, do)
    assert "anary" not in proposal.model_dump_json()
    assert "anary" not in str(await sql.fetch("select * from audit_events"))
    await do(service.erase_contacts)
    assert await sql.fetchval("select count(*) from submitter_contacts") == 1
    await decide(do, proposal.id)
    await do(service.erase_contacts)
    assert await sql.fetchval("select phone from submitter_contacts") == "+16145550177"
    await sql.execute("update proposals set decided_at = now() - interval '30 days 1 minute'")
    await do(service.erase_contacts)
    assert await sql.fetchval("select count(*) from submitter_contacts") == 0


async def test_a_contact_is_erased_when_its_owner_asks(
    client: httpx.AsyncClient, pantry: ResourceRead, sql: asyncpg.Connection
) -> None:
    tokens = []
    for name in ("Pat", "Sam"):
        given = {"resource_id": str(pantry.id), "resource": {"cost": "Free"}, "contact": {"name": name}}
        tokens.append((await client.post("/api/v1/suggestions", json=given)).json()["token"])
    for _ in range(2):
        assert (await client.delete(f"/api/v1/suggestions/{tokens[0]}/contact")).status_code == 204
    assert [row["name"] for row in await sql.fetch("select name from submitter_contacts")] == ["Sam"]
    assert await sql.fetchval("select count(*) from audit_events where action = 'contact.erased'") == 1
    assert (await client.get(f"/api/v1/suggestions/{tokens[0]}")).json()["state"] == "open"
    unknown = await client.delete(f"/api/v1/suggestions/sug_{'0' * 43}/contact")
    assert (unknown.status_code, unknown.json()["type"]) == (404, "suggestion-not-found")


@pytest.mark.parametrize(
    "text",
    [
        "my ssn is 123-45-6789",
        "123 45 6789",
        "123456789",
        "Social Security number: 123456789",
        "EDIPI 1234567890",
        "DoD ID number 1234567890",
        "1012345678V123456",
        "C12345678",
        "VA file number 12345678",
        "claim #123456789",
        "C-file 12 345 678",
        "123\u201345\u20136789",  # as a telephone corrects it
        "123\u201145\u20116789",
        "123\N{NO-BREAK SPACE}45\N{NO-BREAK SPACE}6789",
        "123-\u200b45-6789",
        "\uff11\uff12\uff13-\uff14\uff15-\uff16\uff17\uff18\uff19",
    ],
)
async def test_numbers_of_one_person_are_refused(text: str) -> None:
    assert find_identifier(text) is not None
    for given in ({"note": text}, {"resource": {"description": f"Call. {text}"}}, {"contact": {"name": text}}):
        with pytest.raises(ValidationError) as caught:
            SuggestionCreate.model_validate({"resource": {}, **given})
        (error,) = caught.value.errors()
        assert error["type"] == "personal_identifier"
        assert text not in json.dumps(error["msg"])


@pytest.mark.parametrize(
    "text",
    ["614-555-0123", "(614) 555-0123", "6145550123", "1-800-698-2411", "43215-1234", "EIN 12-3456789", "open 24/7",
     "https://example.org/123456789", "03f642192489", "Room 1234", "VA Form 21-526EZ", "38 CFR 3.303",
     "claims at 43215-1234", "File by phone: 614\u2013555\u20130123"],
)  # fmt: skip
def test_numbers_of_a_place_are_not(text: str) -> None:
    assert find_identifier(text) is None
