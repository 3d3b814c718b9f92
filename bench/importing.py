"""How long an import takes, beside a bare COPY of the same rows: `python bench/importing.py [FILE]`.

The first import, the unchanged one and the COPY run on one server, one after the other; read the ratios.
"""

import sys
from pathlib import Path

# run as a file or as a module: this folder must not stand before the standard library, which has an `http` too
sys.path[0] = str(Path(__file__).resolve().parents[1])

import asyncio
import io
import json
import time
from collections import Counter
from collections.abc import Awaitable

import asyncpg

from bench.database import RECORDS, BenchDatabase, fresh_database
from vibe4vets.connectors.service import RunReport, run_source
from vibe4vets.connectors.sources.records import RecordFile
from vibe4vets.core.database import make_engine


async def timed(work: Awaitable[RunReport]) -> tuple[float, RunReport]:
    """Await `work`; return its seconds and its result."""
    started = time.perf_counter()
    report = await work
    return time.perf_counter() - started, report


async def import_twice(database: BenchDatabase, path: Path) -> tuple[float, float, int]:
    """Import `path` into the empty database, then again; return both times in seconds and how many came in."""
    settings = database.settings
    assert settings.database_url is not None
    limits = settings.database
    engine = make_engine(settings.database_url, limits, statement_timeout=limits.bulk_statement_timeout)
    try:
        runs = [
            await timed(run_source(engine, RecordFile(path), publish=True, dry_run=False, progress=lambda *_: None))
            for _ in range(2)
        ]
    finally:
        await engine.dispose()
    (first, created), (again, unchanged) = runs
    assert unchanged.changed == 0
    return first, again, created.changed


def expected(path: Path) -> dict[str, Counter[str]]:
    """How many records of the file each source, category and state has."""
    records = [json.loads(line) for line in path.read_text().splitlines()]
    return {
        "source": Counter(record["source"] for record in records),
        "unnest(categories)": Counter(category for record in records for category in record["categories"]),
        "unnest(states)": Counter(
            state
            for record in records
            for state in {*record["states_served"], (record["address"] or {}).get("state")} - {None}
        ),
    }


async def assert_counts(database: BenchDatabase, path: Path) -> None:
    """What is published has the file's counts by source, category and state."""
    connection = await asyncpg.connect(database.owner_url)
    for column, counts in expected(path).items():
        rows = await connection.fetch(f"select {column}, count(*) from published_resources group by 1")
        assert Counter(dict(map(tuple, rows))) == counts, column
    await connection.close()


async def bare_copy(database: BenchDatabase) -> float:
    """COPY what was published into an empty twin of the table with all its indexes; return the median seconds."""
    connection = await asyncpg.connect(database.owner_url)
    rows = io.BytesIO()
    await connection.copy_from_table("published_resources", output=rows, format="binary")
    times = []
    for _ in range(3):
        await connection.execute("drop table if exists twin")
        await connection.execute("create table twin (like published_resources including all)")
        rows.seek(0)
        started = time.perf_counter()
        await connection.copy_to_table("twin", source=rows, format="binary")
        times.append(time.perf_counter() - started)
    await connection.close()
    return sorted(times)[1]


def main() -> None:
    """Measure and print."""
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else RECORDS
    with fresh_database("bench_importing") as database:
        first, again, count = asyncio.run(import_twice(database, path))
        asyncio.run(assert_counts(database, path))
        floor = asyncio.run(bare_copy(database))
    print(f"{path.name}: {count:,} records in, counts by source, category and state as in the file")
    print(f"bare COPY          {floor:6.2f} s")
    print(f"first import       {first:6.2f} s   {first / floor:5.1f} x COPY   {count / first:8,.0f} records/s")
    print(f"unchanged import   {again:6.2f} s   {again / first:5.2f} x first  {count / again:8,.0f} records/s")


if __name__ == "__main__":
    main()
