"""The command line: `vibe4vets`, or `python -m vibe4vets`."""

import asyncio
import json
import re
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NoReturn

import asyncpg
import typer
from pydantic import ValidationError
from pydantic_settings import SettingsError
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from vibe4vets.cli import accounts, audit, serving, working
from vibe4vets.cli.connectors import connectors
from vibe4vets.cli.directory import count_published, import_records, render_published, tell_report
from vibe4vets.cli.files import open_file
from vibe4vets.cli.places import load_place_file, tell_places
from vibe4vets.cli.terminal import out, tell_error
from vibe4vets.connectors.base import FetchError, SourceError
from vibe4vets.connectors.models import Encoding, Format, Outcome
from vibe4vets.core.config import Settings
from vibe4vets.core.database import NoDatabaseError
from vibe4vets.core.embedded import EmbeddedPostgresError
from vibe4vets.core.errors import AppError
from vibe4vets.core.safety import UnsafeSettingsError, refuse_unsafe
from vibe4vets.core.variables import UnknownSettingError

app = typer.Typer(
    help="A directory of resources for US Veterans: the service and its tools.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(accounts.app, name="users")
app.add_typer(audit.commands, name="audit")
_PLAIN_FAILURES = (
    EmbeddedPostgresError, FetchError, NoDatabaseError, SourceError, UnknownSettingError, UnsafeSettingsError,
    serving.AddressError,
)  # fmt: skip
app.add_typer(connectors, name="connectors")
places = typer.Typer(help="Where ZIP codes, cities and counties are.", no_args_is_help=True)
app.add_typer(places, name="places")
_TERMINATED = 128 + signal.SIGTERM


def main() -> None:
    """Run the command line; a failure that a person can mend is told in one line, exit code 1."""
    signal.signal(signal.SIGTERM, _leave)
    try:
        app()
    except (*_PLAIN_FAILURES, AppError) as error:
        _fail(str(error))
    except SettingsError as error:  # raised where JSON was expected: a group of settings
        name = _setting(re.findall(r'field "(\w+)"', str(error)))
        _fail(f"{name}: not a JSON object; or set its parts one by one, as {name}__PART")
    except ValidationError as error:
        _fail("; ".join(f"{_setting(problem['loc'])}: {_rule(problem['msg'])}" for problem in error.errors()))
    except (OSError, SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        _fail(_reason(error))


def _leave(_signal: int, _frame: object) -> NoReturn:
    """Unwind on SIGTERM instead of dying on the spot: whoever started the embedded server stops it."""
    sys.exit(_TERMINATED)


def _fail(message: str) -> NoReturn:
    tell_error(message)
    raise SystemExit(1)


def _setting(location: Sequence[int | str]) -> str:
    name = "__".join(part for part in location if isinstance(part, str)).upper()  # a list is one variable
    return name if name.startswith("DATABASE_") and "__" not in name else f"VIBE4VETS_{name}"


def _rule(message: str) -> str:
    return message.removeprefix("Value error, ")


def _reason(error: BaseException) -> str:
    """What failed, in the words of the server or the system; SQLAlchemy would add the statement and its values."""
    if isinstance(error, DBAPIError) and error.orig is not None:
        error = error.orig.__cause__ or error.orig
    words = str(error).split("\n", 1)[0] or "no answer in time"
    lost = (OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.InternalClientError)
    if isinstance(error, lost):  # the last one is how the driver tells of a connection that died under a statement
        return f"The database or a file cannot be reached ({type(error).__name__}): {words}"
    return f"{type(error).__name__}: {words}"


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 for every one.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8000,
    workers: Annotated[int, typer.Option(min=1, help="Processes that answer requests.")] = 1,
    *,
    worker: Annotated[bool, typer.Option(help="Start the process beside them that runs connectors.")] = True,
) -> None:
    """Serve the API. Without DATABASE_URL: start the embedded PostgreSQL, migrate, load the starter directory."""
    settings = Settings()
    refuse_unsafe(settings)
    serving.require_free(host, port)
    with serving.database(settings) as settings:
        if settings.embedded:
            serving.migrate(settings)
            if not asyncio.run(count_published(settings)):
                serving.load_starter(settings)
        password = asyncio.run(accounts.make_first_admin(settings)) if settings.embedded else None
        serving.announce(
            f"http://{f'[{host}]' if ':' in host else host}:{port}",
            settings,
            first_admin=(accounts.FIRST_ADMIN, password) if password else None,
        )
        serving.run(settings, host=host, port=port, workers=workers, worker=worker)


@app.command()
def worker() -> None:
    """Run connectors and what comes round by itself, until SIGTERM; any number of workers share the work."""
    settings = Settings()
    refuse_unsafe(settings)
    with serving.database(settings) as settings:
        serving.require_schema(settings)
        working.work(settings)


@app.command()
def migrate() -> None:
    """Bring the database schema to the version of this code, as the owner (DATABASE_MIGRATION_URL)."""
    with serving.database(Settings()) as settings:
        serving.migrate(settings)
    out.print("The database schema is up to date.")


@app.command(name="import")
def import_file(  # noqa: PLR0913  a command has its options
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="A record file, a spreadsheet, HSDS.")
    ],
    *,
    source: Annotated[
        str | None, typer.Option(help="The source that the records belong to; record files name their own.")
    ] = None,
    kind: Annotated[Format | None, typer.Option("--format", help="Not given: what the content looks like.")] = None,
    encoding: Annotated[
        Encoding | None, typer.Option(help="Of a spreadsheet, when it is not UTF-8: cp1252 is converted.")
    ] = None,
    column: Annotated[
        list[str] | None, typer.Option(help='The field of a column, "Header=field", where the suggestion is wrong.')
    ] = None,
    publish: Annotated[
        bool, typer.Option("--publish", help="Publish at once; otherwise new records are drafts.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would happen.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 if any record was quarantined.")] = False,
) -> None:
    """Import a file: new, changed and unchanged records are told apart by source and source_record_id."""
    opened = open_file(file, source, kind, encoding, column or [])
    with serving.database(Settings()) as settings:
        serving.require_schema(settings)
        try:
            report = asyncio.run(import_records(settings, opened, publish=publish, dry_run=dry_run))
        except (OSError, SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            tell_error(_reason(error))
            _fail("The import has stopped. What it had imported is kept: the same command again does the rest.")
        tell_report(report, opened.subject, settings, dry_run=dry_run)
    if strict and report.counts[Outcome.QUARANTINED]:
        raise typer.Exit(1)


@app.command()
def reindex() -> None:
    """Render the published directory anew from its working rows."""
    with serving.database(Settings()) as settings:
        serving.require_schema(settings)
        count = asyncio.run(render_published(settings))
    out.print(f"Rendered {count:,} published resources.")


@places.command(name="load")
def load_places(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="A file of ZIP codes.")],
) -> None:
    """Load where ZIP codes, cities and counties are: Census gazetteer, GeoNames postal codes, or a CSV."""
    with serving.database(Settings()) as settings:
        serving.require_schema(settings)
        tell_places(asyncio.run(load_place_file(settings, file)), file)


@app.command()
def openapi() -> None:
    """Print the OpenAPI document."""
    from vibe4vets.main import create_app  # noqa: PLC0415  the API takes a fifth of the time to start; others need none

    typer.echo(json.dumps(create_app(Settings()).openapi(), indent=2, ensure_ascii=False))
