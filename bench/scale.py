"""How reading fares as a directory grows: `python bench/scale.py FILE [FILE ...]`, each a file of records.

Prints for each file, imported into a database of its own and left as the chores of a night leave it, the milliseconds
of SQL (best of three) of the development queries, broad words, fragments and lists by one filter; of 500 hostile
queries those of the whole request, once each; and the page's part of the score that it would have without caps.
`../shared/data/scale.py N --seed S` makes records.
"""

import sys
from pathlib import Path

# run as a file or as a module: this folder must not stand before the standard library, which has an `http` too
sys.path[0] = str(Path(__file__).resolve().parents[1])

import asyncio
import os
import random
import string
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from statistics import fmean
from typing import Any

import asyncpg
import httpx
from sqlalchemy.ext.asyncio import async_sessionmaker

from bench.database import BenchDatabase, fresh_database
from bench.http import queries
from vibe4vets.connectors.service import run_source
from vibe4vets.connectors.sources.records import RecordFile
from vibe4vets.core.database import Session, make_engine
from vibe4vets.main import create_app
from vibe4vets.resources.service.search import order_rows, weights
from vibe4vets.resources.service.search.candidates import Candidates
from vibe4vets.resources.service.search.statement import SearchStatement

BROAD = ("housing", "food", "help", "health", "community", "center", "clinic", "veteran", "free", "services")
FILTERS = (
    "", "category=housing", "category=legal", "tag=dental", "tag=va-clinic", "scope=national", "scope=local",
    "state=OH", "state=WY", "language=es", "city=Columbus", "open_at=2026-11-24T03:30:00-05:00",
    "bbox=-74.1,40.6,-73.8,40.9", "near=43215", "near=10001&radius_miles=5", "updated_since=2026-01-01T00:00:00Z",
)  # fmt: skip
NO_CAP = 10_000_000


@contextmanager
def uncapped() -> Iterator[None]:
    """Rank everything that any branch finds."""
    chosen, ranked, border = SearchStatement._chosen, weights.RANKED, weights.SAMPLED_FROM  # noqa: SLF001

    def every(self: SearchStatement, candidates: Candidates) -> str:
        return chosen(self, replace(candidates, limit=NO_CAP))

    weights.RANKED, weights.SAMPLED_FROM = NO_CAP, NO_CAP  # type: ignore[misc]
    SearchStatement._chosen = every  # type: ignore[method-assign]  # noqa: SLF001
    try:
        yield
    finally:
        weights.RANKED, weights.SAMPLED_FROM = ranked, border  # type: ignore[misc]
        SearchStatement._chosen = chosen  # type: ignore[method-assign]  # noqa: SLF001


def hostile() -> Iterator[str]:
    """Queries that nobody means: noise, broad words heaped up, and words that look like slips of many others."""
    chance = random.Random(6)
    for _ in range(300):
        yield "".join(chance.choices(string.printable + "äßé\u202e\U0001f600", k=chance.randint(1, 200)))
    for _ in range(100):
        yield " ".join(chance.choices(BROAD, k=chance.randint(10, 30)))[:200]
    for _ in range(100):
        words = ("".join(chance.choices("aeinorst", k=chance.randint(4, 20))) for _ in range(8))
        yield " ".join(words)[:200]


def tell(name: str, times: Sequence[float]) -> None:
    """Print one line."""
    ordered = sorted(times)
    p50, p95 = ordered[len(ordered) // 2], ordered[len(ordered) * 95 // 100]
    print(f"{name:12} p50 {p50:8.1f}  p95 {p95:8.1f}  max {ordered[-1]:8.1f} ms", flush=True)


async def measure(database: BenchDatabase, path: Path) -> None:
    """Import, ask, and print."""
    settings = database.settings
    assert settings.database_url is not None
    limits = settings.database
    engine = make_engine(settings.database_url, limits, statement_timeout=limits.bulk_statement_timeout)
    report = await run_source(engine, RecordFile(path), publish=True, dry_run=False, progress=lambda *_: None)
    async with async_sessionmaker(engine, class_=Session).begin() as session:
        await order_rows(session)
    await engine.dispose()
    owner = await asyncpg.connect(database.owner_url)
    await owner.execute("vacuum analyze")
    await owner.close()
    print(f"{path.name}: {report.changed:,} records")
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        published, spent = app.state.database.published, [0.0]
        fetch = published.fetch

        async def timed(sql: str, arguments: Sequence[Any]) -> Sequence[Any]:
            begin = time.perf_counter()
            rows: Sequence[Any] = await fetch(sql, arguments)
            spent[0] += 1000 * (time.perf_counter() - begin)
            return rows

        published.fetch = timed
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://bench/api/v1", timeout=600) as client:

            async def ask(paths: Iterable[str]) -> list[float]:
                return [await once(path) for path in paths]

            async def once(path: str) -> float:
                times = []
                for _ in range(3):
                    spent[0] = 0.0
                    answer = await client.get(path)
                    assert answer.status_code in {200, 400, 422}, (path, answer.text[:200])
                    times.append(spent[0])
                return min(times)

            async def whole_request(path: str) -> float:
                begin = time.perf_counter()
                answer = await client.get(path)
                assert answer.status_code in {200, 400, 422}, (path, answer.text[:200])
                return 1000 * (time.perf_counter() - begin)

            async def score(query: str) -> float:
                hits = (await client.get("/search", params={"q": query, "limit": 10})).json()["items"]
                return sum(hit["score"] for hit in hits)

            asked = queries()
            for name, texts in (("searches", asked), ("broad words", BROAD)):
                tell(name, await ask(f"/search?{httpx.QueryParams({'q': text, 'limit': 10})}" for text in texts))
            tell("hostile", [await whole_request(f"/search?{httpx.QueryParams({'q': text})}") for text in hostile()])
            tell("fragments", await ask(f"/search/suggest?{httpx.QueryParams({'q': text[:5]})}" for text in asked))
            tell("lists", await ask(f"/resources?{filters}" for filters in FILTERS))
            capped = [await score(query) for query in asked]
            with uncapped():
                whole = [await score(query) for query in asked]
            shares = [part / total for part, total in zip(capped, whole, strict=True) if total]
            print(f"page under the caps: {fmean(shares):.3f} of the score without, at worst {min(shares):.3f}")


def main() -> None:
    """Measure every file."""
    os.environ["VIBE4VETS_LIMITS__PUBLIC_READS"] = "off"
    os.environ["VIBE4VETS_DATABASE__STATEMENT_TIMEOUT"] = "PT5M"  # for the pages without caps
    for path in map(Path, sys.argv[1:]):
        with fresh_database("bench_scale") as database:
            asyncio.run(measure(database, path))


if __name__ == "__main__":
    main()
