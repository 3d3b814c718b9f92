"""Work on the directory from the command line: import, render, count, each with a bar that shows how far it is."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from rich.table import Table
from rich.text import Text
from sqlalchemy import URL
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker

from vibe4vets.cli.terminal import out, progress_bars
from vibe4vets.connectors.base import Source
from vibe4vets.connectors.models import Outcome, RunState
from vibe4vets.connectors.registry import Connector
from vibe4vets.connectors.service import Progress, RunReport, run_connector, run_source
from vibe4vets.connectors.service.mappings import save_mapping, saved_mapping
from vibe4vets.connectors.sources.spreadsheet import Spreadsheet
from vibe4vets.core.audit import SYSTEM, record_event
from vibe4vets.core.config import DatabaseSettings, Settings
from vibe4vets.core.database import NoDatabaseError, Session, make_engine
from vibe4vets.core.fetch import Fetcher
from vibe4vets.core.fetch.hosts import PostgresHosts
from vibe4vets.core.migrations import schema_fault
from vibe4vets.resources import service as resources

_STAGES = {"read": "Reading", "apply": "Applying"}


@asynccontextmanager
async def bulk_engine(settings: Settings) -> AsyncIterator[AsyncEngine]:
    """An engine whose statements may take as long as work without a reader does."""
    limits = settings.database
    if settings.database_url is None:
        raise NoDatabaseError
    engine = make_engine(settings.database_url, limits, statement_timeout=limits.bulk_statement_timeout)
    try:
        yield engine
    finally:
        await engine.dispose()


async def find_schema_fault(settings: Settings) -> str | None:
    """Why the schema of the database does not fit this code, with the remedy; None when it fits."""
    async with bulk_engine(settings) as engine, Session(engine) as session:
        return await schema_fault(session)


async def count_published(settings: Settings) -> int:
    """How many resources are published."""
    async with bulk_engine(settings) as engine, Session(engine) as session:
        return await resources.count_published(session)


async def seed(url: URL, limits: DatabaseSettings) -> None:
    """Bring the project's own taxonomy and lexicon into the database at `url`."""
    engine = make_engine(url, limits, statement_timeout=limits.bulk_statement_timeout)
    async with async_sessionmaker(engine, class_=Session).begin() as session:
        await resources.seed_lexicon(session)
    await engine.dispose()


async def import_records(settings: Settings, source: Source, *, publish: bool, dry_run: bool) -> RunReport:
    """Run `source`, showing how far it is. What is said of a spreadsheet's columns is kept for the next one."""
    lease = settings.jobs.lease
    async with bulk_engine(settings) as engine:
        sessions = async_sessionmaker(engine, class_=Session)
        if isinstance(source, Spreadsheet):
            async with sessions() as session:
                source.saved = await saved_mapping(session, source.about.slug)
        with _progress() as progress:
            report = await run_source(engine, source, publish=publish, dry_run=dry_run, progress=progress, lease=lease)
        if isinstance(source, Spreadsheet) and not dry_run:
            async with sessions.begin() as session:
                await save_mapping(session, source.about.slug, source.chosen)
        return report


async def read_connector(settings: Settings, connector: Connector, *, dry_run: bool) -> RunReport:
    """Read a publisher through the fetcher, showing how far it is; SourceError when the connector cannot run."""
    lease = settings.jobs.lease
    async with bulk_engine(settings) as engine, Fetcher(settings.fetch, PostgresHosts(engine)) as fetcher:
        with _progress() as progress:
            return await run_connector(engine, connector.open(fetcher), dry_run=dry_run, progress=progress, lease=lease)


@contextmanager
def _progress() -> Iterator[Progress]:
    with progress_bars() as bars:
        bar = {stage: bars.add_task(name, total=None) for stage, name in _STAGES.items()}
        yield lambda stage, done, total: bars.update(bar[stage], completed=done, total=total)


def tell_report(report: RunReport, subject: str, settings: Settings, *, dry_run: bool) -> None:
    """Print what a run did, or would do, and where its refused records are."""
    told = f"{'Would import' if dry_run else 'Imported'} {subject}"
    out.print(told, markup=False, highlight=False, soft_wrap=True)
    table = Table(show_header=False)
    for kind in Outcome:
        if report.counts[kind]:
            table.add_row(kind.value, Text(f"{report.counts[kind]:,}", justify="right"))
    out.print(table)
    if report.state is RunState.HELD:
        out.print(f"Held, nothing changed yet: {report.held_because}", style="yellow", markup=False, soft_wrap=True)
        out.print(f"An admin confirms or cancels it: run {report.run_id}", highlight=False, soft_wrap=True)
    elif not report.changed:
        out.print("Nothing changed.")
    for warning in report.warnings:
        out.print(warning, style="yellow", markup=False)
    if report.counts[Outcome.WITHHELD]:
        out.print("Withheld: archived by an editor, or published and changed here without --publish.")
    if report.quarantined:
        out.print(f"Quarantined records and reasons: {_write_quarantine(report, settings)}", soft_wrap=True)


def _write_quarantine(report: RunReport, settings: Settings) -> Path:
    path = settings.data_dir / "quarantine" / f"{report.run_id}.ndjson"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        for record in report.quarantined:
            kept = record.model_dump(mode="json", include={"line", "reason", "source", "source_record_id", "content"})
            file.write(json.dumps(kept, ensure_ascii=False) + "\n")
    return path


async def render_published(settings: Settings) -> int:
    """Render every published resource anew, by batches, and remove what is not published; return how many."""
    async with bulk_engine(settings) as engine:
        sessions = async_sessionmaker(engine, class_=Session, expire_on_commit=False)
        async with sessions.begin() as session:
            total = await resources.count_published(session)
        done, after = 0, None
        with progress_bars() as bars:
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
            await record_event(session, "directory.reindex", actor=SYSTEM, details={"resources": str(done)})
            await resources.learn_places(session)
        async with sessions.begin() as session:
            await resources.order_rows(session)
        return done
