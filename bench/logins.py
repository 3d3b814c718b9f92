"""What a crowd that signs in does to everybody else: `python bench/logins.py`.

40 logins at once against one process, again and again, while another client asks for /health/live: its p99 (aim: under
100 ms). Then how long a refusal takes for an unknown account, a wrong password and a disabled account (aim: medians
within 20 % of each other).
"""

import sys
from pathlib import Path

# run as a file or as a module: this folder must not stand before the standard library, which has an `http` too
sys.path[0] = str(Path(__file__).resolve().parents[1])

import asyncio
import statistics
import time
from collections import Counter

import asyncpg
import httpx

from bench.database import fresh_database
from bench.http import serving
from vibe4vets.auth.passwords import hash_password

CROWD, ROUNDS, TRIES = 40, 8, 40
PASSWORD = "seven otters mend the quiet bridge"
UNLIMITED = {f"VIBE4VETS_LIMITS__LOGIN_FAILURES_PER_{per}": "off" for per in ("ACCOUNT", "ADDRESS")}
URL = "http://127.0.0.1:8103"
TOKEN = "/api/v1/auth/token"


async def add_accounts(url: str) -> None:
    """One account that works, and one that is disabled."""
    connection = await asyncpg.connect(url)
    hashed = await hash_password(PASSWORD)
    for email, state in (("pat@example.org", "active"), ("sam@example.org", "disabled")):
        await connection.execute(
            "insert into users (email, role, state, password_hash) values ($1, 'editor', $2, $3)", email, state, hashed
        )
    await connection.close()


async def watch(client: httpx.AsyncClient, until: asyncio.Event) -> list[float]:
    """Milliseconds of each answer of /health/live."""
    seen = []
    while not until.is_set():
        begun = time.perf_counter()
        (await client.get("/health/live")).raise_for_status()
        seen.append((time.perf_counter() - begun) * 1000)
        await asyncio.sleep(0.005)
    return seen


async def crowd(client: httpx.AsyncClient) -> Counter[int]:
    """Sign in CROWD times at once, ROUNDS times; the statuses."""
    statuses: Counter[int] = Counter()
    form = {"username": "pat@example.org", "password": PASSWORD}
    for _ in range(ROUNDS):
        answers = await asyncio.gather(*(client.post(TOKEN, data=form) for _ in range(CROWD)))
        statuses.update(answer.status_code for answer in answers)
    return statuses


async def time_refusals(client: httpx.AsyncClient) -> dict[str, float]:
    """Median milliseconds of a refusal, for each reason; the reasons take turns."""
    reasons = {
        "unknown account": ("nobody@example.org", PASSWORD),
        "wrong password": ("pat@example.org", "a wrong password"),
        "disabled account": ("sam@example.org", PASSWORD),
    }
    taken: dict[str, list[float]] = {reason: [] for reason in reasons}
    for _ in range(TRIES):
        for reason, (username, password) in reasons.items():
            begun = time.perf_counter()
            answer = await client.post(TOKEN, data={"username": username, "password": password})
            taken[reason].append((time.perf_counter() - begun) * 1000)
            assert answer.status_code == 401, answer.text
    return {reason: statistics.median(times) for reason, times in taken.items()}


async def measure() -> None:
    """Print both figures."""
    limits = httpx.Limits(max_connections=CROWD)
    async with (
        httpx.AsyncClient(base_url=URL, timeout=30, limits=limits) as many,
        httpx.AsyncClient(base_url=URL, timeout=30) as one,
    ):
        await many.post(TOKEN, data={"username": "nobody", "password": "x"})  # the first one makes the dummy hash
        done = asyncio.Event()
        watching = asyncio.create_task(watch(one, done))
        begun = time.perf_counter()
        statuses = await crowd(many)
        span = time.perf_counter() - begun
        done.set()
        seen = await watching
        p50, p99 = statistics.median(seen), statistics.quantiles(seen, n=100)[98]
        print(f"{CROWD} logins at once, {ROUNDS} times: {dict(statuses)}, {statuses.total() / span:.0f} a second")
        print(
            f"/health/live meanwhile, {len(seen)} answers: p50 {p50:.1f} ms, p99 {p99:.1f} ms, worst {max(seen):.1f} ms"
        )
        medians = await time_refusals(one)
        spread = max(medians.values()) / min(medians.values()) - 1
        told = ", ".join(f"{reason} {median:.1f} ms" for reason, median in medians.items())
        print(f"refusals, median of {TRIES}: {told}; they differ by {spread:.0%}")


def main() -> None:
    """Measure and print."""
    with fresh_database("bench_logins") as database:
        asyncio.run(add_accounts(database.owner_url))
        secret = database.settings.secret_key
        assert secret is not None
        service = {"DATABASE_URL": database.app_url, "VIBE4VETS_SECRET_KEY": secret.get_secret_value(), **UNLIMITED}
        with serving(["--factory", "vibe4vets.main:create_app"], 8103, service):
            asyncio.run(measure())


if __name__ == "__main__":
    main()
