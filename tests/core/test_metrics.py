"""What is counted, under which names, and who may read it."""

import asyncio
import re
import signal
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from tests.conftest import make_client
from vibe4vets.core.config import Environment, MetricsSettings, Settings
from vibe4vets.core.embedded import EmbeddedPostgres
from vibe4vets.main import create_app

TOKEN = "c5TkX2mJ8vQ0wZrBp7LnY4hDs9EfGaU3"
REQUESTS = re.compile(
    r'^vibe4vets_request_seconds_count\{method="(.+?)",route="(.+?)",status="(.+?)"\} (\S+)$', re.MULTILINE
)


def counted(text: str) -> dict[tuple[str, ...], float]:
    """How many requests there were by method, route and status."""
    return {(method, route, status): float(count) for method, route, status, count in REQUESTS.findall(text)}


async def test_requests_are_counted_by_route_and_never_by_address(client: httpx.AsyncClient) -> None:
    unknown = "00000000-0000-0000-0000-00000000000a"
    await client.get("/api/v1/search", params={"q": "canary"})
    await client.head("/api/v1/search", params={"q": "canary"})
    await client.get("/api/v1/search", params={"canary": "1"})
    await client.get(f"/api/v1/resources/{unknown}")
    await client.get("/canary")
    await client.get("/%ff")
    await client.request("CANARY", "/health/live")
    await client.delete("/health/live")
    text = (await client.get("/metrics")).text
    assert counted(text) == {
        ("GET", "/api/v1/search", "200"): 1,
        ("HEAD", "/api/v1/search", "200"): 1,
        ("GET", "/api/v1/search", "422"): 1,
        ("GET", "/api/v1/resources/{resource_id}", "404"): 1,
        ("GET", "none", "404"): 1,
        ("GET", "none", "400"): 1,
        ("OTHER", "/health/live", "405"): 1,
        ("DELETE", "/health/live", "405"): 1,
    }
    assert 'vibe4vets_database_connections{pool="published",state="idle"} 1.0' in text
    assert "canary" not in text
    assert unknown not in text


async def test_runs_and_jobs_are_told_as_the_database_has_them(
    client: httpx.AsyncClient, sql: asyncpg.Connection
) -> None:
    await sql.execute(
        "insert into connector_runs (connector, subject, state, created, updated, published, unchanged, withheld,"
        " quarantined, started_at, finished_at) values"
        " ('ohio_211', 's', 'succeeded', 5, 0, 0, 0, 0, 1, to_timestamp(1000), to_timestamp(1060)),"
        " ('ohio_211', 's', 'succeeded', 7, 0, 0, 0, 0, 2, to_timestamp(2000), to_timestamp(2030)),"
        " ('ohio_211', 's', 'failed', 0, 0, 0, 0, 0, 0, to_timestamp(3000), to_timestamp(3001)),"
        " ('ohio_211', 's', 'queued', 0, 0, 0, 0, 0, 0, null, null)"
    )
    await sql.execute("insert into pgqueuer (priority, status, entrypoint) values (0, 'queued', 'x')")
    text = (await client.get("/metrics")).text
    for line in (
        'vibe4vets_connector_runs{connector="ohio_211",state="succeeded"} 2.0',
        'vibe4vets_connector_runs{connector="ohio_211",state="queued"} 1.0',
        'vibe4vets_connector_last_run_timestamp_seconds{connector="ohio_211",state="succeeded"} 2030.0',
        'vibe4vets_connector_last_run_seconds{connector="ohio_211",state="failed"} 1.0',
        'vibe4vets_connector_records{connector="ohio_211",outcome="created"} 7.0',
        'vibe4vets_jobs{state="waiting"} 1.0',
    ):
        assert line in text
    await sql.execute("alter table connector_runs rename to away")
    text = (await client.get("/metrics")).text
    assert "vibe4vets_database_connections" in text
    assert "vibe4vets_connector_runs" not in text


async def test_what_is_metered_is_not_in_the_document(client: httpx.AsyncClient) -> None:
    assert (await client.get("/metrics")).headers["content-type"].startswith("text/plain")
    assert "/metrics" not in (await client.get("/openapi.json")).json()["paths"]


async def test_a_token_that_is_set_must_be_borne(settings: Settings) -> None:
    app = create_app(settings.model_copy(update={"metrics": MetricsSettings(token=SecretStr(TOKEN))}))
    async with app.router.lifespan_context(app), make_client(app) as client:
        for wrong in ("", TOKEN, "Bearer", f"Bearer {TOKEN}x", f"Basic {TOKEN}", "Bearer \xff"):
            refused = await client.get("/metrics", headers={"authorization": wrong.encode("latin-1")})
            assert (refused.status_code, refused.json()["type"]) == (401, "not-authenticated")
        answer = await client.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"})
        assert answer.status_code == 200


@pytest.mark.parametrize(("token", "status"), [(None, 404), (SecretStr(TOKEN), 401)])
async def test_production_tells_nothing_without_a_token(
    settings: Settings, token: SecretStr | None, status: int
) -> None:
    changes = {
        "env": Environment.PRODUCTION,
        "secret_key": SecretStr("Gk3pWv9sQx7nLz2tRc5yHb8mJd4fTa6uEo1i"),
        "base_url": "https://directory.example.org",
        "metrics": MetricsSettings(token=token),
    }
    app: FastAPI = create_app(settings.model_copy(update=changes))
    async with app.router.lifespan_context(app), make_client(app) as client:
        assert (await client.get("/metrics")).status_code == status


@pytest.mark.drill
async def test_several_processes_add_up(programs: Any, server: EmbeddedPostgres, database: str, folder: Any) -> None:
    settings = {"DATABASE_URL": server.app_url(database), "VIBE4VETS_DATA_DIR": folder / "data"}
    service = await asyncio.to_thread(programs.serve, "--workers", 2, **settings)
    kept = folder / "data/metrics"

    def ask_both() -> int:
        for asked in range(1, 2000):  # the one that comes later finds nothing to answer for a while
            service.get("/api/v1/resources")
            if len({path.name.rpartition("_")[2] for path in next(kept.iterdir()).glob("counter_*.db")}) == 2:
                return asked
        raise AssertionError("each process has files of its own")

    asked = await asyncio.to_thread(ask_both)
    for _ in range(5):
        text = service.get("/metrics").text
        assert counted(text)["GET", "/api/v1/resources", "200"] == asked
    service.process.send_signal(signal.SIGTERM)
    assert service.process.wait(timeout=40) == 0
    assert list(kept.iterdir()) == []
