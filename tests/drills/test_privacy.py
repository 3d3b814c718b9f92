"""What visitors send stays with reviewers, and how to reach them does not stay at all (rows K7 to K10).

On a service that runs as production does, beside a PostgreSQL of its own whose log and dump are read.
"""

import asyncio
import subprocess
import tomllib
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from tests.conftest import Service
from vibe4vets.auth.tokens import mint_access_token
from vibe4vets.core.config import Settings
from vibe4vets.core.database import connect, own_transaction
from vibe4vets.core.embedded import EmbeddedPostgres
from vibe4vets.core.migrations import upgrade
from vibe4vets.core.models import utc_now
from vibe4vets.resources.service import erase_contacts

pytestmark = pytest.mark.drill

METRICS = "a token of the metrics, which nobody guesses"
PRODUCTION = {
    "VIBE4VETS_ENV": "production",
    "VIBE4VETS_SECRET_KEY": "Gk3pWv9sQx7nLz2tRc5yHb8mJd4fTa6uEo1i",
    "VIBE4VETS_BASE_URL": "https://directory.example.org",
    "VIBE4VETS_METRICS__TOKEN": METRICS,
    "VIBE4VETS_LIMITS__SUBMISSIONS": "off",
    "VIBE4VETS_LIMITS__SUBMISSIONS_PER_ADDRESS": "off",
}
# whatever anybody may read; a new operation is here by itself
OPEN = tomllib.loads(files("vibe4vets.auth").joinpath("matrix.toml").read_text(encoding="utf-8"))["anybody"]
PARAMETERS = {"/api/v1/search": {"facets": "category,state,tag,scope", "highlight": "true"}}
FIELDS = {
    "title": "canarytitleqzx",
    "summary": "canarysummaryqzx",
    "description": "canarydescriptionqzx",
    "eligibility": ["canaryeligibilityqzx"],
    "how_to_apply": "canaryapplyqzx",
    "organization": "canaryorganizationqzx",
    "tags": ["canarytagqzx"],
    "phone": "614-555-0187",
    "email": "canaryemailqzx@example.org",
    "website": "https://canarysiteqzx.example.org/",
    "hours": {"text": "canaryhoursqzx"},
    "cost": "canarycostqzx",
    "locations": [{"name": "canaryplaceqzx", "street": "canarystreetqzx", "city": "canarycityqzx", "state": "OH"}],
}
NOTE = "canarynoteqzx"
CONTACT = {"name": "canarypersonqzx", "email": "canaryreachqzx@example.org", "phone": "614-555-0166"}
CONTACT_CANARIES = ("canarypersonqzx", "canaryreachqzx", "5550166")
CANARIES = ("canary", "qzx", "5550187", "555-0187", "5550166", "555-0166")
PERSONAL = ("219-09-9999", "EDIPI 1987654329", "1019876543V198765", "VA file number 19876543")
SOUGHT = ("219-09-9999", "1987654329", "1019876543V198765", "19876543")


@pytest.fixture
def postgres(folder: Path) -> Iterator[EmbeddedPostgres]:
    """A durable server of this test's own, whose log is read."""
    with EmbeddedPostgres(folder / "server").running() as server:
        upgrade(Settings.model_validate({"DATABASE_URL": server.owner_url()}).database_url)
        yield server


def leaks(text: str, words: tuple[str, ...] = CANARIES) -> list[str]:
    """Which of `words` stand in `text`."""
    return [word for word in words if word in text.lower()]


def dump(server: EmbeddedPostgres) -> str:
    """Every row of the database as SQL."""
    done = subprocess.run(["pg_dump"], env=server.client_environment(), capture_output=True, text=True, check=True)
    return done.stdout


def logs(service: Service, server: EmbeddedPostgres) -> str:
    """All that the process and PostgreSQL have written."""
    return service.log.read_text() + (server.home / "server.log").read_text()


