"""Review over HTTP: from a visitor's suggestion to what everybody sees, and back."""

import asyncio
import tomllib
from importlib.resources import files
from typing import Any

import asyncpg
import httpx
import pytest

from tests.admin.conftest import AddPerson, SignIn

Headers = dict[str, str]
OPEN: list[str] = tomllib.loads(files("vibe4vets.auth").joinpath("matrix.toml").read_text(encoding="utf-8"))["anybody"]
NEW: dict[str, Any] = {
    "title": "Food pantry",
    "organization": "Mid-Ohio Food Collective",
    "categories": ["food"],
    "scope": "local",
    "states": ["OH"],
    "phone": "614-555-0123",
}


@pytest.fixture
async def editor(add_person: AddPerson, sign_in: SignIn) -> Headers:
    return await sign_in(await add_person("editor"))


@pytest.fixture
async def reviewer(add_person: AddPerson, sign_in: SignIn) -> Headers:
    return await sign_in(await add_person("reviewer"))


@pytest.fixture
async def pantry(client: httpx.AsyncClient, editor: Headers) -> dict[str, Any]:
    answer = await client.post("/api/v1/resources", json=NEW, headers=editor)
    assert answer.status_code == 201, answer.text
    created: dict[str, Any] = answer.json()
    return created


async def suggest(client: httpx.AsyncClient, **given: Any) -> str:
    answer = await client.post("/api/v1/suggestions", json=given)
    assert answer.status_code == 202, answer.text
    token: str = answer.json()["token"]
    return token


async def queue(client: httpx.AsyncClient, reviewer: Headers, query: str = "") -> list[dict[str, Any]]:
    answer = await client.get(f"/api/v1/admin/reviews?{query}", headers=reviewer)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def public_addresses(id_: str, organization_id: str) -> list[str]:
    """Everything that anybody can read about it: whatever the matrix leaves open, exports among them as they come."""
    known = {"{resource_id}": id_, "{organization_id}": organization_id}
    addresses = [path for method, path in map(str.split, OPEN) if method == "GET" and "{token}" not in path]
    for name, value in known.items():
        addresses = [address.replace(name, value) for address in addresses]
    searches = [
        f"/api/v1/{address}"
        for word in ("pantry", "zebra")
        for address in (
            f"search?q={word}&facets=category,state,tag,scope&highlight=true",
            f"search/suggest?q={word[:4]}",
        )
    ]
    return [*(address for address in addresses if "/search" not in address), *searches]


async def everything_public(client: httpx.AsyncClient, resource: dict[str, Any], sql: asyncpg.Connection) -> str:
    """Body and ETag of each; of the feed, which ends before other tests' transactions, what it is made of."""
    shown = []
    for address in public_addresses(resource["id"], resource["organization"]["id"]):
        if not address.endswith("/changes"):
            answer = await client.get(address)
            assert answer.status_code == 200, (address, answer.text)
            shown += [answer.text, answer.headers.get("etag", "")]
    return "\n".join([*shown, str(await sql.fetch("select * from published_changes"))])


