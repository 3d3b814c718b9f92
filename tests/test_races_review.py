"""What two processes on one database do at once to one proposal and to one resource."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from tests.databases import Lender
from vibe4vets.auth.tokens import mint_access_token
from vibe4vets.core.config import Settings
from vibe4vets.core.embedded import EmbeddedPostgres
from vibe4vets.core.models import utc_now

SECRET = "a secret for tests, of more than 32 characters"
ITEMS, WRITERS, ROUNDS = 50, 30, 5
RESOURCE = {"title": "Food pantry", "organization": "O", "categories": ["food"], "scope": "national"}


@pytest.fixture(scope="module")
async def place(lender: Lender) -> str:
    """The name of the one database."""
    return await lender.own()


@pytest.fixture(scope="module")
async def pair(
    server: EmbeddedPostgres, place: str, programs_in: Any, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[list[httpx.AsyncClient]]:
    """A client of each of two processes, signed in as an admin each."""
    folder: Path = tmp_path_factory.mktemp("reviews")
    rows = await asyncpg.connect(server.owner_url(place))
    with programs_in(folder) as programs:
        given = {
            "DATABASE_URL": server.app_url(place),
            "VIBE4VETS_SECRET_KEY": SECRET,
            "VIBE4VETS_DATA_DIR": folder,
            "VIBE4VETS_LIMITS__SUBMISSIONS": "off",
            "VIBE4VETS_LIMITS__SUBMISSIONS_PER_ADDRESS": "off",
        }
        services = [programs.serve(**given) for _ in range(2)]
        clients = [
            httpx.AsyncClient(base_url=f"{service.url}/api/v1", headers=await sign_in(rows), timeout=30)
            for service in services
        ]
        yield clients
        for client in clients:
            await client.aclose()
    await rows.close()


async def sign_in(rows: asyncpg.Connection) -> dict[str, str]:
    """The header of a new admin's session."""
    session = await rows.fetchrow("""
        with person as (insert into users (email, role, state)
          values (gen_random_uuid() || '@example.org', 'admin', 'active') returning id)
        insert into sessions (user_id, token_epoch, last_used_at, idle_expires_at, expires_at)
          select id, 0, now(), now() + interval '14 days', now() + interval '30 days' from person
          returning id, user_id
    """)
    settings = Settings.model_validate({"secret_key": SECRET})
    token = mint_access_token(
        settings, user_id=session["user_id"], session_id=session["id"], role="admin", now=utc_now()
    )
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
async def rows(server: EmbeddedPostgres, place: str) -> AsyncIterator[asyncpg.Connection]:
    """The owner's connection to the one database."""
    connection = await asyncpg.connect(server.owner_url(place))
    yield connection
    await connection.close()


async def create(client: httpx.AsyncClient) -> str:
    answer = await client.post("/resources", json=RESOURCE)
    assert answer.status_code == 201, answer.text
    created: str = answer.json()["id"]
    return created


async def at_once(*requests: Awaitable[httpx.Response]) -> list[httpx.Response]:
    return list(await asyncio.gather(*requests))


async def test_of_two_opposite_decisions_one_wins(pair: list[httpx.AsyncClient], rows: asyncpg.Connection) -> None:
    """Row H3: state, decision, revision and events agree with the one winner, fifty times."""
    one, two = pair
    resource = await create(one)
    for number in range(ITEMS):
        summary = f"Summary {number}"
        given = {"resource_id": resource, "resource": {"summary": summary}}
        assert (await one.post("/suggestions", json=given)).status_code == 202
        proposal = await rows.fetchval("select id from proposals where state = 'open'")
        named = {"If-Match": '"1"'}
        approval, refusal = {"fields": ["summary"]}, {"reason": "No."}
        answers = await at_once(
            one.post(f"/admin/reviews/{proposal}/approve", json=approval, headers=named),
            two.post(f"/admin/reviews/{proposal}/reject", json=refusal, headers=named),
        )
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        won = next(answer.json()["state"] for answer in answers if answer.status_code == 200)
        assert [answer.json()["type"] for answer in answers if answer.status_code == 409] == ["proposal-decided"]
        stored = await rows.fetchrow(
            """select p.state, (select array_agg(state) from review_decisions where proposal_id = p.id) as decisions,
              (select array_agg(action order by sequence) from audit_events where target_id = p.id::text) as events,
              (select summary from resources where id = p.resource_id) as summary
            from proposals p where id = $1""",
            proposal,
        )
        assert stored["state"] == won
        assert stored["decisions"] == [won]
        assert stored["events"] == ["proposal.created", f"proposal.{won}"]
        assert (stored["summary"] == summary) == (won == "approved")
        shown = (await two.get(f"/resources/{resource}")).json()
        assert shown["summary"] == stored["summary"]
    versions = await rows.fetchval("select count(*) from resource_revisions where resource_id = $1", resource)
    approved = await rows.fetchval("select count(*) from proposals where state = 'approved'")
    assert versions == approved + 1


async def test_of_thirty_changes_of_one_version_one_is_made(
    pair: list[httpx.AsyncClient], rows: asyncpg.Connection
) -> None:
    """Row H2."""
    resource = await create(pair[0])
    for version in range(1, ROUNDS + 1):
        answers = await at_once(
            *(
                client.patch(
                    f"/resources/{resource}",
                    json={"title": f"Title {version} {number}"},
                    headers={"If-Match": f'"{version}"'},
                )
                for number, client in zip(range(WRITERS), itertools.cycle(pair), strict=False)
            )
        )
        # who waits longer than the time limit of a lock is told to come again, and has changed nothing
        statuses = [answer.status_code for answer in answers]
        assert statuses.count(200) == 1
        assert set(statuses) <= {200, 412, 503}
        (won,) = [answer.json()["title"] for answer in answers if answer.status_code == 200]
        assert await rows.fetchval("select title from resources where id = $1", resource) == won
        assert await rows.fetchval("select max(number) from resource_revisions where resource_id = $1", resource) == (
            version + 1
        )
