"""`serve` without any setting: it starts, shares, survives and ends in good order."""

import os
import re
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from vibe4vets.core.embedded import EmbeddedPostgres

pytestmark = pytest.mark.drill

SEARCH = "/api/v1/search?q=housing"


def end(service: Any) -> int:
    """Ask it to end; its exit code."""
    service.process.send_signal(signal.SIGTERM)
    return service.process.wait(timeout=40)


def is_running(data_dir: Path) -> bool:
    """Whether the embedded server takes connections."""
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(data_dir / "run/.s.PGSQL.5432")) == 0


def test_zero_setup_from_the_first_start_to_a_kill(programs: Any, data_dir: Path) -> None:
    settings = {"VIBE4VETS_DATA_DIR": data_dir}
    first = programs.serve(**settings)
    assert first.await_status("/health/ready", 200).json()["status"] == "ok"
    found = first.get(SEARCH).json()
    assert found["total"] > 10
    assert found["items"]
    told = first.log.read_text()
    assert "Loaded the starter directory" in told
    assert f"{first.url}/docs" in told
    email, password = re.findall(r"Admin +(\S+), one-time password (\S+)", told)[0]
    form = {"username": email, "password": password}
    assert httpx.post(f"{first.url}/api/v1/auth/token", data=form, timeout=15).json()["token_type"] == "bearer"
    examples = [line.strip().removeprefix("curl '").rstrip("'") for line in told.splitlines() if "curl" in line]
    assert len(examples) == 3
    for example in examples:
        assert first.get(example.removeprefix(first.url)).json()["total"] > 0, example

    second = programs.serve(**settings)
    assert second.get(SEARCH).json() == found
    assert "Loaded" not in second.log.read_text()
    assert "one-time" not in second.log.read_text()

    refused = programs.run("serve", "--port", first.url.rsplit(":", 1)[1], **settings)
    _, error = refused.communicate(timeout=60)
    assert refused.returncode == 1
    assert error.startswith(f"Cannot listen on {first.url.removeprefix('http://')} (Address already in use)")
    assert error.count("\n") == 1

    assert end(second) == 0
    assert first.get(SEARCH).json() == found, "the first one still uses the server"
    first.process.kill()
    first.process.wait()
    third = programs.serve(**settings)
    assert third.get(SEARCH).json() == found
    assert is_running(data_dir)
    assert end(third) == 0
    assert not is_running(data_dir)


@pytest.fixture
def url(server: EmbeddedPostgres, database: str) -> str:
    """A migrated database without rows."""
    return server.app_url(database)


def test_several_workers_share_the_port_and_end_with_their_parent(
    programs: Any, url: str, folder: Path, eventually: Callable[[Callable[[], bool]], None]
) -> None:
    service = programs.serve("--workers", 2, DATABASE_URL=url, VIBE4VETS_DATA_DIR=folder / "data")
    for _ in range(10):
        assert service.get("/api/v1/resources").status_code == 200
    assert end(service) == 0
    killed = programs.serve("--workers", 2, DATABASE_URL=url, VIBE4VETS_DATA_DIR=folder / "data")
    host, port = killed.url.removeprefix("http://").split(":")
    killed.process.kill()

    def is_free() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex((host, int(port))) != 0

    eventually(is_free)


def children(process: Any) -> set[int]:
    """The processes that it has started and that live."""
    return {
        int(child)
        for path in Path(f"/proc/{process.pid}/task").glob("*/children")
        for child in path.read_text().split()
    }


def test_a_worker_runs_beside_it_and_ends_with_it(
    programs: Any, url: str, folder: Path, eventually: Callable[[Callable[[], bool]], None]
) -> None:
    """One that dies is started again; neither it nor its successor outlives who started it."""
    given = {"DATABASE_URL": url, "VIBE4VETS_DATA_DIR": folder / "data"}
    service = programs.serve("--worker", **given)
    alone = children(service.process)
    assert alone
    workers = {pid for pid in alone if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()}
    assert len(workers) == 1
    (worker,) = workers
    os.kill(worker, signal.SIGKILL)
    eventually(lambda: worker not in children(service.process) and len(children(service.process)) == len(alone))
    assert service.get("/health/live").status_code == 200
    assert "worker died" in service.log.read_text()
    left = children(service.process)
    assert end(service) == 0
    eventually(lambda: not [pid for pid in left if is_alive(pid)])
    killed = programs.serve("--worker", "--workers", 2, **given)
    left = children(killed.process)
    killed.process.kill()
    killed.process.wait()
    eventually(lambda: not [pid for pid in left if is_alive(pid)])


def is_alive(pid: int) -> bool:
    """Whether the process lives; one that nobody has waited for yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
