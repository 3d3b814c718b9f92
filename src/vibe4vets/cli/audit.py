"""The audit from the command line."""

import asyncio
from typing import Annotated

import typer

from vibe4vets.cli import serving
from vibe4vets.cli.directory import bulk_engine
from vibe4vets.cli.terminal import out, progress_bars, tell_error
from vibe4vets.core.audit import Verdict, verify_chain
from vibe4vets.core.config import Settings
from vibe4vets.core.database import Session

commands = typer.Typer(help="The audit: who did what, in a chain that shows tampering.", no_args_is_help=True)


@commands.callback()
def audit() -> None:
    """Keep `verify` a command of its own: a lone command would become the group itself."""


@commands.command()
def verify(
    known: Annotated[
        str | None, typer.Option(help="The hash of a seal noted earlier (`head` in the log): it must still be there.")
    ] = None,
) -> None:
    """Check the chain over all events; exit with 1 and the first event that was altered, inserted or removed."""
    with serving.database(Settings()) as settings:
        serving.require_schema(settings)
        verdict = asyncio.run(_verify(settings, known))
    out.print(f"{verdict.seals:,} seals over {verdict.events:,} events; {verdict.waiting:,} await one.")
    out.print(f"Head: {verdict.head}", highlight=False, soft_wrap=True)
    if verdict.fault:
        tell_error(verdict.fault)
        raise typer.Exit(1)
    out.print("The audit is whole.")


async def _verify(settings: Settings, known: str | None) -> Verdict:
    async with bulk_engine(settings) as engine, Session(engine) as session:
        with progress_bars() as bars:
            bar = bars.add_task("Verifying", total=None)
            return await verify_chain(
                session, known_head=known, progress=lambda done, total: bars.update(bar, completed=done, total=total)
            )
