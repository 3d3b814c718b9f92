"""Connectors over HTTP: how they do, how they are set, runs asked for, cancelled and confirmed."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from pydantic import SecretStr

from tests.auth.conftest import AddPerson, SignIn
from tests.connectors.conftest import Ask
from vibe4vets.connectors.models import ConnectorRun, QuarantinedRecord, RunState
from vibe4vets.core.config import ConnectorSettings, Settings
from vibe4vets.core.database import Session
from vibe4vets.core.models import utc_now

VA, OHIO, AWAY, SHUT = "va_facilities", "ohio_211", "away_211", "shut_211"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Three publishers beside the VA: one that is whole, one without an address, one that is switched off."""
    there = {"base_url": "https://hsds.example.org"}
    connectors = {
        OHIO: ConnectorSettings.model_validate(there),
        AWAY: ConnectorSettings(),
        SHUT: ConnectorSettings.model_validate({**there, "enabled": False}),
    }
    return settings.model_copy(update={"va_api_key": SecretStr("key"), "connectors": connectors})


async def add_run(session: Session, connector: str = OHIO, **columns: Any) -> ConnectorRun:
    """A run that has got as far as `columns` say."""
    run = ConnectorRun(connector=connector, subject="hsds.example.org", **columns)
    if run.state not in {RunState.QUEUED, RunState.HELD, RunState.RUNNING}:
        run.finished_at = run.finished_at or utc_now()
    session.add(run)
    await session.commit()
    return run


async def read(ask: Ask, name: str) -> dict[str, Any]:
    answer = await ask("GET", f"/{name}", role="reviewer")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_every_connector_is_listed_with_what_is_in_the_way(ask: Ask) -> None:
    answer = await ask("GET", "", role="editor")
    assert answer.status_code == 200
    listed = {item["name"]: item for item in answer.json()["items"]}
    assert list(listed) == sorted([VA, OHIO, AWAY, SHUT])
    assert answer.json()["total"] == 4
    va = listed[VA]
    assert (va["enabled"], va["obstacle"], va["health"], va["source"]["tier"]) == (True, None, "never_run", 1)
    assert (va["schedule"], va["last_run"]) == ("P1D", None)
    assert va["due_at"] is not None
    assert (listed[AWAY]["health"], listed[AWAY]["due_at"]) == ("off", None)
    assert "VIBE4VETS_CONNECTORS__AWAY_211__BASE_URL" in listed[AWAY]["reason"]
    assert listed[SHUT]["enabled"] is False
    assert "Switched off by VIBE4VETS_CONNECTORS__SHUT_211__ENABLED" in listed[SHUT]["obstacle"]
    assert (await ask("GET", "/nobody")).json()["type"] == "connector-not-found"


async def test_connectors_come_in_pages_like_any_list(ask: Ask) -> None:
    names, address = [], "?limit=3"
    while address:
        answer = await ask("GET", address, role="reviewer")
        page = answer.json()
        assert (answer.status_code, page["total"], page["total_is_exact"]) == (200, 4, True), answer.text
        names.append([item["name"] for item in page["items"]])
        address = page["next_cursor"] and f"?limit=3&cursor={page['next_cursor']}"
    every = sorted([VA, OHIO, AWAY, SHUT])
    assert names == [every[:3], every[3:]]
    assert [item["name"] for item in (await ask("GET", "?offset=2")).json()["items"]] == every[2:]
    past = (await ask("GET", "?offset=4")).json()
    assert (past["items"], past["total"], past["next_cursor"]) == ([], 4, None)
    assert (await ask("GET", "?limit=101")).status_code == 422
    assert (await ask("GET", "?cursor=abc")).status_code == 400


