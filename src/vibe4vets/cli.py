"""The command line: `vibe4vets`, or `python -m vibe4vets`."""

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated, NoReturn

import typer
import uvicorn
from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from sqlalchemy import URL, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker

from vibe4vets.connectors.models import Outcome
from vibe4vets.connectors.service import RunReport, run_source
from vibe4vets.connectors.sources.records import RecordFile
from vibe4vets.core.config import DRIVER, Settings
from vibe4vets.core.database import NoDatabaseError, Session, make_engine
from vibe4vets.core.embedded import EmbeddedPostgres, EmbeddedPostgresError
from vibe4vets.core.errors import AppError
from vibe4vets.core.migrations import upgrade
from vibe4vets.main import create_app
from vibe4vets.resources import service as resources

app = typer.Typer(
    help="A directory of resources for US Veterans: the service and its tools.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
_out = Console()
_err = Console(stderr=True)
_STAGES = {"read": "Reading", "apply": "Applying"}
_EXAMPLES = ("search?q=housing", "resources?state=OH&category=legal", "search?q=vet+center&state=TX&facets=category")


def main() -> None:
    """Run the command line; a failure that a person can mend is told in one line, exit code 1."""
    try:
        app()
    except (AppError, EmbeddedPostgresError, NoDatabaseError) as error:
        _fail(str(error))
    except ValidationError as error:
        _fail("; ".join(f"{_setting(problem['loc'])} {problem['msg']}" for problem in error.errors()))
    except (OSError, SQLAlchemyError) as error:
        _fail(f"{type(error).__name__}: {str(error).splitlines()[0]}")


def _fail(message: str) -> NoReturn:
    _err.print(message, style="red", markup=False, highlight=False)
    raise SystemExit(1)


def _setting(location: tuple[int | str, ...]) -> str:
    name = "__".join(str(part) for part in location).upper()
    return name if name.startswith("DATABASE_") and "__" not in name else f"VIBE4VETS_{name}"


@app.command()
def serve(
    host: str = "127.0.0.1",
    port: int = 8000,
    workers: Annotated[int, typer.Option(min=1, help="Processes that answer requests.")] = 1,
) -> None:
    """Serve the API. Without DATABASE_URL: start the embedded PostgreSQL, migrate, load the starter directory."""
    settings = Settings()
    _require_free(host, port)
    with _database(settings) as settings:
        if settings.embedded:
            _prepare_embedded(settings)
        _announce(f"http://{host}:{port}", settings)
        _hand_over(settings)
        uvicorn.run(
            "vibe4vets.main:create_app",
            factory=True,
            host=host,
            port=port,
            workers=workers,
            http="httptools",
            access_log=False,  # its lines would hold what people search for, beside their address
            server_header=False,
            log_level="warning",
            timeout_graceful_shutdown=30,
        )


@app.command()
def migrate() -> None:
    """Bring the database schema to the version of this code, as the owner (DATABASE_MIGRATION_URL)."""
    with _database(Settings()) as settings:
        upgrade(_owner_url(settings))
    _out.print("The database schema is up to date.")


@app.command(name="import")
def import_file(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="A record file (NDJSON).")],
    *,
    publish: Annotated[
        bool, typer.Option("--publish", help="Publish at once; otherwise new records are drafts.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would happen.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 if any record was quarantined.")] = False,
) -> None:
    """Import a record file: new, changed and unchanged records are told apart by source and source_record_id."""
    with _database(Settings()) as settings:
        if settings.embedded:
            upgrade(_owner_url(settings))
        report = asyncio.run(_import(settings, file, publish=publish, dry_run=dry_run))
        _tell(report, file, settings, dry_run=dry_run)
    if strict and report.counts[Outcome.QUARANTINED]:
        raise typer.Exit(1)


@app.command()
def reindex() -> None:
    """Render the published directory anew from its working rows."""
    with _database(Settings()) as settings:
        count = asyncio.run(_reindex(settings))
    _out.print(f"Rendered {count:,} published resources.")


@app.command()
def openapi() -> None:
    """Print the OpenAPI document."""
    typer.echo(json.dumps(create_app(Settings()).openapi(), indent=2, ensure_ascii=False))


@contextmanager
def _database(settings: Settings) -> Iterator[Settings]:
    """Settings with a database: the configured one, else the embedded server for as long as it is used."""
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


