"""The service as a process: its database, its address, and uvicorn."""

import asyncio
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from importlib.resources import as_file, files

import uvicorn
from sqlalchemy import URL, make_url

from vibe4vets.cli.directory import find_schema_fault, import_records, seed
from vibe4vets.cli.terminal import out
from vibe4vets.cli.working import worker_beside
from vibe4vets.connectors.sources.records import RecordFile
from vibe4vets.core.config import DRIVER, Settings
from vibe4vets.core.database import NoDatabaseError
from vibe4vets.core.embedded import EmbeddedPostgres
from vibe4vets.core.errors import Unavailable
from vibe4vets.core.logging import configure_logging
from vibe4vets.core.metrics import shared_between_processes
from vibe4vets.core.migrations import upgrade

_EXAMPLES = ("search?q=housing", "resources?state=OH&category=legal", "search?q=vet+center&state=TX&facets=category")


class AddressError(Exception):
    """The address to listen on cannot be had; the message says why and what to do."""


@contextmanager
def database(settings: Settings) -> Iterator[Settings]:
    """Settings with a database: the configured one, else the embedded server for as long as it is used.

    Whoever works on the database logs as the settings say.
    """
    configure_logging(settings)
    if settings.database_url is not None:
        yield settings
        return
    with EmbeddedPostgres(settings.data_dir).running() as server:
        yield settings.model_copy(
            update={
                "embedded": True,
                "database_url": make_url(server.app_url()).set(drivername=DRIVER),
                "database_migration_url": make_url(server.owner_url()).set(drivername=DRIVER),
            }
        )


def app_url(settings: Settings) -> URL:
    """Where the service connects."""
    if settings.database_url is None:
        raise NoDatabaseError
    return settings.database_url


def owner_url(settings: Settings) -> URL:
    """Where migrations connect."""
    url = settings.database_migration_url or settings.database_url
    if url is None:
        raise NoDatabaseError
    return url


def migrate(settings: Settings) -> None:
    """Bring the schema to the version of this code, and with it the lexicon that comes with the code."""
    upgrade(owner_url(settings))
    asyncio.run(seed(owner_url(settings), settings.database))


def require_schema(settings: Settings) -> None:
    """See that the schema is of this version: the embedded database is migrated, any other only looked at."""
    if settings.embedded:
        migrate(settings)
    elif fault := asyncio.run(find_schema_fault(settings)):
        raise Unavailable(fault)


def load_starter(settings: Settings) -> None:
    """Publish the directory that ships with the project."""
    with as_file(files("vibe4vets.connectors") / "starter" / "directory.ndjson") as path:
        report = asyncio.run(import_records(settings, RecordFile(path), publish=True, dry_run=False))
    out.print(f"Loaded the starter directory: {report.changed:,} resources.")


def require_free(host: str, port: int) -> None:
    """Raise AddressError unless this process can listen on the address."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            reason = f"Cannot listen on {host}:{port} ({error.strerror}): choose another with --host or --port."
            raise AddressError(reason) from error


def announce(base: str, settings: Settings, *, first_admin: tuple[str, str] | None = None) -> None:
    """Print where the service is, what to try first, and once how the first admin signs in."""
    lines = [f"Vibe4Vets serves at {base}", f"  Health    {base}/health/ready"]
    if settings.docs and settings.pages.openapi and settings.pages.swagger:
        lines.insert(1, f"  Docs      {base}/docs")
    if settings.embedded:
        lines.append(f"  Database  embedded PostgreSQL in {settings.data_dir}")
    if first_admin is not None:
        email, password = first_admin
        lines += [
            f"  Admin     {email}, one-time password {password}",
            "            shown this once; change it within 24 hours: POST /api/v1/auth/password",
        ]
    lines += ["  Try", *(f"    curl '{base}/api/v1/{example}'" for example in _EXAMPLES)]
    out.print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)


def run(settings: Settings, *, host: str, port: int, workers: int, worker: bool) -> None:
    """Answer requests until SIGTERM or SIGINT, which end it in good order and with exit code 0.

    With `worker`, one process beside it does the jobs: it shares no event loop with requests, however many answer.
    """
    _hand_over(settings)
    with worker_beside() if worker else nullcontext():
        _answer(settings, host=host, port=port, workers=workers)


def _answer(settings: Settings, *, host: str, port: int, workers: int) -> None:
    signal.signal(signal.SIGTERM, lambda *_: None)  # uvicorn raises it again once it has stopped
    # one `serve` has the address, so the folder is its own
    folder = settings.data_dir / "metrics" / f"{host.replace(':', '-')}-{port}"
    with shared_between_processes(folder) if workers > 1 else nullcontext():
        uvicorn.run(
            "vibe4vets.cli.application:application",
            factory=True,
            host=host,
            port=port,
            workers=workers,
            http="httptools",
            access_log=False,  # its lines would hold what people search for, beside their address
            proxy_headers=False,  # uvicorn would believe whoever connects from this machine; ours are a setting
            server_header=False,
            log_config=None,  # its loggers go the way of all others
            log_level="warning",
            timeout_graceful_shutdown=30,
            ws_max_size=8 * 1024,  # whoever watches a run sends its token and no more
        )


def _hand_over(settings: Settings) -> None:
    """Give the processes that uvicorn starts the database and the signing key of this one."""
    if settings.database_url is not None:
        os.environ["DATABASE_URL"] = settings.database_url.render_as_string(hide_password=False)
    os.environ["VIBE4VETS_SECRET_KEY"] = settings.signing_key.decode()
