"""What was acknowledged is there, whoever dies meanwhile, whole and once (rows I1, I2, H7)."""

import asyncio
import contextlib
import os
import random
import shutil
import signal
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from vibe4vets.core.config import Settings
from vibe4vets.core.embedded import EmbeddedPostgres
from vibe4vets.core.migrations import upgrade

pytestmark = pytest.mark.drill

WRITERS, ROUNDS, SEED = 16, 3, 20261121
SUGGESTIONS, READY = "/api/v1/suggestions", "/health/ready"
# a proposal, the submission that it came with and the event of both are of one transaction
TORN = """
select count(*) from proposals p
full join submissions s on s.proposal_id = p.id
full join (select target_id from audit_events where action = 'proposal.created') e on e.target_id = p.id::text
where p.id is null or s.id is null or e.target_id is null
"""
TITLES = "select p.changes -> 'title' ->> 'after' from submissions s join proposals p on p.id = s.proposal_id"


@dataclass
class Ledger:
    """What the writers have sent, by Idempotency-Key, and which of it they were told is kept."""

    sent: dict[str, str] = field(default_factory=dict)
    acknowledged: set[str] = field(default_factory=set)

    async def write(self, url: str, *, until: asyncio.Event) -> None:
        """Send one suggestion after another; what ends without an answer stays unacknowledged."""
        async with httpx.AsyncClient(base_url=url, timeout=10) as client:
            while not until.is_set():
                key, title = str(uuid4()), f"Pantry {uuid4()}"
                self.sent[key] = title
                with contextlib.suppress(httpx.TransportError):
                    if (await self.send(client, key)).status_code == 503:
                        await asyncio.sleep(0.2)

    async def send(self, client: httpx.AsyncClient, key: str) -> httpx.Response:
        """Send what belongs to `key`, for the first time or again."""
        suggested = {"resource": {"title": self.sent[key], "categories": ["food"]}}
        answer = await client.post(SUGGESTIONS, json=suggested, headers={"Idempotency-Key": key})
        assert answer.status_code in {202, 503}, answer.text
        if answer.status_code == 202:
            self.acknowledged.add(key)
        return answer

    async def grows_by(self, size: int) -> None:
        """Return when so many more are acknowledged."""
        enough = len(self.acknowledged) + size
        async with asyncio.timeout(60):  # against a hang only
            while len(self.acknowledged) < enough:  # noqa: ASYNC110  the writers tell nobody
                await asyncio.sleep(0.02)

    def lost(self, kept: Counter[str]) -> set[str]:
        """The titles that were acknowledged and are not there."""
        return {self.sent[key] for key in self.acknowledged} - kept.keys()


@pytest.fixture(scope="module")
def postgres() -> Iterator[EmbeddedPostgres]:
    """A durable server of this module's own, to be killed."""
    home = Path(tempfile.mkdtemp(prefix="v4v-", dir="/tmp"))
    home.chmod(0o711)
    with EmbeddedPostgres(home / "server").running() as server:
        upgrade(Settings.model_validate({"DATABASE_URL": server.owner_url()}).database_url)
        yield server
    shutil.rmtree(home)


def sql(server: EmbeddedPostgres, statement: str) -> list[str]:
    """The rows of a statement, as the owner reads them."""
    command = ["psql", "-XAtqc", statement]
    return subprocess.run(
        command, env=server.client_environment(), capture_output=True, text=True, check=True
    ).stdout.splitlines()


def kill_the_service(service: Any, _: EmbeddedPostgres) -> None:
    service.process.kill()


def kill_a_backend(_: Any, server: EmbeddedPostgres) -> None:
    """PostgreSQL ends every session and recovers, as after a crash."""
    (pid,) = sql(
        server, "select pid from pg_stat_activity where usename = 'vibe4vets_app' order by query_start desc limit 1"
    )
    os.kill(int(pid), signal.SIGKILL)


def pull_the_plug(_: Any, server: EmbeddedPostgres) -> None:
    """The server is gone without a word, and comes back from its log."""
    postmaster = int((server.home / "data/postmaster.pid").read_text().split()[0])
    os.kill(postmaster, signal.SIGQUIT)
    server.start()


@pytest.mark.parametrize("disaster", [kill_the_service, kill_a_backend, pull_the_plug])
async def test_nothing_acknowledged_is_lost_or_torn(
    disaster: Callable[[Any, EmbeddedPostgres], None], programs: Any, postgres: EmbeddedPostgres, folder: Path
) -> None:
    chance, ledger = random.Random(SEED), Ledger()  # noqa: S311  when to strike, no secret
    given = {
        "DATABASE_URL": postgres.app_url(),
        "VIBE4VETS_DATA_DIR": folder / "data",
        "VIBE4VETS_LIMITS__SUBMISSIONS": "off",
        "VIBE4VETS_LIMITS__SUBMISSIONS_PER_ADDRESS": "off",
    }
    service = programs.serve(**given)
    for _ in range(ROUNDS):
        await asyncio.to_thread(service.await_status, READY, 200)
        over = asyncio.Event()
        writers = [asyncio.create_task(ledger.write(service.url, until=over)) for _ in range(WRITERS)]
        await ledger.grows_by(WRITERS)
        await asyncio.sleep(chance.uniform(0, 0.3))
        await asyncio.to_thread(disaster, service, postgres)
        if disaster is kill_the_service:
            over.set()
            service = programs.serve(**given)
        else:  # it goes on by itself (row I5)
            await asyncio.to_thread(service.await_status, READY, 200, 30)
            await ledger.grows_by(WRITERS)
        over.set()
        await asyncio.gather(*writers)
    assert ledger.sent.keys() - ledger.acknowledged, "somebody died while writing"
    assert sql(postgres, TORN) == ["0"]
    assert ledger.lost(Counter(sql(postgres, TITLES))) == set()
    await send_again(ledger, service.url)
    times = Counter(sql(postgres, TITLES))
    assert {times[ledger.sent[key]] for key in ledger.acknowledged} == {1}
    assert max(times.values()) == 1
    assert sql(postgres, TORN) == ["0"]


async def send_again(ledger: Ledger, url: str) -> None:
    """Whoever got no answer asks again with the same key; some who got one do, too."""
    async with httpx.AsyncClient(base_url=url, timeout=30) as client:
        for key in sorted(ledger.acknowledged)[:50]:
            assert (await ledger.send(client, key)).headers["idempotency-replayed"] == "true"
        for key in sorted(ledger.sent.keys() - ledger.acknowledged)[:100]:
            assert (await ledger.send(client, key)).status_code == 202


async def test_a_loss_and_a_tear_are_seen(programs: Any, postgres: EmbeddedPostgres, folder: Path) -> None:
    service, ledger = programs.serve(DATABASE_URL=postgres.app_url(), VIBE4VETS_DATA_DIR=folder / "data"), Ledger()
    ledger.sent["a-key-of-sixteen-or-more"] = title = f"Pantry {uuid4()}"
    async with httpx.AsyncClient(base_url=service.url) as client:
        await ledger.send(client, "a-key-of-sixteen-or-more")
    found = f"(select id from proposals where changes -> 'title' ->> 'after' = '{title}')"
    tear = f"begin; delete from submissions where proposal_id = {found}"
    assert sql(postgres, f"{tear}; {TORN}; rollback") == ["1"]
    left = sql(postgres, f"{tear}; delete from proposals where id = {found}; {TITLES}; rollback")
    assert ledger.lost(Counter(left)) == {title}
    assert ledger.lost(Counter(sql(postgres, TITLES))) == set()