def _owner_url(settings: Settings) -> URL:
    url = settings.database_migration_url or settings.database_url
    if url is None:
        raise NoDatabaseError
    return url


def _prepare_embedded(settings: Settings) -> None:
    with _err.status("Preparing the database"):
        upgrade(_owner_url(settings))
    if asyncio.run(_count_published(settings)):
        return
    with as_file(files("vibe4vets.connectors") / "starter" / "directory.ndjson") as path:
        report = asyncio.run(_import(settings, path, publish=True, dry_run=False))
    _out.print(f"Loaded the starter directory: {report.changed:,} resources.")


def _hand_over(settings: Settings) -> None:
    """Give the processes that uvicorn starts the database and the signing key of this one."""
    if settings.database_url is not None:
        os.environ["DATABASE_URL"] = settings.database_url.render_as_string(hide_password=False)
    os.environ["VIBE4VETS_SECRET_KEY"] = settings.signing_key.decode()


def _require_free(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            _fail(f"Cannot listen on {host}:{port} ({error.strerror}): choose another with --host or --port.")


def _announce(base: str, settings: Settings) -> None:
    lines = [f"Vibe4Vets serves at {base}", f"  Docs      {base}/docs", f"  Health    {base}/health/ready"]
    if settings.embedded:
        lines.append(f"  Database  embedded PostgreSQL in {settings.data_dir}")
    lines += ["  Try", *(f"    curl '{base}/api/v1/{example}'" for example in _EXAMPLES)]
    _out.print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)


def _progress() -> Progress:
    columns = (TextColumn("{task.description:<9}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=_err, transient=False)


@asynccontextmanager
async def _bulk_engine(settings: Settings) -> AsyncIterator[AsyncEngine]:
    limits = settings.database
    if settings.database_url is None:
        raise NoDatabaseError
    engine = make_engine(settings.database_url, limits, statement_timeout=limits.bulk_statement_timeout)
    try:
        yield engine
    finally:
        await engine.dispose()


async def _import(settings: Settings, file: Path, *, publish: bool, dry_run: bool) -> RunReport:
    async with _bulk_engine(settings) as engine:
        with _progress() as bars:
            bar = {stage: bars.add_task(name, total=None) for stage, name in _STAGES.items()}
            return await run_source(
                engine,
                RecordFile(file),
                publish=publish,
                dry_run=dry_run,
                progress=lambda stage, done, total: bars.update(bar[stage], completed=done, total=total),
            )


def _tell(report: RunReport, file: Path, settings: Settings, *, dry_run: bool) -> None:
    table = Table(title=f"{'Would import' if dry_run else 'Imported'} {file.name}")
    for kind in Outcome:
        table.add_column(kind.value, justify="right")
    table.add_row(*(f"{report.counts[kind]:,}" for kind in Outcome))
    _out.print(table)
    if not report.changed:
        _out.print("Nothing changed.")
    for warning in report.warnings:
        _out.print(warning, style="yellow", markup=False)
    if report.counts[Outcome.WITHHELD]:
        _out.print("Withheld: archived by an editor, or published and changed here without --publish.")
    if report.quarantined:
        _out.print(f"Quarantined records and reasons: {_write_quarantine(report, settings)}", soft_wrap=True)


def _write_quarantine(report: RunReport, settings: Settings) -> Path:
    path = settings.data_dir / "quarantine" / f"{report.run_id}.ndjson"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        for record in report.quarantined:
            kept = record.model_dump(mode="json", include={"line", "reason", "source", "source_record_id", "content"})
            file.write(json.dumps(kept, ensure_ascii=False) + "\n")
    return path


async def _reindex(settings: Settings) -> int:
    async with _bulk_engine(settings) as engine:
        sessions = async_sessionmaker(engine, class_=Session, expire_on_commit=False)
        async with sessions.begin() as session:
            total = await resources.count_published(session)
        done, after = 0, None
        with _progress() as bars:
            bar = bars.add_task("Rendering", total=total)
            while True:
                async with sessions.begin() as session:
                    ids = await resources.reindex_batch(session, after=after)
                if not ids:
                    break
                done, after = done + len(ids), ids[-1]
                bars.update(bar, completed=done)
        async with sessions.begin() as session:
            await resources.remove_strays(session)
        return done


async def _count_published(settings: Settings) -> int:
    async with _bulk_engine(settings) as engine, Session(engine) as session:
        return await resources.count_published(session)
