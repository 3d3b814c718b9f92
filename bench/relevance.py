"""How good the search is, and how fast beside the spike: `python bench/relevance.py`; about 5 minutes.

Needs `../shared/data`: the records, the judged queries and `evaluate.py`, whose measure is used. Prints nDCG@10 by kind
for the development queries and for our own, clean, with a random slip in each, and without a random quarter of the
lexicon; then the SQL time of a page of ten beside that of the spike on the same server. What the weights are worth for
a kind of query that they were not tuned for is told by `bench/left_out.py`.
"""

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])

import argparse
import asyncio
import importlib
import json
import math
import os
import random
import re
import statistics
import subprocess
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx
from sqlalchemy.ext.asyncio import async_sessionmaker

from bench.database import REAL_RECORDS, BenchDatabase, fresh_database
from bench.http import serving
from vibe4vets.connectors.service import run_source
from vibe4vets.connectors.sources.records import RecordFile
from vibe4vets.core.database import Session, make_engine
from vibe4vets.main import create_app
from vibe4vets.resources.service import load_places

DATA, SPIKE = REAL_RECORDS.parent, REAL_RECORDS.parents[1] / "snippets"
PORT, SEEDS, DEPTH = 8161, (1, 2, 3), 10
KM_A_DEGREE = 111.1
TARGETS = {"dev": 0.95, "dev, a slip in each": 0.90, "dev, a quarter of the lexicon gone": 0.90}
Measure = Callable[[Sequence[str], Mapping[str, int], int, int], dict[str, float]]


@dataclass(frozen=True)
class Query:
    """A query and the grades of the records that answer it."""

    text: str
    kind: str
    mode: str
    grades: Mapping[str, int]


