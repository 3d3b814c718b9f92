"""Requests a second and latency of the service, beside a floor that runs the same statements: `python bench/http.py`.

One worker, 16 connections, wrk as the client (`apt-get install wrk`). Searches and fragments are the development
queries in random order, where the shared data is. The service and the floor take turns on one database; read the
ratios.
"""

import sys
from pathlib import Path

# run as a file or as a module: this folder must not stand before the standard library, which has an `http` too
sys.path[0] = str(Path(__file__).resolve().parents[1])

import asyncio
import json
import os
import pickle
import random
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from bench.database import PROJECT, REAL_RECORDS, RECORDS, BenchDatabase, fresh_database
from vibe4vets.connectors.service import run_source
from vibe4vets.connectors.sources.records import RecordFile
from vibe4vets.core.database import make_engine
from vibe4vets.main import create_app

CONNECTIONS, SECONDS, ROUNDS = 16, 4, 3
WORDS = (
    "housing", "legal+aid", "food+pantry", "homeless+shelter+ohio", "disability+claims", "ptsd+counseling",
    "job+training", "vet+center+texas", "rent+assistance", "va+medical+center", "cemetery", "gi+bill",
)  # fmt: skip
SCRIPT = """
local paths = {}
for line in io.lines(os.getenv("BENCH_PATHS")) do paths[#paths + 1] = line end
local next = 0
request = function() next = next % #paths + 1; return wrk.format("GET", paths[next]) end
done = function(summary, latency)
  local bad = summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.timeout
  io.write(string.format("RESULT %f %f %f %f %d\\n", summary.requests / summary.duration * 1e6,
    latency:percentile(50) / 1e3, latency:percentile(95) / 1e3, latency:percentile(99) / 1e3, bad))
end
"""
QUERIES = REAL_RECORDS.with_name("queries_dev.jsonl")
Recorded = dict[str, tuple[list[tuple[str, tuple[Any, ...]]], bytes]]


@dataclass(frozen=True)
class Result:
    """What wrk saw: requests a second, and latency in milliseconds at three quantiles."""

    rate: float
    p50: float
    p95: float
    p99: float


def queries() -> list[str]:
    """What is searched for, in random order."""
    if not QUERIES.exists():
        return [words.replace("+", " ") for words in WORDS]
    asked = [row["q"] for row in map(json.loads, QUERIES.read_text(encoding="utf-8").splitlines())]
    random.Random(1).shuffle(asked)
    return asked


async def load_and_record(database: BenchDatabase) -> dict[str, Recorded]:
    """Import the records, ask the service for every address, and note its statements and bytes."""
    settings = database.settings
    assert settings.database_url is not None
    engine = make_engine(
        settings.database_url, settings.database, statement_timeout=settings.database.bulk_statement_timeout
    )
    await run_source(engine, RecordFile(RECORDS), publish=True, dry_run=False, progress=lambda *_: None)
    await engine.dispose()
    app = create_app(settings)
    statements: list[tuple[str, tuple[Any, ...]]] = []
    async with app.router.lifespan_context(app):
        published = app.state.database.published
        fetch = published.fetch

        async def noting(sql: str, arguments: Sequence[Any]) -> Sequence[Any]:
            statements.append((sql, tuple(arguments)))
            rows: Sequence[Any] = await fetch(sql, arguments)
            return rows

        published.fetch = noting
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bench")

        async def record(path: str) -> tuple[list[tuple[str, tuple[Any, ...]]], bytes]:
            for _ in range(2):  # the first search of a process learns what it knows
                statements.clear()
                answer = await client.get(path)
                assert answer.status_code == 200, (path, answer.text[:300])
            return [*statements], answer.content

        page = (await client.get("/api/v1/resources?limit=100")).json()
        searches = queries()
        kinds = {
            "detail": [f"/api/v1/resources/{item['id']}?" for item in page["items"]],
            "list of 20": [
                f"/api/v1/resources?state={state}" for state in ("OH", "TX", "CA", "WY", "ME", "FL", "NY", "VT")
            ],
            "search": [f"/api/v1/search?{httpx.QueryParams({'q': words})}" for words in searches],
            "suggest": [f"/api/v1/search/suggest?{httpx.QueryParams({'q': words[:6]})}" for words in searches],
        }
        return {kind: {path: await record(path) for path in paths} for kind, paths in kinds.items()}


@contextmanager
def serving(target: list[str], port: int, environment: dict[str, str]) -> Iterator[None]:
    """One uvicorn worker for as long as the block lasts."""
    options = ["--port", str(port), "--no-access-log", "--log-level", "warning", "--http", "httptools"]
    process = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", *target, *options],
        env={**os.environ, **environment},
        cwd=PROJECT,
    )
    try:
        while not _listens(port):
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def load(port: int, paths: Path, script: Path) -> Result:
    """Run wrk once; any answer but 200 is an error of the bench."""
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}", "-s", str(script), f"http://127.0.0.1:{port}"]
    done = subprocess.run(
        command, env={**os.environ, "BENCH_PATHS": str(paths)}, capture_output=True, text=True, check=True
    )
    found = re.search(r"RESULT (\S+) (\S+) (\S+) (\S+) (\d+)", done.stdout)
    assert found is not None, done.stdout
    assert found[5] == "0", f"{found[5]} answers were errors"
    return Result(*(float(number) for number in found.groups()[:4]))


def best(results: list[Result]) -> Result:
    """The round with the highest rate: the one that the machine disturbed least."""
    return max(results, key=lambda result: result.rate)


def main() -> None:
    """Measure and print."""
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is not installed: apt-get install wrk")
    with fresh_database("bench_http") as database, tempfile.TemporaryDirectory() as folder:
        kinds = asyncio.run(load_and_record(database))
        script = Path(folder, "requests.lua")
        script.write_text(SCRIPT)
        recorded = Path(folder, "recorded")
        recorded.write_bytes(pickle.dumps({path: row for rows in kinds.values() for path, row in rows.items()}))
        secret = database.settings.secret_key
        assert secret is not None
        service = {
            "DATABASE_URL": database.app_url,
            "VIBE4VETS_SECRET_KEY": secret.get_secret_value(),
            "VIBE4VETS_LIMITS__PUBLIC_READS": "off",
        }
        floor = {"FLOOR_URL": database.app_url, "FLOOR_RECORDED": str(recorded)}
        with (
            serving(["--factory", "vibe4vets.main:create_app"], 8101, service),
            serving(["bench.floor:app"], 8102, floor),
        ):
            print(f"{len(kinds)} kinds, {CONNECTIONS} connections, best of {ROUNDS} rounds of {SECONDS} s")
            print(f"{'':12}{'':9}{'req/s':>9}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}")
            for kind, rows in kinds.items():
                paths = Path(folder, "paths")
                paths.write_text("\n".join(rows))
                rounds = [(load(8101, paths, script), load(8102, paths, script)) for _ in range(ROUNDS)]
                ours, bare = (best(list(results)) for results in zip(*rounds, strict=True))
                for name, result in (("service", ours), ("floor", bare)):
                    figures = "".join(f"{figure:9.1f}" for figure in (result.rate, result.p50, result.p95, result.p99))
                    print(f"{kind:12}{name:9}{figures}")
                print(f"{kind:12}{'ratio':9}{ours.rate / bare.rate:9.2f}")


if __name__ == "__main__":
    main()
