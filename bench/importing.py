"""How long an import takes, beside a bare COPY of the same rows: `python bench/importing.py [FILE]`.

The first import, the unchanged one, one in which every record has changed, and the COPY run on one server, one after
the other; read the ratios.
"""

import sys
from pathlib import Path

# run as a file or as a module: this folder must not stand before the standard library, which has an `http` too
sys.path[0] = str(Path(__file__).resolve().parents[1])

import asyncio
import io
import json
import tempfile
import time
from collections import Counter

import asyncpg

from bench.database import RECORDS, BenchDatabase, fresh_database
from vibe4vets.connectors.service import RunReport, run_source
from vibe4vets.connectors.sources.records import RecordFile
from vibe4vets.core.database import make_engine

CHANGE = {"hours": "Mon-Fri 7:16AM-3:46PM"}
"""Which no record has: compared field by field, written, and published anew."""


class Watch:
    """Takes the time of one import: of reading and staging, and of planning and applying."""

    def __init__(self) -> None:
        self._started = self._staged = time.perf_counter()
        self.read, self.applied = 0.0, 0.0

    def progress(self, stage: str, _done: int, _total: int | None) -> None:
        """Called by the run as it goes on."""
        if stage == "read":
            self._staged = time.perf_counter()

    def stop(self) -> None:
        """The import has ended."""
        self.read, self.applied = self._staged - self._started, time.perf_counter() - self._staged

    @property
    def whole(self) -> float:
        return self.read + self.applied


async def import_thrice(database: BenchDatabase, path: Path) -> tuple[list[Watch], int]:
    """Import `path` into the empty database, again, and with every record changed; return the times and the count."""
    settings = database.settings
    assert settings.database_url is not None
    limits = settings.database
    engine = make_engine(settings.database_url, limits, statement_timeout=limits.bulk_statement_timeout)
    watches: list[Watch] = []
    reports: list[RunReport] = []
    with tempfile.NamedTemporaryFile("w", suffix=".ndjson") as changed:
        changed.writelines(f"{json.dumps(json.loads(line) | CHANGE)}\n" for line in path.open(encoding="utf-8"))
        changed.flush()
        try:
            for file in (path, path, Path(changed.name)):
                watches.append(Watch())
                source = RecordFile(file)
                reports.append(
                    await run_source(engine, source, publish=True, dry_run=False, progress=watches[-1].progress)
                )
                watches[-1].stop()
        finally:
            await engine.dispose()
    first, again, other = reports
    assert (again.changed, other.changed) == (0, first.changed)
    return watches, first.changed


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
        watches, count = asyncio.run(import_thrice(database, path))
        asyncio.run(assert_counts(database, path))
        floor = asyncio.run(bare_copy(database))
    print(f"{path.name}: {count:,} records in, counts by source, category and state as in the file")
    print(f"{'':18} {'whole':>8} {'x COPY':>8} {'records/s':>10} {'plan and apply':>15} {'records/s':>10}")
    print(f"{'bare COPY':18} {floor:7.2f}s")
    for name, watch in zip(("first import", "unchanged import", "all changed"), watches, strict=True):
        whole, applied = watch.whole, watch.applied
        rates = f"{whole / floor:8.1f} {count / whole:10,.0f} {applied:14.2f}s {count / applied:10,.0f}"
        print(f"{name:18} {whole:7.2f}s {rates}")


if __name__ == "__main__":
    main()
