"""A source that says what a test wants, read as a worker reads one: staged, planned and applied in small batches."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker

from vibe4vets.connectors.base import About, Record, Rejection
from vibe4vets.connectors.models import ConnectorRun, Policy, RunState, Stage, Trigger
from vibe4vets.connectors.service import staging
from vibe4vets.connectors.service.applying import apply_batch
from vibe4vets.connectors.service.planning import Plan, plan_run
from vibe4vets.connectors.service.preparing import prepare
from vibe4vets.core.audit import Actor, ActorKind
from vibe4vets.core.database import Session
from vibe4vets.core.models import utc_now
from vibe4vets.core.preconditions import IfMatch
from vibe4vets.resources import service as resources
from vibe4vets.resources.models import Change
from vibe4vets.resources.schemas import ResourceUpdate, Verification

OFFICIAL = About("state_office", "The state office", "The state", tier=3)
COMMUNITY = About("county_list", "The county's list", "The county", tier=4)
PERSON = Actor(ActorKind.USER, "6f0f1c5e-3d0b-4e3a-9a54-0d1a1ed0b1ab")
ANY = IfMatch(frozenset({"*"}))
_HELP = Record(
    line=1,
    source="",
    record_id="1",
    title="Help with rent",
    organization="The office",
    scope="local",
    categories=("housing",),
    description="Rent for a month.",
    eligibility=("Veterans",),
    phone="614-555-0100",
    website="https://help.example.org/rent",
    hours="Mon-Fri 8:00AM-4:30PM",
    street="1 Main St",
    city="Columbus",
    state="OH",
    postal_code="43215",
    as_of="2026-01-01",
)


@dataclass
class Feed:
    """One source and the database that it feeds."""

    engine: AsyncEngine
    sql: asyncpg.Connection
    about: About

    def record(self, record_id: str = "1", **changes: Any) -> Record:
        """A record of this source, as its publisher writes it."""
        return replace(_HELP, source=self.about.slug, record_id=record_id, **changes)

    def records(self, count: int, **changes: Any) -> list[Record]:
        """Records 1 to `count`."""
        return [self.record(str(number), **changes) for number in range(1, count + 1)]

    async def read(
        self,
        *records: Record,
        policy: Policy = Policy.REVIEW,
        complete: bool = True,
        apply: bool = True,
        rejections: int = 0,
        meanwhile: Callable[[], Awaitable[None]] | None = None,
        **run: Any,
    ) -> Plan:
        """Run the source once, confirmed in advance unless a test says otherwise.

        What is held or failed is not applied; `meanwhile` happens before the first batch.
        """
        run.setdefault("confirmed", True)
        sessions = async_sessionmaker(self.engine, class_=Session, expire_on_commit=False)
        row = ConnectorRun(
            connector=self.about.slug,
            subject="a test",
            state=RunState.RUNNING,
            stage=Stage.READ,
            policy=policy,
            trigger=run.pop("trigger", Trigger.SCHEDULE),
            lease_until=utc_now() + timedelta(minutes=1),
            **run,
        )
        items = [prepare(replace(record, line=line)) for line, record in enumerate(records, start=1)]
        items += [
            Rejection(len(records) + n, "phone: bad", "{}", self.about.slug, f"bad{n}") for n in range(rejections)
        ]
        async with sessions.begin() as session:
            session.add(row)
            await session.flush()
            await staging.stage(session, row.id, items)
            await staging.quarantine_repeated(session, row.id)
        for _ in range(2):  # a worker that dies before it has applied anything plans again
            async with sessions.begin() as session:
                plan = await plan_run(session, row, self.about, complete=complete)
        assert plan.staged == await self.sql.fetchval("select count(*) from staged_records where run_id = $1", row.id)
        counters = ", ".join(f"{kind.value} = {size}" for kind, size in plan.counts.items())
        await self.sql.execute(f"update connector_runs set {counters} where id = $1", row.id)
        if meanwhile is not None:
            await meanwhile()
        if apply and plan.hold is None and plan.failure is None:
            await self._apply(sessions, row, plan)
        await self.sql.execute(
            "update connector_runs set state = 'succeeded', finished_at = now(), lease_until = null where id = $1",
            row.id,
        )
        await self.sql.execute("delete from staged_records")
        return plan

    async def _apply(self, sessions: async_sessionmaker[Session], run: ConnectorRun, plan: Plan) -> None:
        after = done = 0
        while True:
            async with sessions.begin() as session:
                applied = await apply_batch(session, run, self.about, after=after, size=2)
            if not applied.count:
                assert done == plan.to_apply
                return
            after, done = applied.last, done + applied.count

    async def id_of(self, record_id: str = "1") -> UUID:
        """The resource of a record."""
        found: UUID = await self.sql.fetchval(
            "select resource_id from source_records where source = $1 and source_record_id = $2",
            self.about.slug,
            record_id,
        )
        return found

    async def shown(self, record_id: str = "1") -> dict[str, Any] | None:
        """What the public sees of a record's resource."""
        document = await self.sql.fetchval(
            "select document from published_resources where id = $1", await self.id_of(record_id)
        )
        return None if document is None else json.loads(document)

    async def waiting(self) -> list[dict[str, Any]]:
        """The open proposals as the queue shows them, the first one first."""
        ids = [
            row["id"]
            for row in await self.sql.fetch(
                "select id from proposals where state = 'open' order by priority, created_at, id"
            )
        ]
        async with Session(self.engine) as session:
            found = await resources.read_proposals(session, ids)
        return [found[id_].model_dump(mode="json") for id_ in ids]

    async def decided(self) -> list[tuple[str, str | None]]:
        """Decided proposals: the state, and the reason that is told."""
        rows = await self.sql.fetch("select state, public_reason from proposals where state <> 'open' order by id")
        return [(row["state"], row["public_reason"]) for row in rows]

    async def approve(self, fields: list[str] | None = None) -> None:
        """Let a reviewer approve the first open proposal."""
        [first, *_] = await self.waiting()
        deed = resources.Deed(Change.UPDATED, PERSON, "looked right")
        async with async_sessionmaker(self.engine, class_=Session).begin() as session:
            proposal = await resources.lock_proposal(session, UUID(first["id"]), ANY, "somebody")
            await resources.approve_proposal(session, proposal, resources.Decider(deed, "Thanks."), fields=fields)

    async def reject(self) -> None:
        """Let a reviewer reject the first open proposal."""
        [first, *_] = await self.waiting()
        deed = resources.Deed(Change.UPDATED, PERSON)
        async with async_sessionmaker(self.engine, class_=Session).begin() as session:
            proposal = await resources.lock_proposal(session, UUID(first["id"]), ANY, "somebody")
            await resources.reject_proposal(session, proposal, resources.Decider(deed, "That is not so."))

    async def edit(self, record_id: str = "1", **fields: Any) -> None:
        """Let an editor change a resource."""
        async with async_sessionmaker(self.engine, class_=Session).begin() as session:
            given = ResourceUpdate.model_validate(fields)
            await resources.update_resource(session, await self.id_of(record_id), given, ANY, actor=PERSON)

    async def verify(self, record_id: str = "1") -> None:
        """Let an editor check a resource."""
        async with async_sessionmaker(self.engine, class_=Session).begin() as session:
            given = Verification.model_validate({"how": "phone"})
            await resources.verify_resource(session, await self.id_of(record_id), given, ANY, actor=PERSON)

    async def archive(self, record_id: str = "1") -> None:
        """Let an editor archive a resource."""
        async with async_sessionmaker(self.engine, class_=Session).begin() as session:
            await resources.archive_resource(session, await self.id_of(record_id), ANY, actor=PERSON)

    async def restore(self, record_id: str = "1") -> None:
        """Let an editor restore a resource."""
        async with async_sessionmaker(self.engine, class_=Session).begin() as session:
            await resources.restore_resource(session, await self.id_of(record_id), ANY, actor=PERSON)


def told(proposal: dict[str, Any]) -> dict[str, tuple[Any, Any, Any]]:
    """Each field of a proposal with the source's old value, its new one, and the directory's."""
    return {change["field"]: (change["before"], change["after"], change["current"]) for change in proposal["changes"]}


def counted(plan: Plan) -> dict[str, int]:
    """The outcomes that occur."""
    return {kind.value: size for kind, size in plan.counts.items() if size}
