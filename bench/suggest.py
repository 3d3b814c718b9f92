"""How good and how quick suggestions are: `python bench/suggest.py`.

Quality: nDCG@10 of the judged fragments. Speed: every beginning of every judged query, in this process, one at a
time. Both need the shared records and queries.
"""

import sys
from pathlib import Path

# run as a file or as a module: this folder must not stand before the standard library, which has an `http` too
sys.path[0] = str(Path(__file__).resolve().parents[1])

import asyncio
import json
import math
import random
import time
from collections.abc import Mapping, Sequence
from statistics import fmean

import httpx

from bench.database import PROJECT, RECORDS, BenchDatabase, fresh_database
from vibe4vets.connectors.service import run_source
from vibe4vets.connectors.sources.records import RecordFile
from vibe4vets.core.database import make_engine
from vibe4vets.main import create_app

QUERIES = PROJECT.parent / "shared/data/queries_dev.jsonl"
BEGINNINGS = 400


def ndcg(ids: Sequence[str], grades: Mapping[str, int], depth: int = 10) -> float:
    """Normalised discounted cumulative gain, 2^grade - 1 at a discount of log2(rank + 1)."""

    def gain(ranked: Sequence[int]) -> float:
        return sum((2**grade - 1) / math.log2(rank + 2) for rank, grade in enumerate(ranked[:depth]))

    return gain([grades.get(id_, 0) for id_ in ids]) / gain(sorted(grades.values(), reverse=True))


async def measure(database: BenchDatabase) -> None:
    """Import the records, ask, and print."""
    settings = database.settings
    assert settings.database_url is not None
    limits = settings.database
    engine = make_engine(settings.database_url, limits, statement_timeout=limits.bulk_statement_timeout)
    await run_source(engine, RecordFile(RECORDS), publish=True, dry_run=False, progress=lambda *_: None)
    await engine.dispose()
    app = create_app(settings)
    queries = [json.loads(line) for line in QUERIES.read_text(encoding="utf-8").splitlines()]
    async with app.router.lifespan_context(app):
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bench")

        async def ask(fragment: str, **given: str) -> list[dict[str, dict[str, dict[str, str]]]]:
            answer = await client.get("/api/v1/search/suggest", params={"q": fragment, **given})
            assert answer.status_code == 200, answer.text
            items: list[dict[str, dict[str, dict[str, str]]]] = answer.json()["items"]
            return items

        scores = []
        for query in (query for query in queries if query["mode"] == "autocomplete"):
            sources = [item["resource"]["source"] for item in await ask(query["q"], kind="resource")]
            scores.append(ndcg([f"{source['slug']}:{source['record_id']}" for source in sources], query["relevant"]))
            print(f"{query['q']:24}{scores[-1]:7.3f}")
        print(f"{'nDCG@10':24}{fmean(scores):7.3f}")
        fragments = sorted({query["q"][:end].strip() for query in queries for end in range(1, len(query["q"]) + 1)})
        random.Random(1).shuffle(fragments)
        times = []
        for fragment in fragments[:BEGINNINGS]:
            started = time.perf_counter()
            await ask(fragment)
            times.append(1000 * (time.perf_counter() - started))
        times.sort()
        print(
            f"{len(times)} fragments: p50 {times[len(times) // 2]:.1f} ms, p95 {times[len(times) * 95 // 100]:.1f} ms"
        )


def main() -> None:
    """Measure on a database of its own."""
    if not QUERIES.exists():
        raise SystemExit(f"{QUERIES} is not here")
    with fresh_database("bench_suggest") as database:
        asyncio.run(measure(database))


if __name__ == "__main__":
    main()
