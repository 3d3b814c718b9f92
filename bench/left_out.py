"""What the weights are worth for a kind of query that they were not tuned for: `python bench/left_out.py`.

For each kind of the judged development queries: every weight starts neutral (parts equal, nothing discounted, no gate),
is tuned on the queries of all other kinds alone, one weight after the other, and then the kind that was left out is
measured. Beside it stand the same kind with neutral weights and with those of `weights.py`. Autocomplete has no weights
to tune, so nothing there can have been fitted to its queries. Needs `../shared/data`.
"""

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])

import argparse
import asyncio
import importlib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from statistics import fmean

import httpx

from bench.database import BenchDatabase, fresh_database
from bench.relevance import DATA, DEPTH, Measure, Query, judged, load
from vibe4vets.main import create_app
from vibe4vets.resources.service.search import weights

RUNTIME = "about 10 minutes on one core"
ROUNDS = 2
# each weight: where it starts, and what else it may be
NEUTRAL: Mapping[str, tuple[float, ...]] = {
    "WORDS_OF_CONCEPT": (0.5, 0.1, 0.2, 0.35),
    "WORDS_FOR_CODES": (1.0, 0.25, 0.5, 0.75),
    "ALL_CODES": (0.5, 0.0, 0.15, 0.25),
    "DERIVED": (1.0, 0.2, 0.4, 0.7),
    "CONVERSATION": (1.0, 0.1, 0.25, 0.5),
    "PLAIN": (1.0, 0.2, 0.4, 0.7),
    "BESIDE_NEEDS": (1.0, 0.4, 0.7),
    "AUDIENCE": (1.0, 0.25, 0.5, 0.75),
    "WEEKDAY": (0.5, 1.0, 2.0),
    "CLOSED_GATE": (1.0, 0.25, 0.5, 0.75),
    "NAME": (0.5, 0.7, 0.9, 1.1),
    "SIMILAR_TITLE": (0.1, 0.0, 0.3, 0.5),
    "ALL_WORDS": (0.1, 0.0, 0.05, 0.2),
    "PHRASE": (0.1, 0.0, 0.05, 0.2),
    "EQUAL": (0.1, 0.0, 0.2),
    "BEGINS": (0.1, 0.0, 0.05),
    "NATIONAL": (0.0, 0.03, 0.06, 0.12),
    "COMPLETENESS": (0.1, 0.0, 0.01, 0.03),
    "NATIONAL_SOMEWHERE": (0.5, 0.1, 0.25),
    "ELSEWHERE": (0.1, 0.0, 0.03),
    "NEAR": (0.5, 0.7, 0.9),
    "MILES": (30.0, 8.0, 15.0, 60.0),
    "STATE_WIDE": (0.5, 0.25, 0.75),
    "IN_STATE": (0.5, 0.15, 0.3),
    "DOUBT": (0.5, 0.25, 0.75, 1.0),
}
Weights = Mapping[str, float]


@contextmanager
def weighing(changed: Weights) -> Iterator[None]:
    """Search with other weights."""
    usual = {name: getattr(weights, name) for name in changed}
    vars(weights).update(changed)
    try:
        yield
    finally:
        vars(weights).update(usual)


class Judge:
    """nDCG@10 of each query under any weights, asked of a service in this process and remembered."""

    def __init__(self, client: httpx.AsyncClient, measure: Measure) -> None:
        self._client, self._measure = client, measure
        self._known: dict[tuple[str, tuple[float, ...]], float] = {}

    async def mean(self, queries: Sequence[Query], used: Weights) -> float:
        """The mean of the queries."""
        with weighing(used):
            return fmean([await self._of(query, tuple(used.values())) for query in queries])

    async def _of(self, query: Query, used: tuple[float, ...]) -> float:
        if (query.text, used) not in self._known:
            answer = await self._client.get("/api/v1/search", params={"q": query.text, "limit": DEPTH})
            sources = [hit["resource"]["source"] for hit in answer.raise_for_status().json()["items"]]
            names = [f"{source['slug']}:{source['record_id']}" for source in sources]
            self._known[query.text, used] = self._measure(names, query.grades, DEPTH, 2)["ndcg"]
        return self._known[query.text, used]


async def tuned(judge: Judge, queries: Sequence[Query]) -> dict[str, float]:
    """Weights that suit `queries`: from neutral, one after the other to its best value, `ROUNDS` times."""
    used = {name: values[0] for name, values in NEUTRAL.items()}
    best = await judge.mean(queries, used)
    for _ in range(ROUNDS):
        for name, values in NEUTRAL.items():
            for value in values:
                mean = await judge.mean(queries, used | {name: value})
                if mean > best:
                    best, used = mean, used | {name: value}
    return used


async def compare(database: BenchDatabase, measure: Measure) -> None:
    """Tune without each kind, and print how the kind fares."""
    queries = [query for query in judged()["dev"] if query.mode == "search"]
    app = create_app(database.settings)
    neutral = {name: values[0] for name, values in NEUTRAL.items()}
    print(f"{'kind left out':16}{'queries':>8}{'neutral':>9}{'tuned on the others':>21}{'shipped':>9}", flush=True)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bench") as client,
    ):
        judge = Judge(client, measure)
        for kind in dict.fromkeys(query.kind for query in queries):
            inside = [query for query in queries if query.kind == kind]
            others = await tuned(judge, [query for query in queries if query.kind != kind])
            figures = [await judge.mean(inside, used) for used in (neutral, others, {})]
            print(f"{kind:16}{len(inside):8}{figures[0]:9.3f}{figures[1]:21.3f}{figures[2]:9.3f}", flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=f"{__doc__} Takes {RUNTIME}.")
    parser.add_argument("--database", default="bench_left_out", help="made for this run, and dropped after it")
    name = parser.parse_args().database
    os.environ |= {"VIBE4VETS_LIMITS__PUBLIC_READS": "off", "VIBE4VETS_LOG__LEVEL": "warning"}
    sys.path.append(str(DATA))
    measure: Measure = importlib.import_module("evaluate").measure
    with fresh_database(name) as database:
        asyncio.run(load(database))
        asyncio.run(compare(database, measure))


if __name__ == "__main__":
    main()
