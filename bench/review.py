"""The queue's first page and one decision with 100 open proposals and with 100,000: `python bench/review.py`.

Both are measured on one server, one after the other; read the ratios. The aim is at most 3.
"""

import sys
from pathlib import Path

# run as a file or as a module: this folder must not stand before the standard library, which has an `http` too
sys.path[0] = str(Path(__file__).resolve().parents[1])

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from uuid import UUID, uuid4

import asyncpg
from sqlalchemy.ext.asyncio import async_sessionmaker

from bench.database import BenchDatabase, fresh_database
from vibe4vets.admin import service
from vibe4vets.admin.schemas import Approval, ReviewQuery
from vibe4vets.auth.models import Role
from vibe4vets.auth.principals import Principal
from vibe4vets.core.database import Session, make_engine
from vibe4vets.core.pagination import Cursors
from vibe4vets.core.preconditions import IfMatch
from vibe4vets.resources import service as resources
from vibe4vets.resources.schemas import ResourceCreate

SIZES = (100, 100_000)
TURNS = 30
RESOURCE = {"title": "Food pantry", "organization": "O", "categories": ["food"], "scope": "national"}
FILL = """
insert into proposals (kind, origin, state, version, resource_id, base_version, changes, risk, priority, fingerprint,
  submitter_kind)
select 'change', 'public', 'open', 1, $1, 1,
  jsonb_build_object('cost', jsonb_build_object('before', null, 'after', 'c' || n)),
  case n % 10 when 0 then 'high' else 'low' end, case n % 10 when 0 then 1 else 2 end,
  encode(sha256(convert_to($2 || n::text, 'UTF8')), 'hex'), 'anonymous'
from generate_series(1, $3::int) n
"""


async def measure(database: BenchDatabase) -> dict[int, tuple[float, float]]:
    """The median seconds of the first page and of one approval, by the number of open proposals."""
    settings = database.settings
    assert settings.database_url is not None
    engine = make_engine(settings.database_url, settings.database)
    sessions = async_sessionmaker(engine, class_=Session, expire_on_commit=False)
    owner = await asyncpg.connect(database.owner_url)
    user_id = await owner.fetchval(
        "insert into users (email, role, state) values ('r@example.org', 'admin', 'active') returning id"
    )
    reviewer = Principal(user_id, Role.ADMIN, session_id=uuid4())
    async with sessions.begin() as session:
        subject = (
            await resources.create_resource(session, ResourceCreate.model_validate(RESOURCE), actor=reviewer.actor)
        ).id
    found = {}
    for size in SIZES:
        have = await owner.fetchval("select count(*) from proposals where state = 'open'")
        await owner.execute(FILL, subject, f"{size} ", size - have)
        await owner.execute("analyze proposals")
        page = await median(lambda: first_page(sessions))
        ids = [row["id"] for row in await owner.fetch("select id from proposals where state = 'open' limit $1", TURNS)]
        decision = await median(lambda ids=ids: decide(sessions, ids.pop(), reviewer))
        found[size] = page, decision
    await owner.close()
    await engine.dispose()
    return found


async def median(work: Callable[[], Awaitable[None]]) -> float:
    """The median seconds of some turns, after one that warms up."""
    times = []
    for _ in range(TURNS):
        started = time.perf_counter()
        await work()
        times.append(time.perf_counter() - started)
    return statistics.median(times[1:])


async def first_page(sessions: async_sessionmaker[Session]) -> None:
    """Read what a reviewer sees first."""
    async with sessions() as session:
        page = await service.list_reviews(session, ReviewQuery(), Cursors(b"x" * 32))
        assert len(page.documents) == 20


async def decide(sessions: async_sessionmaker[Session], proposal_id: UUID, reviewer: Principal) -> None:
    """Approve one proposal, which publishes it."""
    async with sessions.begin() as session:
        approval = Approval(fields=["cost"])
        await service.approve_review(session, proposal_id, approval, IfMatch(frozenset({"*"})), reviewer=reviewer)


def main() -> None:
    """Print both times and their ratios."""
    with fresh_database("review") as database:
        found = asyncio.run(measure(database))
    (few, many) = (found[size] for size in SIZES)
    for name, one, other in (("first page", few[0], many[0]), ("one decision", few[1], many[1])):
        times = f"{one * 1000:.1f} ms with {SIZES[0]:,} open proposals, {other * 1000:.1f} ms with {SIZES[1]:,}"
        print(f"{name:>13}: {times}: {other / one:.2f} x")


if __name__ == "__main__":
    main()
