"""`vibe4vets connectors`: which publishers are read, and a reading in the foreground."""

import asyncio
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from vibe4vets.cli import serving
from vibe4vets.cli.directory import read_connector, tell_report
from vibe4vets.cli.terminal import out
from vibe4vets.connectors import registry
from vibe4vets.core.config import Settings

connectors = typer.Typer(help="The publishers that are read over the network.", no_args_is_help=True)


@connectors.command(name="list")
def list_connectors() -> None:
    """List every connector: its source, how often it is meant to run, and what keeps it from running."""
    table = Table("connector", "source", "tier", "every", "state")
    for slug, connector in registry.connectors(Settings()).items():
        about = connector.about
        state = escape(connector.obstacle or "ready")
        table.add_row(slug, escape(about.name), str(about.tier), str(about.schedule or "on request"), state)
    out.print(table)


@connectors.command()
def run(
    name: Annotated[str, typer.Argument(help="One of `connectors list`.")],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would happen.")] = False,
) -> None:
    """Read a publisher now, as a worker would: what is risky waits for a person, an incomplete reading does nothing."""
    settings = Settings()
    known = registry.connectors(settings)
    if name not in known:
        message = f"there is no connector {name!r}; there are {', '.join(known)}"
        raise typer.BadParameter(message, param_hint="NAME")
    with serving.database(settings) as settings:
        serving.require_schema(settings)
        report = asyncio.run(read_connector(settings, known[name], dry_run=dry_run))
        tell_report(report, known[name].about.name, settings, dry_run=dry_run)