async def test_the_whole_story(
    client: httpx.AsyncClient, editor: Headers, reviewer: Headers, pantry: dict[str, Any], sql: asyncpg.Connection
) -> None:
    address = f"/api/v1/resources/{pantry['id']}"
    before = await everything_public(client, pantry, sql)
    changes = {"phone": "614-555-0199", "title": "Zebra pantry", "cost": "Free"}
    token = await suggest(client, resource_id=pantry["id"], resource=changes, note="They moved.")
    assert await everything_public(client, pantry, sql) == before
    waiting = (await client.get(f"/api/v1/suggestions/{token}")).json()
    assert (waiting["state"], waiting["reason"], waiting["decided_at"]) == ("open", None, None)

    (item,) = await queue(client, reviewer)
    review = f"/api/v1/admin/reviews/{item['id']}"
    claimed = await client.post(f"{review}/claim", json={}, headers=reviewer)
    assert claimed.status_code == 200
    detail = await client.get(review, headers=reviewer)
    shown = detail.json()
    assert {change["field"] for change in shown["changes"]} == set(changes)
    assert shown["base_version"] == 1
    assert (shown["note"], shown["risk"], shown["resource"]["phone"]) == ("They moved.", "high", "+16145550123")
    assert [version["change"] for version in shown["history"]] == ["created"]
    assert shown["claim"] == claimed.json()
    assert await everything_public(client, pantry, sql) == before

    approval = {"fields": ["phone", "cost"], "reason": "Thank you, we called.", "private_note": "spoke to Ann"}
    approved = await client.post(
        f"{review}/approve", json=approval, headers={**reviewer, "if-match": detail.headers["etag"]}
    )
    assert (approved.status_code, approved.json()["state"]) == (200, "approved"), approved.text
    public = (await client.get(address)).json()
    assert (public["phone"], public["cost"], public["title"]) == ("+16145550199", "Free", "Food pantry")
    assert (await client.get("/api/v1/search?q=pantry")).json()["items"][0]["resource"]["cost"] == "Free"
    after = await everything_public(client, pantry, sql)
    assert "+16145550199" in after
    assert "Zebra" not in after
    assert "They moved." not in after
    outcome = (await client.get(f"/api/v1/suggestions/{token}")).json()
    assert (outcome["state"], outcome["reason"]) == ("approved", "Thank you, we called.")
    assert "Ann" not in str(outcome)
    decided = (await client.get(review, headers=reviewer)).json()["decision"]
    assert (decided["fields"], decided["private_note"]) == (["cost", "phone"], "spoke to Ann")

    staff = f"/api/v1/admin/resources/{pantry['id']}"
    versions = (await client.get(f"{staff}/revisions", headers=editor)).json()["items"]
    assert [(version["number"], version["change"]) for version in versions] == [(2, "updated"), (1, "created")]
    assert versions[0]["actor"]["id"] == decided["actor_id"]
    assert versions[0]["reason"] == "Thank you, we called."
    diff = (await client.get(f"{staff}/revisions/1..2", headers=editor)).json()["changes"]
    assert {change["field"] for change in diff} == {"phone", "cost"}
    etag = (await client.get(staff, headers=editor)).headers["etag"]
    back = await client.post(f"{address}/rollback", json={"revision": 1}, headers={**editor, "if-match": etag})
    assert back.status_code == 200, back.text
    rolled = (await client.get(address)).json()
    assert {name: rolled[name] for name in ("phone", "cost", "title")} == {
        name: pantry[name] for name in ("phone", "cost", "title")
    }
    assert (rolled["version"], back.headers["etag"]) == (3, '"3"')
    assert (await client.get(f"/api/v1/suggestions/{token}")).json()["state"] == "approved"


async def test_another_reviewers_claim_is_respected(  # noqa: PLR0913, PLR0917  two reviewers and what they share
    client: httpx.AsyncClient,
    reviewer: Headers,
    add_person: AddPerson,
    sign_in: SignIn,
    pantry: dict[str, Any],
    sql: Any,
) -> None:
    await suggest(client, resource_id=pantry["id"], resource={"cost": "Free"})
    (item,) = await queue(client, reviewer)
    review = f"/api/v1/admin/reviews/{item['id']}"
    other = await sign_in(await add_person("reviewer"))
    assert (await client.post(f"{review}/claim", json={}, headers=other)).status_code == 200
    refused = await client.post(f"{review}/claim", json={}, headers=reviewer)
    assert (refused.status_code, refused.json()["type"]) == (409, "claimed-by-another")
    refusal = {"reason": "no"}
    named = {**reviewer, "if-match": '"1"'}
    assert (await client.post(f"{review}/reject", json=refusal, headers=named)).json()["type"] == "claimed-by-another"
    await sql.execute("update review_claims set claimed_until = now()")
    assert (await client.post(f"{review}/claim", json={}, headers=reviewer)).status_code == 200
    assert (await client.post(f"{review}/claim", json={"take_over": True}, headers=other)).status_code == 200
    assert (await client.post(f"{review}/release", headers=reviewer)).status_code == 204
    assert (await client.post(f"{review}/reject", json=refusal, headers=named)).status_code == 409
    assert (await client.post(f"{review}/release", headers=other)).status_code == 204
    assert (await client.post(f"{review}/reject", json=refusal, headers=named)).status_code == 200
    assert (await client.post(f"{review}/claim", json={}, headers=other)).json()["type"] == "proposal-decided"
    assert await sql.fetchval("select count(*) from audit_events where action = 'proposal.taken_over'") == 1


async def test_a_decision_names_what_was_read(client: httpx.AsyncClient, reviewer: Headers, pantry: Any) -> None:
    await suggest(client, resource_id=pantry["id"], resource={"cost": "Free"})
    (item,) = await queue(client, reviewer)
    approve = f"/api/v1/admin/reviews/{item['id']}/approve"
    assert (await client.post(approve, json={}, headers=reviewer)).status_code == 428
    assert (await client.post(approve, json={}, headers={**reviewer, "if-match": '"2"'})).status_code == 412
    unknown = {"fields": ["title"]}
    assert (await client.post(approve, json=unknown, headers={**reviewer, "if-match": '"1"'})).status_code == 422