async def sign_in(owner: asyncpg.Connection) -> dict[str, str]:
    """The header of a new admin."""
    session = await owner.fetchrow("""
        with person as (
          insert into users (email, role, state) values ('admin@example.org', 'admin', 'active') returning id)
        insert into sessions (user_id, token_epoch, last_used_at, idle_expires_at, expires_at)
          select id, 0, now(), now() + interval '14 days', now() + interval '30 days' from person
          returning id, user_id
    """)
    settings = Settings.model_validate(
        {"secret_key": PRODUCTION["VIBE4VETS_SECRET_KEY"], "base_url": PRODUCTION["VIBE4VETS_BASE_URL"]}
    )
    token = mint_access_token(
        settings, user_id=session["user_id"], session_id=session["id"], role="admin", now=utc_now()
    )
    return {"Authorization": f"Bearer {token}"}


async def send(client: httpx.AsyncClient, id_: str) -> tuple[list[str], list[str]]:
    """Send a canary in every field, through both doors, well and badly; return the tokens and what was answered."""
    sent = {"note": NOTE, "contact": CONTACT}
    suggestions, feedback = "/api/v1/suggestions", f"/api/v1/resources/{id_}/feedback"
    good = [
        await client.post(suggestions, json={"resource": {**FIELDS, "categories": ["food"]}, **sent}),
        await client.post(suggestions, json={"resource_id": id_, "resource": FIELDS, **sent}),
        await client.post(feedback, json={"kind": "closed", **sent}, headers={"idempotency-key": "canary-key-qzx-1"}),
    ]
    assert [answer.status_code for answer in good] == [202] * 3, [answer.text for answer in good]
    bad = [
        await client.post(suggestions, json={"resource": {**FIELDS, "title": 1}, **sent}),
        await client.post(suggestions, json={"resource": FIELDS, "strange": "canaryqzx", **sent}),
        await client.post(
            suggestions, content=b'{"note": "canarynoteqzx', headers={"content-type": "application/json"}
        ),
        await client.post(suggestions, json={"resource": {"title": "canaryqzx" * 90, "categories": ["canaryqzx"]}}),
        await client.post(feedback, json={"kind": NOTE, **sent}),
    ]
    assert {answer.status_code for answer in bad} <= {400, 422}
    return [answer.json()["token"] for answer in good], [answer.text for answer in bad]


async def everything_public(client: httpx.AsyncClient, id_: str, tokens: list[str]) -> str:
    """Every answer that anybody can get, with its headers; searches for the canaries themselves too."""
    shown = []
    values = {"resource_id": [id_], "token": tokens}
    for operation in OPEN:
        method, path = operation.split(" ")
        if method != "GET" or "{organization_id}" in path:
            continue
        name = path.partition("{")[2].rstrip("}")
        for value in values.get(name, [""]):
            address = path.replace(f"{{{name}}}", value) if name else path
            words = ("pantry", *map(str, FIELDS.values())) if "search" in path else ("",)
            for word in words:
                query = {"q": word[:40], **PARAMETERS.get(path, {})} if word else {}
                answer = await client.get(address, params=query)
                assert answer.status_code == 200, (operation, answer.text)
                shown += [_without_the_question(answer.json()) if word else answer.text]
                shown += [value for name, value in answer.headers.items() if name != "link"]
    return "\n".join(shown)


def _without_the_question(answer: Any) -> str:
    """A search repeats what was asked, to whoever asked."""
    return str({**answer, "interpretation": None})


async def refuse_numbers(client: httpx.AsyncClient, id_: str) -> None:
    """Numbers of one person are refused with an explanation that does not repeat them, wherever they stand."""
    for number in PERSONAL:
        resource = {"title": "T", "categories": ["food"], "description": f"Mine is {number}."}
        for path, given in (
            ("suggestions", {"resource": resource}),
            ("suggestions", {"resource": {"title": "T", "categories": ["food"]}, "note": number}),
            ("suggestions", {"resource": {"title": "T", "categories": ["food"]}, "contact": {"name": number}}),
            (f"resources/{id_}/feedback", {"kind": "other", "note": number}),
        ):
            answer = await client.post(
                f"/api/v1/{path}", json=given, headers={"idempotency-key": f"number-{number}".replace(" ", "-")}
            )
            assert answer.status_code == 422, answer.text
            assert answer.json()["errors"][0]["code"] == "personal_identifier"
            assert "Leave it out" in answer.text
            assert not leaks(answer.text, SOUGHT)


