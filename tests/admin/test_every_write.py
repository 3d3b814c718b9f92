"""Row K2: every write to a public record has exactly one event and one revision, whichever operation makes it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.admin.conftest import AddPerson, SignIn
from tests.conftest import STARTER, import_file

TAGS = {"editing", "suggestions", "proposals", "review", "duplicates"}
WITHOUT_AN_EVENT = {
    "POST /api/v1/admin/reviews/{id}/claim",  # a lease, which ends by itself
    "POST /api/v1/admin/reviews/{id}/release",
    "POST /api/v1/admin/duplicates/find",  # a list of what looks alike
}
PANTRY: dict[str, Any] = {
    "title": "Food pantry", "organization": "O", "categories": ["food"], "scope": "local", "states": ["OH"],
    "phone": "614-555-0123", "locations": [{"city": "Columbus", "state": "OH"}],
}  # fmt: skip


@dataclass
class Books:
    """What the tables hold: versions, revisions and the state of proposals, and the events so far."""

    versions: dict[str, int]
    revisions: dict[str, int]
    states: dict[str, str]
    events: list[tuple[str, str, str]]

    @classmethod
    async def read(cls, sql: asyncpg.Connection) -> "Books":
        async def pairs(query: str) -> dict[str, Any]:
            return {str(row[0]): row[1] for row in await sql.fetch(query)}

        return cls(
            await pairs("select id, version from resources"),
            await pairs("select resource_id, count(*) from resource_revisions group by 1"),
            await pairs("select id, state from proposals"),
            [
                tuple(row)
                for row in await sql.fetch("select action, target_kind, target_id from audit_events order by sequence")
            ],
        )


def grown(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    return {id_: count - before.get(id_, 0) for id_, count in after.items() if count != before.get(id_, 0)}


@dataclass
class Auditor:
    """Makes requests and compares what was written with what was told."""

    client: httpx.AsyncClient
    sql: asyncpg.Connection
    staff: dict[str, str]
    partner: dict[str, str]
    driven: set[str] = field(default_factory=set)

    async def act(self, operation: str, body: Any = None, *, match: int | None = None, **path: str) -> Any:
        """Do `operation` with `body`, on the version `match`; each write of it must have its one event."""
        before = await Books.read(self.sql)
        method, address = operation.split(" ")
        headers = self.partner if address.startswith("/api/v1/proposals") else self.staff
        if match is not None:
            headers = {**headers, "if-match": f'"{match}"'}
        answer = await self.client.request(method, address.format(**path), json=body, headers=headers)
        assert answer.is_success, (operation, answer.text)
        after = await Books.read(self.sql)
        self.compare(operation, before, after)
        self.driven.add(operation)
        return answer.json() if answer.content else None

    def compare(self, operation: str, before: Books, after: Books) -> None:
        events = after.events[len(before.events) :]
        versions = grown(before.versions, after.versions)
        assert grown(before.revisions, after.revisions) == versions, operation
        told = [id_ for action, _, id_ in events if action.startswith("resource.")]
        assert sorted(told) == sorted(id_ for id_, count in versions.items() for _ in range(count)), operation
        decided = {id_ for id_, state in after.states.items() if before.states.get(id_) != state}
        assert sorted(id_ for action, _, id_ in events if action.startswith("proposal.")) == sorted(decided), operation
        assert bool(events) != (operation in WITHOUT_AN_EVENT), operation


@pytest.fixture
async def auditor(
    client: httpx.AsyncClient, sql: asyncpg.Connection, add_person: AddPerson, sign_in: SignIn
) -> Auditor:
    staff, partner = [await sign_in(await add_person(role)) for role in ("admin", "partner")]
    return Auditor(client, sql, staff, partner)


async def edit(auditor: Auditor) -> tuple[str, str]:
    """Every act of editors; returns two that are published."""
    act, resource = auditor.act, "/api/v1/resources/{id}"
    first = (await act("POST /api/v1/resources", PANTRY))["id"]
    second = (await act("POST /api/v1/resources", PANTRY | {"status": "draft"}))["id"]
    await act(f"POST {resource}/publish", {}, match=1, id=second)
    await act(f"PATCH {resource}", {"cost": "Free"}, match=1, id=first)
    await act(f"POST {resource}/verify", {"how": "phone"}, match=2, id=first)
    await act(f"POST {resource}/rollback", {"revision": 1}, match=3, id=first)
    await act(f"DELETE {resource}", match=4, id=first)
    await act(f"POST {resource}/restore", {}, match=5, id=first)
    return first, second


async def propose(auditor: Auditor, id_: str) -> list[str]:
    """Every door; returns the proposals: a correction, a new one, a report, and two of a partner's."""
    act = auditor.act
    correction = {"resource_id": id_, "resource": {"cost": "Free"}, "contact": {"name": "Pat"}}
    token = (await act("POST /api/v1/suggestions", correction))["token"]
    await act("DELETE /api/v1/suggestions/{token}/contact", token=token)
    await act("POST /api/v1/suggestions", {"resource": {"title": "Stand Down", "categories": ["food"]}})
    await act("POST /api/v1/resources/{id}/feedback", {"kind": "closed"}, id=id_)
    change = {"kind": "change", "resource_id": id_, "resource": {"summary": "Food."}}
    await act("POST /api/v1/proposals", change)
    await act("POST /api/v1/proposals", {"kind": "archive", "resource_id": id_})
    return [str(row[0]) for row in await auditor.sql.fetch("select id from proposals order by created_at")]