async def test_many_are_decided_each_on_its_own(client: httpx.AsyncClient, reviewer: Headers, pantry: Any) -> None:
    for field in ("cost", "summary", "how_to_apply"):
        await suggest(client, resource_id=pantry["id"], resource={field: "Free"})
    first, second, third = await queue(client, reviewer)
    decisions = [
        {"id": first["id"], "version": 1, "action": "approve"},
        {"id": second["id"], "version": 1, "action": "reject", "reason": "Not so."},
        {"id": third["id"], "version": 7, "action": "approve"},
        {"id": pantry["id"], "version": 1, "action": "approve"},
    ]
    answer = await client.post("/api/v1/admin/reviews/bulk", json={"decisions": decisions}, headers=reviewer)
    assert [(outcome["state"], outcome["problem"]) for outcome in answer.json()["outcomes"]] == [
        ("approved", None),
        ("rejected", None),
        (None, "precondition-failed"),
        (None, "proposal-not-found"),
    ]
    assert [item["id"] for item in await queue(client, reviewer)] == [third["id"]]
    assert [item["id"] for item in await queue(client, reviewer, "state=rejected")] == [second["id"]]
    decided = await queue(client, reviewer, "state=rejected&state=approved")
    assert {item["id"] for item in decided} == {first["id"], second["id"]}
    every = await queue(client, reviewer, "state=rejected&state=approved&state=open")
    assert {item["id"] for item in every} == {first["id"], second["id"], third["id"]}


async def test_feedback_is_a_door_of_its_own(client: httpx.AsyncClient, reviewer: Headers, editor: Headers) -> None:
    pantry = (await client.post("/api/v1/resources", json=NEW, headers=editor)).json()
    await suggest(client, resource_id=pantry["id"], resource={"cost": "Free"})
    report = {"kind": "closed", "note": "a sign on the door"}
    assert (await client.post(f"/api/v1/resources/{pantry['id']}/feedback", json=report)).status_code == 202
    (told,) = await queue(client, reviewer, "source=feedback")
    assert (told["origin"], told["kind"], told["note"]) == ("feedback", "report", "a sign on the door")


async def test_the_riskiest_and_oldest_come_first(
    client: httpx.AsyncClient, reviewer: Headers, editor: Headers
) -> None:
    line = (await client.post("/api/v1/resources", json=NEW | {"phone": "988"}, headers=editor)).json()
    for field, value in (("cost", "Free"), ("phone", "614-555-0199"), ("website", "https://www.va.gov/")):
        await suggest(client, resource_id=line["id"], resource={field: value})
    kinds = [(item["risk"], item["changes"][0]["field"]) for item in await queue(client, reviewer)]
    assert kinds == [("crisis", "phone"), ("high", "website"), ("low", "cost")]
    assert len(await queue(client, reviewer, "risk=high&kind=change&source=public")) == 1
    assert await queue(client, reviewer, "kind=archive") == []
    first = (await client.get("/api/v1/admin/reviews?limit=1", headers=reviewer)).json()
    rest = await queue(client, reviewer, f"limit=5&cursor={first['next_cursor']}")
    assert [item["risk"] for item in rest] == ["high", "low"]


async def test_partners_see_their_own(
    client: httpx.AsyncClient, add_person: AddPerson, sign_in: SignIn, pantry: dict[str, Any]
) -> None:
    one, two = [await sign_in(await add_person("partner")) for _ in range(2)]
    given = {"kind": "change", "resource_id": pantry["id"], "resource": {"cost": "Free"}}
    answer = await client.post("/api/v1/proposals", json=given, headers=one)
    assert answer.status_code == 202, answer.text
    address = f"/api/v1/proposals/{answer.json()['id']}"
    assert (await client.get(address, headers=one)).json() == answer.json()
    assert (await client.get(address, headers=two)).json()["type"] == "proposal-not-found"
    assert (await client.get("/api/v1/proposals", headers=two)).json()["total"] == 0
    mine = (await client.get("/api/v1/proposals?state=open", headers=one)).json()
    assert [proposal["id"] for proposal in mine["items"]] == [answer.json()["id"]]