async def test_admins_see_at_the_probe_which_source_is_stale(
    client: httpx.AsyncClient, add_person: AddPerson, sign_in: SignIn, session: Session
) -> None:
    old = utc_now() - timedelta(days=3)
    await add_run(session, state=RunState.SUCCEEDED, finished_at=old, created_at=old)
    admin = await sign_in(await add_person("admin"))
    answer = await client.get("/health/ready", headers=admin)
    assert answer.headers["cache-control"] == "no-store"
    sources = {source["name"]: source for source in answer.json()["sources"]}
    assert sources.keys() == {VA, OHIO, AWAY, SHUT}
    assert (sources[OHIO]["health"], "3 days" in sources[OHIO]["reason"]) == ("stale", True)
    assert sources[OHIO]["last_success_at"].startswith(f"{old:%Y-%m-%d}")
    reviewer = await sign_in(await add_person("reviewer"))
    forged = {"Authorization": admin["Authorization"][:-8] + "AAAAAAAA"}
    for headers in ({}, reviewer, forged, {"authorization": "Basic YTpi"}):
        answer = await client.get("/health/ready", headers=headers)
        assert (answer.status_code, answer.json()["sources"]) == (200, None), "a probe does not fail by its credentials"


async def test_health_is_told_with_its_reason(ask: Ask, session: Session) -> None:
    assert (await read(ask, OHIO))["health"] == "never_run"
    await add_run(session, state=RunState.SUCCEEDED, dry_run=True)
    assert (await read(ask, OHIO))["health"] == "never_run"
    now = utc_now()
    old = await add_run(
        session, state=RunState.SUCCEEDED, finished_at=now - timedelta(days=3), created_at=now - timedelta(days=3)
    )
    stale = await read(ask, OHIO)
    assert (stale["health"], "3 days and 0 hours ago" in stale["reason"]) == ("stale", True)
    assert stale["last_success_at"].startswith(f"{old.finished_at:%Y-%m-%d}")
    await add_run(session, state=RunState.FAILED, error="FetchError", advice="The host does not answer.")
    failing = await read(ask, OHIO)
    assert (failing["health"], "does not answer" in failing["reason"]) == ("failing", True)
    await add_run(session, state=RunState.SUCCEEDED)
    assert (await read(ask, OHIO))["health"] == "ok"
    held = await add_run(session, state=RunState.HELD, held_because="many")
    found = await read(ask, OHIO)
    assert (found["health"], found["last_run"]["id"]) == ("ok", str(held.id))


async def test_a_schedule_is_changed_by_whoever_has_read_it(
    ask: Ask, session: Session, sql: asyncpg.Connection
) -> None:
    run = await add_run(session, state=RunState.SUCCEEDED)
    etag = (await ask("GET", f"/{OHIO}")).headers["etag"]
    match = {"If-Match": etag}
    assert (await ask("PATCH", f"/{OHIO}", json={"enabled": False})).status_code == 428
    assert (await ask("PATCH", f"/{OHIO}", json={"enabled": False}, headers={"If-Match": '"7"'})).status_code == 412
    changed = await ask("PATCH", f"/{OHIO}", json={"schedule": "PT12H"}, headers=match)
    assert (changed.status_code, changed.json()["schedule"]) == (200, "PT12H")
    due = await sql.fetchval("select due_at from connector_schedules where connector = $1", OHIO)
    assert due == run.created_at + timedelta(hours=12)
    assert (await ask("PATCH", f"/{OHIO}", json={"schedule": 600}, headers=match)).status_code == 412
    match = {"If-Match": changed.headers["etag"]}
    off = await ask("PATCH", f"/{OHIO}", json={"enabled": False}, headers=match)
    assert (off.json()["enabled"], off.json()["health"], off.json()["due_at"]) == (False, "off", None)
    assert off.json()["schedule"] == "PT12H"
    refused = await ask("POST", f"/{OHIO}/runs")
    assert (refused.status_code, refused.json()["type"]) == (409, "connector-off")
    own = await ask("PATCH", f"/{OHIO}", json={"schedule": None}, headers={"If-Match": off.headers["etag"]})
    assert own.json()["schedule"] == "P1D"
    events = await sql.fetch("select details from audit_events where action = 'connector.update' order by sequence")
    assert len(events) == 3