def read(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of an NDJSON file."""
    with path.open(encoding="utf-8") as file:
        yield from map(json.loads, file)


def judged() -> dict[str, list[Query]]:
    """The development queries, and our own, whose judgments are rules over the records."""
    records = {f"{record['source']}:{record['source_record_id']}": record for record in read(REAL_RECORDS)}
    dev = [Query(row["q"], row["kind"], row["mode"], row["relevant"]) for row in read(DATA / "queries_dev.jsonl")]
    own = []
    for row in read(Path(__file__).with_name("queries_own.jsonl")):
        grades = {name: grade(record, row["judge"]) for name, record in records.items()}
        own.append(Query(row["q"], row["kind"], "search", {name: given for name, given in grades.items() if given}))
    return {"dev": dev, "own": own}


def grade(record: Mapping[str, Any], rules: Sequence[tuple[int, Mapping[str, Any]]]) -> int:
    """The grade of the first rule that holds, else 0."""
    return next((given for given, rule in rules if all(holds(record, *part) for part in rule.items())), 0)


def holds(record: Mapping[str, Any], name: str, wanted: Any) -> bool:
    """Whether one condition of a rule holds."""
    if name in {"tag", "and_tag"}:
        return not set(wanted).isdisjoint([*record["subcategories"], *record["tags"]])
    if name == "state":
        return not set(wanted).isdisjoint([*record["states_served"], record["address"]["state"]])
    if name == "scope":
        return record["scope"] in wanted
    if name == "words":
        return re.search(wanted, f"{record['title']} {record['organization']}".lower()) is not None
    latitude, longitude, reach = wanted
    if record["latitude"] is None:
        return False
    east = (record["longitude"] - longitude) * math.cos(math.radians(latitude))
    return KM_A_DEGREE * math.hypot(record["latitude"] - latitude, east) <= reach


def with_slip(text: str, chance: random.Random) -> str:
    """One letter of one longer word missing, doubled, wrong or swapped with the next."""
    words = text.split()
    longer = [at for at, word in enumerate(words) if len(word) > 4 and word.isalpha()]
    if not longer:
        return text
    at = chance.choice(longer)
    word = words[at]
    place, letter = chance.randrange(1, len(word) - 1), chance.choice("abcdefghijklmnopqrstuvwxyz")
    words[at] = chance.choice([
        word[:place] + word[place + 1 :],
        word[:place] + letter + word[place:],
        word[:place] + letter + word[place + 1 :],
        word[:place] + word[place + 1] + word[place] + word[place + 2 :],
    ])  # fmt: skip
    return " ".join(words)


async def load(database: BenchDatabase) -> None:
    """Publish the records and load the places."""
    settings = database.settings
    assert settings.database_url is not None
    limits = settings.database
    engine = make_engine(settings.database_url, limits, statement_timeout=limits.bulk_statement_timeout)
    async with async_sessionmaker(engine, class_=Session).begin() as session:
        await load_places(session, DATA / "us_zip_centroids.csv", lambda _lines: None)
    await run_source(engine, RecordFile(REAL_RECORDS), publish=True, dry_run=False, progress=lambda *_: None)
    await engine.dispose()
    owner = await asyncpg.connect(database.owner_url)
    await owner.execute("vacuum analyze")
    await owner.close()


async def score(client: httpx.AsyncClient, queries: Sequence[Query], measure: Measure) -> dict[str, dict[str, float]]:
    """nDCG and zero-result rate by kind, `all` among them."""
    rows: dict[str, list[dict[str, float]]] = defaultdict(list)
    for query in queries:
        path = "search/suggest?kind=resource&" if query.mode == "autocomplete" else "search?"
        answer = await client.get(f"/api/v1/{path}{httpx.QueryParams({'q': query.text, 'limit': DEPTH})}")
        answer.raise_for_status()
        found = [hit["resource"]["source"] for hit in answer.json()["items"]]
        measured = measure([f"{source['slug']}:{source['record_id']}" for source in found], query.grades, DEPTH, 2)
        for kind in ("all", query.kind):
            rows[kind].append(measured)
    return {
        kind: {name: statistics.mean(row[name] for row in measured) for name in ("ndcg", "zero")}
        for kind, measured in rows.items()
    }


def tell(name: str, scores: Mapping[str, Mapping[str, float]]) -> None:
    """Print one line, with what falls short of its target marked."""
    kinds = "  ".join(f"{kind} {row['ndcg']:.3f}" for kind, row in scores.items() if kind != "all")
    mark = " !" if scores["all"]["ndcg"] < TARGETS.get(name, 0) else ""
    print(
        f"{name:36} nDCG@10 {scores['all']['ndcg']:.4f}{mark}  zero {scores['all']['zero']:.2f}   {kinds}", flush=True
    )


async def judge(database: BenchDatabase, measure: Measure) -> None:
    """Ask the service that runs, clean, with slips, and with parts of the lexicon."""
    owner = await asyncpg.connect(database.owner_url)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{PORT}", timeout=30) as client:
        paths = (await client.get("/openapi.json")).json()["paths"]
        modes = {"search"} | ({"autocomplete"} if "/api/v1/search/suggest" in paths else set())
        for name, queries in judged().items():
            asked = [query for query in queries if query.mode in modes]
            tell(name, await score(client, asked, measure))
            asked = [query for query in asked if query.mode == "search"]
            for seed in SEEDS:
                chance = random.Random(seed)
                slips = [Query(with_slip(q.text, chance), q.kind, q.mode, q.grades) for q in asked]
                tell(f"{name}, a slip in each", await score(client, slips, measure))
            for seed in SEEDS:
                # the same quarter in every run, whatever the order of the rows
                await owner.execute(
                    "update lexicon_entries set is_retired = hashtext(phrase || $1) & 3 = 0", f" {seed}"
                )
                tell(f"{name}, a quarter of the lexicon gone", await score(client, asked, measure))
            await owner.execute("update lexicon_entries set is_retired = false")
    await owner.close()


async def our_times(database: BenchDatabase) -> list[float]:
    """Milliseconds of SQL for each development query, statements of one query together."""
    queries = [query.text for query in judged()["dev"] if query.mode == "search"]
    app = create_app(database.settings)
    spent: list[float] = []
    async with app.router.lifespan_context(app):
        published = app.state.database.published
        fetch = published.fetch

        async def timed(sql: str, arguments: Sequence[Any]) -> Sequence[Any]:
            begin = time.perf_counter()
            rows: Sequence[Any] = await fetch(sql, arguments)
            spent[-1] += (time.perf_counter() - begin) * 1000
            return rows

        published.fetch = timed
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bench") as client:
            for _ in range(2):  # the first time warms
                spent.clear()
                for text in queries:
                    spent.append(0.0)
                    await client.get("/api/v1/search", params={"q": text, "limit": DEPTH})
    return spent


@contextmanager
def spike(database: BenchDatabase, name: str) -> Iterator[Callable[[], str]]:
    """The spike's tables in a database `name`; called, it runs the queries and returns what it prints."""
    parts = re.fullmatch(r"postgres\w*://([^:]+):([^@]+)@.*[?&]host=([^&]+).*", database.owner_url)
    assert parts is not None, "the embedded server is reached by its socket"
    environment = {**os.environ, "PGHOST": parts[3], "PGPASSWORD": "spike", "PGDATABASE": name}

    async def prepare() -> None:
        owner = await asyncpg.connect(database.owner_url)
        if not await owner.fetchval("select 1 from pg_roles where rolname = 'postgres'"):  # whom the spike runs as
            await owner.execute("create role postgres")
        for statement in (
            "alter role postgres superuser login password 'spike'",
            f"drop database if exists {name} with (force)",
            f"create database {name}",
        ):
            await owner.execute(statement)
        await owner.close()
        connection = await asyncpg.connect(host=parts[3], user="postgres", password="spike", database=name)
        for extension in ("pg_trgm", "unaccent", "fuzzystrmatch"):
            await connection.execute(f"create extension {extension}")
        await connection.close()

    asyncio.run(prepare())
    run = [sys.executable, str(SPIKE / "search_spike_load.py"), str(REAL_RECORDS), "d"]
    subprocess.run(run, env=environment, check=True, capture_output=True)
    asked = [sys.executable, str(SPIKE / "search_spike.py"), str(DATA / "queries_dev.jsonl"), "/dev/null"]

    def ask() -> str:
        return subprocess.run(asked, env=environment, check=True, capture_output=True, text=True).stdout.strip()

    yield ask


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", default="bench_relevance", help="made for this run, and dropped after it")
    name = parser.parse_args().database
    if not REAL_RECORDS.exists():
        raise SystemExit(f"{REAL_RECORDS} is not there: the judgments are about its records")
    sys.path.append(str(DATA))
    measure: Measure = importlib.import_module("evaluate").measure
    with fresh_database(name) as database:
        asyncio.run(load(database))
        secret = database.settings.secret_key
        assert secret is not None
        service = {
            "DATABASE_URL": database.app_url,
            "VIBE4VETS_SECRET_KEY": secret.get_secret_value(),
            "VIBE4VETS_LIMITS__PUBLIC_READS": "off",
            "VIBE4VETS_LOG__LEVEL": "warning",
        }
        with serving(["--factory", "vibe4vets.main:create_app"], PORT, service):
            asyncio.run(judge(database, measure))
        with spike(database, f"{name}_spike") as run_spike:
            for _ in range(3):
                times = sorted(asyncio.run(our_times(database)))
                p50, p95 = times[len(times) // 2], times[int(len(times) * 0.95)]
                print(
                    f"SQL ms: ours p50 {p50:.1f} p95 {p95:.1f} max {times[-1]:.1f}   spike: {run_spike()}", flush=True
                )


if __name__ == "__main__":
    main()
