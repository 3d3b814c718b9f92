"""An import that dies half way leaves a whole directory, and the same import again completes it (row I15)."""

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from vibe4vets.core.embedded import EmbeddedPostgres

pytestmark = pytest.mark.drill

RECORDS, BATCH = 4000, 1000

# Published resources that lack something, and anything that belongs to no published resource.
TORN = """
select count(*) from resources r
full join published_resources p on p.id = r.id
full join source_records k on k.resource_id = r.id
left join organizations o on o.id = r.organization_id
left join lateral (select count(*) as size from locations where resource_id = r.id) l on true
where r.id is null or p.id is null or k.id is null or o.id is null or l.size <> 1
  or r.status <> 'published' or p.document::json ->> 'title' <> r.title
"""


@pytest.fixture
def file(folder: Path) -> Path:
    """A record file of our own making."""
    lines = (
        {
            "source": "drill",
            "source_record_id": f"record-{number:05}",
            "title": f"Help for Veterans {number}",
            "organization": f"Organization {number % 500}",
            "description": "Help with rent, utilities and a new lease.",
            "scope": "local",
            "categories": ["housing"],
            "address": {"street": f"{number} Main Street", "city": "Columbus", "state": "OH", "zip": "43215"},
            "states_served": ["OH"],
        }
        for number in range(RECORDS)
    )
    path = folder / "big.ndjson"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


@pytest.fixture
async def postgres(data_dir: Path) -> AsyncIterator[EmbeddedPostgres]:
    """The durable server that the imports of this test use as well."""
    server = EmbeddedPostgres(data_dir)
    await asyncio.to_thread(server.start)
    yield server
    await asyncio.to_thread(server.stop)


async def query(postgres: EmbeddedPostgres, sql: str) -> Any:
    """One value, on a connection of its own."""
    connection = await asyncpg.connect(postgres.owner_url())
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


async def until_applying(postgres: EmbeddedPostgres) -> None:
    """Return once some batches are committed."""
    connection = await asyncpg.connect(postgres.owner_url())
    async with asyncio.timeout(60):
        applied = 0
        while applied < BATCH:
            await asyncio.sleep(0.02)
            with contextlib.suppress(asyncpg.UndefinedTableError):
                applied = await connection.fetchval("select count(*) from source_records")
    await connection.close()


async def complete(programs: Any, postgres: EmbeddedPostgres, command: tuple[object, ...]) -> None:
    """Show that the directory is whole, and that the same import again does the rest."""
    kept = await query(postgres, "select count(*) from resources")
    assert 0 < kept < RECORDS
    assert kept % BATCH == 0, "a batch is all or nothing"
    assert await query(postgres, TORN) == 0
    out = await import_again(programs, postgres, command)
    assert f"│ created   │ {RECORDS - kept:,} │" in out


async def import_again(programs: Any, postgres: EmbeddedPostgres, command: tuple[object, ...]) -> str:
    """Run the import to its end; nothing is lost, doubled or torn. What it prints."""
    again = programs.run(*command, VIBE4VETS_DATA_DIR=postgres.home, VIBE4VETS_JOBS__LEASE="PT1S")
    out, err = await asyncio.to_thread(again.communicate)
    assert again.returncode == 0, err
    for table in ("resources", "published_resources", "source_records", "locations"):
        assert await query(postgres, f"select count(*) from {table}") == RECORDS, table
    assert await query(postgres, TORN) == 0
    assert await query(postgres, "select count(*) from resources where version <> 1") == 0
    assert await query(postgres, "select count(*) from staged_records") == 0
    return out


async def states(postgres: EmbeddedPostgres) -> list[str]:
    """How the runs ended, the first one first."""
    return await query(postgres, "select array_agg(state::text order by created_at) from connector_runs")


async def test_a_killed_import_is_completed_by_the_next(programs: Any, postgres: EmbeddedPostgres, file: Path) -> None:
    command = ("import", file, "--publish")
    killed = programs.run(*command, VIBE4VETS_DATA_DIR=postgres.home, VIBE4VETS_JOBS__LEASE="PT1S")
    await until_applying(postgres)
    killed.kill()
    killed.wait()
    assert await states(postgres) == ["running"]
    await asyncio.sleep(1)  # a statement that was under way ends, and the lease
    await complete(programs, postgres, command)
    assert "Nothing changed." in await import_again(programs, postgres, command)
    assert await states(postgres) == ["failed", "succeeded", "succeeded"]


async def test_an_import_whose_server_is_killed_says_so(programs: Any, postgres: EmbeddedPostgres, file: Path) -> None:
    command = ("import", file, "--publish")
    failing = programs.run(*command, VIBE4VETS_DATA_DIR=postgres.home, VIBE4VETS_JOBS__LEASE="PT1S")
    await until_applying(postgres)
    os.kill(int((postgres.home / "data/postmaster.pid").read_text().split()[0]), signal.SIGKILL)
    _, err = await asyncio.to_thread(failing.communicate)
    assert failing.returncode == 1
    assert "Traceback" not in err
    assert "cannot be reached" in err
    assert "the same command again does the rest" in err
    await asyncio.to_thread(postgres.start)
    await complete(programs, postgres, command)
    assert await states(postgres) == ["failed", "succeeded"]