async def review(auditor: Auditor, proposals: list[str]) -> None:
    """Every act of reviewers."""
    act, address = auditor.act, "/api/v1/admin/reviews/{id}"
    correction, new, report, change, archive = proposals
    await act(f"POST {address}/claim", {}, id=correction)
    await act(f"POST {address}/release", id=correction)
    await act(f"POST {address}/approve", {}, match=1, id=correction)
    await act(f"POST {address}/approve", {}, match=1, id=new)
    await act(f"POST {address}/reject", {"reason": "It is open."}, match=1, id=report)
    decisions = [{"id": id_, "version": 1, "action": "approve"} for id_ in (change, archive)]
    outcomes = (await act("POST /api/v1/admin/reviews/bulk", {"decisions": decisions}))["outcomes"]
    assert [outcome["state"] for outcome in outcomes] == ["approved", "approved"]


async def merge(auditor: Auditor, kept: str, merged: str) -> None:
    """Every act on duplicates."""
    act, below = auditor.act, "/api/v1/admin"
    await act(f"POST {below}/duplicates/find")
    await act(f"POST {below}/duplicates/dismiss", {"first_id": kept, "second_id": merged})
    made = await act(f"POST {below}/merges", {"kept_id": kept, "merged_id": merged})
    await act(f"POST {below}/merges/{{merge_id}}/undo", merge_id=made["id"])


async def test_every_write_has_one_event_and_one_revision(app: FastAPI, auditor: Auditor) -> None:
    first, second = await edit(auditor)
    await review(auditor, await propose(auditor, second))
    third = await auditor.act("POST /api/v1/resources", PANTRY | {"cost": "Free", "summary": "Soup."})
    await merge(auditor, first, third["id"])
    assert {operation(name) for name in auditor.driven} == {
        operation(f"{method.upper()} {path}")
        for path, methods in app.openapi()["paths"].items()
        for method, told in methods.items()
        if method != "get" and TAGS & set(told["tags"])
    }, "drive every operation that writes"


def operation(name: str) -> str:
    """Its name whatever its parameters are called."""
    return "/".join("{}" if part.startswith("{") else part for part in name.split("/"))


async def test_a_batch_of_an_import_has_one_event_and_its_revisions(
    engine: AsyncEngine, sql: asyncpg.Connection, tmp_path: Path
) -> None:
    records = tmp_path / "records.ndjson"
    records.write_text("".join(STARTER.read_text().splitlines(keepends=True)[:30]))
    for line in ('"', '"Changed: '):  # created, then changed
        records.write_text(records.read_text().replace('"title": "', f'"title": {line}'))
        before = await Books.read(sql)
        report = await import_file(engine, records)
        after = await Books.read(sql)
        assert report.changed
        versions = grown(before.versions, after.versions)
        assert versions == grown(before.revisions, after.revisions)
        asked, event = after.events[len(before.events) :]
        assert asked[:2] == ("connector_run.request", "connector_run")
        assert event[:2] == ("directory.import", "connector_run")
        details = await sql.fetchval("select details->>'records' from audit_events order by sequence desc limit 1")
        assert details == str(len(versions)) == str(30)