async def break_contacts(owner: asyncpg.Connection, client: httpx.AsyncClient) -> None:
    """A row that breaks a rule is what PostgreSQL would write into its log."""
    await owner.execute("alter table submitter_contacts add constraint broken check (name is null) not valid")
    given = {"resource": {**FIELDS, "categories": ["legal"]}, "note": NOTE, "contact": CONTACT}
    answer = await client.post("/api/v1/suggestions", json=given)
    assert answer.is_error
    assert not leaks(answer.text)
    await owner.execute("alter table submitter_contacts drop constraint broken")


async def reject_all(client: httpx.AsyncClient, admin: dict[str, str]) -> None:
    for item in (await client.get("/api/v1/admin/reviews", headers=admin)).json()["items"]:
        review = await client.get(f"/api/v1/admin/reviews/{item['id']}", headers=admin)
        assert review.json()["contacts"][0]["name"] == CONTACT["name"], "the control: reviewers see it"
        refusal = {"reason": "Not so.", "private_note": "canaryprivateqzx"}
        answer = await client.post(
            f"/api/v1/admin/reviews/{item['id']}/reject",
            json=refusal,
            headers={**admin, "if-match": review.headers["etag"]},
        )
        assert answer.status_code == 200, answer.text


async def test_what_visitors_send_is_for_reviewers_alone(programs: Any, postgres: EmbeddedPostgres) -> None:
    owner = await asyncpg.connect(postgres.owner_url())
    await owner.execute("alter system set log_min_duration_statement = 0")  # the most that an operator may ask for
    await owner.execute("select pg_reload_conf()")
    service = programs.serve(DATABASE_URL=postgres.app_url(), **PRODUCTION)
    admin = await sign_in(owner)
    async with httpx.AsyncClient(base_url=service.url, timeout=15) as client:
        pantry = {"title": "Pantry", "organization": "O", "categories": ["food"], "scope": "local"}
        created = await client.post("/api/v1/resources", json=pantry, headers=admin)
        assert created.status_code == 201, created.text
        id_ = created.json()["id"]
        tokens, refusals = await send(client, id_)
        assert not leaks("".join(refusals))
        await refuse_numbers(client, id_)
        await break_contacts(owner, client)
        assert not leaks(await everything_public(client, id_, tokens))
        await reject_all(client, admin)
        assert not leaks(await everything_public(client, id_, tokens))
        metrics = await client.get("/metrics", headers={"authorization": f"Bearer {METRICS}"})
        assert "/api/v1/suggestions" in metrics.text, "the control: it counts them"
        assert not leaks(metrics.text)
        assert not leaks((await client.get("/api/v1/admin/audit-events", headers=admin)).text)
    written = logs(service, postgres)
    assert "insert into submitter_contacts" in written, "the control: statements are logged"
    assert "/api/v1/suggestions" in written
    assert not leaks(written, (*CANARIES, *SOUGHT))

    before = await asyncio.to_thread(dump, postgres)
    assert leaks(before, CONTACT_CANARIES) == [*CONTACT_CANARIES], "the control: the dump shows contacts"
    assert not leaks(before, SOUGHT)
    await erase(postgres)
    assert leaks(await asyncio.to_thread(dump, postgres), CONTACT_CANARIES), "not before its time"
    await owner.execute("update proposals set decided_at = now() - interval '30 days 1 minute'")
    await erase(postgres)
    assert not leaks(await asyncio.to_thread(dump, postgres), CONTACT_CANARIES)
    assert not leaks(logs(service, postgres), (*CANARIES, *SOUGHT))
    await owner.close()


async def erase(postgres: EmbeddedPostgres) -> None:
    """The chore, as the service does it every ten minutes."""
    database = await connect(Settings.model_validate({"DATABASE_URL": postgres.app_url(), "secret_key": "x" * 40}))
    async with own_transaction(database) as session:
        await erase_contacts(session)
    await database.dispose()