@pytest.mark.parametrize(
    "schedule",
    [299, 0, -5, "PT4M", "P400D", "P1Y", "1:00", "soon", "", "P", "PT", True, 1.5, [], 10**30, "PT99999999S"],
)
async def test_a_schedule_is_a_duration(ask: Ask, schedule: object) -> None:
    answer = await ask("PATCH", f"/{OHIO}", json={"schedule": schedule}, headers={"If-Match": "*"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"].startswith("/body/schedule")


async def test_the_environment_wins_and_says_so(ask: Ask) -> None:
    answer = await ask("PATCH", f"/{SHUT}", json={"enabled": True}, headers={"If-Match": "*"})
    assert answer.status_code == 200
    assert (answer.json()["enabled"], answer.json()["health"]) == (False, "off")
    assert "VIBE4VETS_CONNECTORS__SHUT_211__ENABLED" in answer.json()["reason"]


async def test_one_of_many_who_change_it_at_once_does(ask: Ask) -> None:
    etag = (await ask("GET", f"/{OHIO}")).headers["etag"]
    patches = [
        ask("PATCH", f"/{OHIO}", json={"schedule": 3600 + number}, headers={"If-Match": etag}) for number in range(8)
    ]
    statuses = sorted(answer.status_code for answer in await asyncio.gather(*patches))
    assert statuses == [200] + [412] * 7


async def test_a_run_is_asked_for_once(ask: Ask, sql: asyncpg.Connection) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    answer = await ask("POST", f"/{OHIO}/runs", json={"dry_run": True}, headers=key)
    assert answer.status_code == 202
    run = answer.json()
    assert answer.headers["location"] == f"/api/v1/connectors/runs/{run['id']}"
    assert (run["state"], run["dry_run"], run["trigger"], run["policy"]) == ("queued", True, "request", "review")
    again = await ask("POST", f"/{OHIO}/runs", json={"dry_run": True}, headers=key)
    assert (again.json()["id"], again.headers["idempotency-replayed"]) == (run["id"], "true")
    other = await ask("POST", f"/{OHIO}/runs")
    assert (other.status_code, other.json()["type"], other.json()["run_id"]) == (409, "run-under-way", run["id"])
    assert (await ask("GET", answer.headers["location"].removeprefix("/api/v1/connectors"))).json() == run
    assert await sql.fetchval("select count(*) from connector_runs") == 1


async def test_of_those_who_ask_at_once_one_gets_a_run(ask: Ask, sql: asyncpg.Connection) -> None:
    await ask("GET", "")  # to be signed in
    answers = await asyncio.gather(*(ask("POST", f"/{OHIO}/runs") for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [202] + [409] * 5
    (run_id,) = [str(row[0]) for row in await sql.fetch("select id from connector_runs")]
    assert {answer.json()["run_id"] for answer in answers if answer.status_code == 409} == {run_id}


async def test_six_runs_an_hour(ask: Ask) -> None:
    first = [await ask("POST", f"/{OHIO}/runs") for _ in range(6)]
    assert [answer.status_code for answer in first] == [202, *[409] * 5]
    last = await ask("POST", f"/{OHIO}/runs")
    assert (last.status_code, last.json()["type"]) == (429, "too-many-requests")
    assert 0 < int(last.headers["retry-after"]) <= 3600
    assert (await ask("POST", f"/{VA}/runs")).status_code == 202


async def test_runs_are_listed_by_pages(ask: Ask, session: Session) -> None:
    for number in range(5):
        state = RunState.FAILED if number % 2 else RunState.SUCCEEDED
        await add_run(session, state=state)
    first = (await ask("GET", f"/{OHIO}/runs?limit=3", role="reviewer")).json()
    assert (first["total"], len(first["items"])) == (5, 3)
    rest = (await ask("GET", f"/{OHIO}/runs?limit=3&cursor={first['next_cursor']}", role="reviewer")).json()
    assert len({item["id"] for item in first["items"] + rest["items"]}) == 5
    failed = (await ask("GET", f"/{OHIO}/runs?state=failed")).json()
    assert [item["state"] for item in failed["items"]] == ["failed"] * 2
    assert (await ask("GET", f"/{VA}/runs")).json()["total"] == 0
    assert (await ask("GET", "/nobody/runs")).json()["type"] == "connector-not-found"
    await add_run(session, "county_x", state=RunState.SUCCEEDED)
    assert (await ask("GET", "/county_x/runs")).json()["total"] == 1
    assert (await ask("GET", "/county_x/runs?state=failed")).json()["total"] == 0


async def test_a_run_shows_its_plan_and_what_it_refused(ask: Ask, session: Session) -> None:
    run = await add_run(
        session,
        state=RunState.FAILED,
        error="SourceError",
        advice="Look at page 3.",
        plan={"counts": {"created": 2}},
        warnings=["odd"],
        quarantined=2,
        created=1,
    )
    for line in (9, 3):
        session.add(QuarantinedRecord(run_id=run.id, line=line, reason="phone: no", content=f'["{line}"]', source="s"))
    await session.commit()
    found = (await ask("GET", f"/runs/{run.id}", role="reviewer")).json()
    assert found["plan"] == {"counts": {"created": 2}}
    assert (found["error"], found["advice"], found["warnings"]) == ("SourceError", "Look at page 3.", ["odd"])
    assert (found["counts"]["created"], found["counts"]["quarantined"]) == (1, 2)
    first = (await ask("GET", found["quarantine"].removeprefix("/api/v1/connectors") + "?limit=1")).json()
    assert (first["total"], first["items"][0]["line"], first["items"][0]["content"]) == (2, 3, '["3"]')
    rest = (await ask("GET", f"/runs/{run.id}/quarantine?limit=1&cursor={first['next_cursor']}")).json()
    assert [item["line"] for item in rest["items"]] == [9]
    for path in ("", "/quarantine"):
        assert (await ask("GET", f"/runs/{uuid4()}{path}")).json()["type"] == "run-not-found"


async def test_a_held_run_is_confirmed_or_cancelled(ask: Ask, session: Session, sql: asyncpg.Connection) -> None:
    held = await add_run(session, state=RunState.HELD, held_because="It would retire 40 of 100 records.")
    confirmed = await ask("POST", f"/runs/{held.id}/confirm")
    assert (confirmed.status_code, confirmed.json()["state"]) == (200, "queued")
    again = await ask("POST", f"/runs/{held.id}/confirm")
    assert (again.status_code, again.json()["type"]) == (409, "run-not-held")
    cancelled = await ask("POST", f"/runs/{held.id}/cancel")
    assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")
    ended = await ask("POST", f"/runs/{held.id}/cancel")
    assert (ended.status_code, ended.json()["type"]) == (409, "run-ended")
    for act in ("cancel", "confirm"):
        assert (await ask("POST", f"/runs/{uuid4()}/{act}")).json()["type"] == "run-not-found"
    acts = await sql.fetch(
        "select action, target_id from audit_events where action like 'connector_run.%' order by sequence"
    )
    assert [row["action"] for row in acts] == ["connector_run.confirm", "connector_run.cancel"]
    assert {UUID(row["target_id"]) for row in acts} == {held.id}


async def test_words_of_ours_are_no_connectors(client: httpx.AsyncClient, ask: Ask) -> None:
    assert (await ask("GET", "/imports")).status_code == 405
    assert (await ask("GET", "/runs/7")).status_code == 422
    assert (await client.get("/api/v1/connectors/runs/7")).status_code == 401