async def test_near_duplicates_and_contacts_are_shown(
    client: httpx.AsyncClient, reviewer: Headers, pantry: dict[str, Any]
) -> None:
    await suggest(
        client,
        resource={"title": "Food Pantry", "categories": ["food"]},
        contact={"name": "Pat", "email": "pat@example.org"},
    )
    (item,) = await queue(client, reviewer)
    detail = (await client.get(f"/api/v1/admin/reviews/{item['id']}", headers=reviewer)).json()
    assert [(alike["id"], alike["similarity"]) for alike in detail["duplicates"]] == [(pantry["id"], 1.0)]
    assert detail["contacts"] == [{"name": "Pat", "email": "pat@example.org", "phone": None}]


async def test_one_of_two_opposite_decisions_wins(
    client: httpx.AsyncClient, reviewer: Headers, pantry: dict[str, Any], sql: asyncpg.Connection
) -> None:
    for number in range(5):
        await suggest(client, resource_id=pantry["id"], resource={"summary": f"Summary {number}"})
        (item,) = await queue(client, reviewer)
        review, named = f"/api/v1/admin/reviews/{item['id']}", {**reviewer, "if-match": '"1"'}
        answers = await asyncio.gather(
            client.post(f"{review}/approve", json={"fields": ["summary"]}, headers=named),
            client.post(f"{review}/reject", json={"reason": "no"}, headers=named),
        )
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        won = next(answer.json()["state"] for answer in answers if answer.status_code == 200)
        assert await sql.fetchval("select state from review_decisions where proposal_id = $1", item["id"]) == won
        summary = (await client.get(f"/api/v1/resources/{pantry['id']}")).json()["summary"]
        assert (summary == f"Summary {number}") == (won == "approved")


async def test_the_numbers_of_the_dashboard(
    client: httpx.AsyncClient, add_person: AddPerson, sign_in: SignIn, reviewer: Headers, pantry: dict[str, Any]
) -> None:
    for field in ("cost", "summary"):
        await suggest(client, resource_id=pantry["id"], resource={field: "Free"})
    first, _ = await queue(client, reviewer)
    named = {**reviewer, "if-match": '"1"'}
    await client.post(f"/api/v1/admin/reviews/{first['id']}/approve", json={}, headers=named)
    editor = await sign_in(await add_person("editor"))
    stats = (await client.get("/api/v1/admin/stats", headers=editor)).json()
    assert (stats["queue"]["open"], stats["queue"]["by_kind"]) == (1, {"change": 1})
    assert [day["approved"] for day in stats["decisions"]] == [1]
    assert stats["verification"]["never"] == 1
    assert stats["coverage"] == {"category": {"food": 1}, "state": {"OH": 1}}
    assert stats["coverage_by_state"] == {"OH": {"food": 1}}
    assert stats["queue"]["oldest_at"] is not None


CANARIES = {
    name: f"canary{name}qzx" for name in ("title", "description", "summary", "organization", "cost", "note", "person")
}


async def test_nothing_of_a_suggestion_leaks(
    client: httpx.AsyncClient, pantry: dict[str, Any], sql: asyncpg.Connection, capfd: pytest.CaptureFixture[str]
) -> None:
    """In this process; tests/drills/test_privacy.py looks into logs, metrics and dumps of a real one."""
    resource = {field: CANARIES[field] for field in ("title", "description", "summary", "organization", "cost")}
    contact = {"name": CANARIES["person"], "email": f"{CANARIES['person']}@example.org"}
    token = await suggest(client, resource={**resource, "categories": ["food"]}, note=CANARIES["note"], contact=contact)
    for word in CANARIES.values():
        found = (await client.get(f"/api/v1/search?q={word}")).json()
        assert found["total"] == 0 or found["interpretation"].get("fallback")
    wrong = {"resource": {**resource, "title": 1}, "note": CANARIES["note"], "contact": contact}
    refused = await client.post("/api/v1/suggestions", json=wrong)
    assert refused.status_code == 422
    texts = {
        "public": await everything_public(client, pantry, sql),
        "status": (await client.get(f"/api/v1/suggestions/{token}")).text,
        "refusal": refused.text,
        "audit": str(await sql.fetch("select * from audit_events")),
        "log": capfd.readouterr().err,
    }
    assert '"route":"/api/v1/suggestions"' in texts["log"], "the control: the log is read"
    assert {name: [word for word in CANARIES.values() if word in text] for name, text in texts.items()} == {
        name: [] for name in texts
    }
