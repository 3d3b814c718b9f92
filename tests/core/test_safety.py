"""Production refuses what would put people at risk: settings at the start, the database's state while it runs."""

import os
import secrets
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest
from pydantic import SecretStr

from tests.conftest import make_client
from vibe4vets.cli import main
from vibe4vets.core.config import Environment, Settings
from vibe4vets.core.safety import UnsafeSettingsError, is_guessable, refuse_unsafe
from vibe4vets.core.variables import UnknownSettingError
from vibe4vets.main import create_app

KEY = "Gk3pWv9sQx7nLz2tRc5yHb8mJd4fTa6uEo1i"
GOOD = {
    "VIBE4VETS_ENV": "production",
    "VIBE4VETS_SECRET_KEY": KEY,
    "VIBE4VETS_BASE_URL": "https://directory.example.org",
    "DATABASE_URL": "postgresql://u@127.0.0.1:1/db",
}
UNSAFE = [
    ("VIBE4VETS_SECRET_KEY", None),
    ("VIBE4VETS_SECRET_KEY", "hunter2"),
    ("VIBE4VETS_SECRET_KEY", "hunter2-" * 6),
    ("VIBE4VETS_SECRET_KEY", "hunter2-change-me-in-production-please-1"),
    ("VIBE4VETS_METRICS__TOKEN", "hunter2hunter2hunter2hunter2hunter2"),
    ("VIBE4VETS_BASE_URL", None),
    ("VIBE4VETS_BASE_URL", "http://hunter2.example.org"),
    ("VIBE4VETS_LOG__LEVEL", "debug"),
    ("VIBE4VETS_AUTH__SIGNING_KEYS", '{"a": "hunter2hunter2hunter2hunter2hunter2"}'),
    ("VIBE4VETS_AUTH__RESET_PAGE", "http://hunter2.example.org"),
    ("VIBE4VETS_HTTP__CORS_ORIGINS", "*"),
    ("VIBE4VETS_HTTP__CORS_ORIGINS", "https://*.hunter2.example.org"),
    ("DATABASE_URL", None),
    ("VIBE4VETS_DEBUG", "hunter2"),
    ("VIBE4VETS_FETCH__ALLOW", "hunter2:80"),
]


@pytest.mark.parametrize(("name", "value"), UNSAFE)
def test_production_refuses_to_start(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    value: str | None,
) -> None:
    settings = {**GOOD, "VIBE4VETS_DATA_DIR": str(tmp_path / "data"), name: value}
    for key, text in settings.items():
        if text is not None:
            monkeypatch.setenv(key, text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["vibe4vets", "serve"])
    monkeypatch.setattr(signal, "signal", lambda *_: None)  # this process keeps its own
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"{name}: ")
    assert "hunter2" not in err
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == [], "nothing was begun"


def test_a_refusal_takes_no_longer_than_a_start(tmp_path: Path) -> None:
    """Row L6, as a process: the time limit is against a hang, for this machine may be busy."""
    command = [sys.executable, "-m", "vibe4vets", "serve"]
    settings = os.environ | GOOD | {"VIBE4VETS_BASE_URL": "http://directory.example.org"}
    done = subprocess.run(command, cwd=tmp_path, env=settings, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("VIBE4VETS_BASE_URL: ")


def test_every_fault_is_told_at_once(settings: Settings) -> None:
    unsafe = settings.model_copy(update={"env": Environment.PRODUCTION, "secret_key": None, "database_url": None})
    with pytest.raises(UnsafeSettingsError) as refused:
        refuse_unsafe(unsafe)
    told = [line.partition(":")[0] for line in str(refused.value).splitlines()]
    assert told == ["VIBE4VETS_SECRET_KEY", "VIBE4VETS_BASE_URL", "DATABASE_URL"]


async def test_whatever_starts_the_application_refuses(settings: Settings) -> None:
    app = create_app(settings.model_copy(update={"env": Environment.PRODUCTION}))
    with pytest.raises(UnsafeSettingsError):
        async with app.router.lifespan_context(app):
            pytest.fail("it has started")


@pytest.mark.parametrize("make", [secrets.token_urlsafe, secrets.token_hex])
def test_a_random_key_is_good(make: Any) -> None:
    assert not any(is_guessable(make(32)) for _ in range(500))


@pytest.mark.parametrize(
    "key", ["a" * 40, "ab" * 20, "0123456789abcdef0123456789abcdefg", "abcdefghijklmnopqrstuvwxyz0123456789",
            "correct-horse-battery-secret-staple", "0000000000000000000000000000000000000001"],
)  # fmt: skip
def test_a_key_that_is_none_is_seen(key: str) -> None:
    assert is_guessable(key)


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("VIBE4VETS_SECRETKEY", "; did you mean VIBE4VETS_SECRET_KEY?"),
        ("vibe4vets_databse__pool_size", ""),
        ("VIBE4VETS_ENV__PART", ""),
        ("VIBE4VETS_XYZ", ""),
    ],
)
@pytest.mark.parametrize("place", ["environment", "file"])
def test_a_misspelt_setting_starts_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, advice: str, place: str
) -> None:
    file = tmp_path / ".env"
    if place == "file":
        file.write_text(f"POSTGRES_PASSWORD=of-compose\n{name}=hunter2\n")
    else:
        monkeypatch.setenv(name, "hunter2")
    with pytest.raises(UnknownSettingError) as refused:
        Settings(_env_file=file)
    assert str(refused.value).startswith(f"{name.upper()}: there is no such setting")
    assert str(refused.value).endswith(advice)
    assert "hunter2" not in str(refused.value)


MIGHTY = {
    "superuser": "alter role {role} superuser",
    "manages roles or databases": "alter role {role} createrole",
    "change the schema": "grant create on schema public to {role}",
    "may change the schema": "create table mine (id int); alter table mine owner to {role}",
    "may change the audit": "grant update on audit_events to {role}",
    "fsync": "select",
}


@pytest.fixture
async def role(sql: asyncpg.Connection) -> Any:
    """A role that may do what the app role may."""
    name = f"role_{uuid4().hex[:12]}"
    await sql.execute(f"create role {name} login password 'p' in role vibe4vets_app")
    yield name
    await sql.execute(f"drop owned by {name}; drop role {name}")


@pytest.mark.parametrize(("fault", "change"), MIGHTY.items())
async def test_a_database_that_is_unsafe_makes_production_unready(
    settings: Settings, sql: asyncpg.Connection, role: str, fault: str, change: str
) -> None:
    """The last case is the control: a good role. What is left is the tests' server, which runs without fsync."""
    await sql.execute(change.format(role=role))
    assert settings.database_url is not None
    changes = {
        "env": Environment.PRODUCTION,
        "secret_key": SecretStr(KEY),
        "base_url": "https://directory.example.org",
        "database_url": settings.database_url.set(username=role, password="p"),
    }
    app = create_app(settings.model_copy(update=changes))
    async with app.router.lifespan_context(app), make_client(app) as client:
        answer = await client.get("/health/ready")
        assert (answer.status_code, answer.json()["type"]) == (503, "not-ready")
        assert fault in answer.json()["detail"]
        assert role not in answer.text
        assert (await client.get("/health/live")).status_code == 200


async def test_development_may_run_on_any_database(client: httpx.AsyncClient) -> None:
    assert (await client.get("/health/ready")).status_code == 200
