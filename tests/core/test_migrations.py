"""The migrations: one line of them, up and down and up again, alone, patient with the live service, and complete."""

import asyncio
import io
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import URL, CheckConstraint, UniqueConstraint
from sqlmodel import SQLModel

from alembic import command
from vibe4vets.core.config import Settings
from vibe4vets.core.database import Session
from vibe4vets.core.embedded import EmbeddedPostgres
from vibe4vets.core.migrations import alembic_config, expected_revision, upgrade

PROJECT = Path(__file__).resolve().parents[2]
REVISIONS = sorted((PROJECT / "alembic/versions").glob("*.py"))


@pytest.fixture
async def empty(owner: asyncpg.Connection) -> AsyncIterator[str]:
    """The name of a database without anything."""
    name = f"bare_{uuid4().hex[:12]}"
    await owner.execute(f'create database "{name}" strategy file_copy')
    yield name
    await owner.execute(f'drop database "{name}" with (force)')


def owner_url(server: EmbeddedPostgres, database: str) -> URL:
    """Where migrations connect."""
    url = Settings.model_validate({"DATABASE_URL": server.owner_url(database)}).database_url
    assert url is not None
    return url


def dump(server: EmbeddedPostgres, database: str) -> str:
    """The schema as SQL, without the lines that differ from dump to dump."""
    environment = server.client_environment() | {"PGDATABASE": database}
    done = subprocess.run(["pg_dump", "-s"], env=environment, capture_output=True, text=True, check=True)
    return "\n".join(line for line in done.stdout.splitlines() if not line.startswith(("\\restrict", "\\unrestrict")))


async def test_up_down_and_up_again_is_the_same(server: EmbeddedPostgres, empty: str) -> None:
    url = owner_url(server, empty)
    await asyncio.to_thread(upgrade, url)
    first = await asyncio.to_thread(dump, server, empty)
    assert "CREATE TABLE public.published_resources" in first
    await asyncio.to_thread(command.downgrade, alembic_config(url), "base")
    left = await asyncio.to_thread(dump, server, empty)
    assert re.findall(r"CREATE TABLE public\.(\w+)", left) == ["alembic_version"]
    assert not re.findall(r"CREATE (?:FUNCTION|TYPE|TEXT SEARCH|SEQUENCE|VIEW) .*", left)
    await asyncio.to_thread(upgrade, url)
    assert await asyncio.to_thread(dump, server, empty) == first


async def test_the_models_are_what_the_migrations_make(server: EmbeddedPostgres, database: str) -> None:
    config = alembic_config(owner_url(server, database))
    config.stdout = io.StringIO()
    await asyncio.to_thread(command.check, config)


def test_there_is_one_head() -> None:
    assert ScriptDirectory.from_config(alembic_config()).get_heads() == [expected_revision()]


def test_nothing_else_makes_tables() -> None:
    sources = [path for path in (PROJECT / "src").rglob("*.py") if "create_all" in path.read_text()]
    assert sources == []


def test_revisions_stand_alone() -> None:
    """A revision must still run when the code of its day is gone."""
    assert REVISIONS
    for path in REVISIONS:
        assert "vibe4vets" not in "".join(re.findall(r"^\s*(?:from|import) .*$", path.read_text(), re.MULTILINE))


def test_the_sql_waits_four_seconds_at_most_for_a_lock() -> None:
    """Row J3: the first statements of what `alembic upgrade --sql` writes."""
    config = alembic_config()
    config.output_buffer = io.StringIO()
    command.upgrade(config, "head", sql=True)
    sql = config.output_buffer.getvalue()
    timeouts = re.findall(r"^set lock_timeout = '(\d+)s';$", sql, re.MULTILINE)
    assert [int(seconds) <= 4 for seconds in timeouts] == [True]
    assert sql.index("lock_timeout") < sql.index("CREATE TABLE")


async def test_every_statement_of_an_upgrade_has_the_limits(server: EmbeddedPostgres, empty: str) -> None:
    connection = await asyncpg.connect(server.owner_url(empty))
    await connection.execute("""
        create table seen (lock_timeout text, statement_timeout text);
        create function note() returns event_trigger language plpgsql as $$ begin
          insert into public.seen values (current_setting('lock_timeout'), current_setting('statement_timeout'));
        end $$;
        create event trigger noting on ddl_command_end execute function note();
    """)
    await asyncio.to_thread(upgrade, owner_url(server, empty))
    limits = await connection.fetch("select distinct * from seen")
    assert [tuple(row) for row in limits] == [("4s", "10min")]
    await connection.close()


async def test_two_upgrades_at_once_make_one_schema(server: EmbeddedPostgres, empty: str, database: str) -> None:
    """The lock is held here until both processes wait for it."""
    lock = await asyncpg.connect(server.owner_url(empty))
    await lock.execute("select pg_advisory_lock(7264387001)")
    environment = os.environ | {"DATABASE_URL": server.owner_url(empty)}
    start = [sys.executable, "-m", "vibe4vets", "migrate"]
    both = [
        await asyncio.create_subprocess_exec(*start, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    waiting = "select count(*) from pg_stat_activity where datname = current_database() and wait_event = 'advisory'"
    async with asyncio.timeout(60):
        while await lock.fetchval(waiting) < len(both):
            await lock.fetch("select pg_sleep(0.05)")
    await lock.close()
    for process in both:
        out, err = await process.communicate()
        assert (process.returncode, out) == (0, b"The database schema is up to date.\n"), err
    whole = [await asyncio.to_thread(dump, server, name) for name in (empty, database)]
    assert whole[0] == whole[1]


ID = "00000000-0000-0000-0000-00000000000a"
GOOD = f"""
insert into sources (id, slug, name, tier) values ('{ID}', 'good', 'n', 1);
insert into organizations (id, source_id, name, name_key) values ('{ID}', '{ID}', 'n', 'n');
insert into resources (id, source_id, source_record_id, organization_id, version, status, title, description,
  categories, scope) values ('{ID}', '{ID}', 'r', '{ID}', 1, 'draft', 't', '', '{{food}}', 'local');
insert into locations (resource_id, position) values ('{ID}', 0);
insert into source_records (source, source_record_id, resource_id, content_hash) values ('good', 'r', '{ID}', '');
insert into connector_runs (id, connector, subject, state, created, updated, published, unchanged, withheld,
  quarantined) values ('{ID}', 'c', 's', 'running', 0, 0, 0, 0, 0, 0);
insert into quarantined_records (run_id, line, reason, content) values ('{ID}', 1, '', '');
insert into places (kind, key, state, name, latitude, longitude, weight, origin)
  values ('zip', '43215', 'OH', 'Columbus', 40, -83, 1, 'file');
"""
ENTRY = """
insert into lexicon_entries (kind, language, official_words, origin, is_retired, phrase, codes, version)
values ('need', 'en', '', 'admin', false,
"""
BAD = {
    "ck_connector_runs_counts": "update connector_runs set withheld = -1",
    "ck_connector_runs_finished": "update connector_runs set finished_at = now()",
    "ck_connector_runs_state": "update connector_runs set state = 'done', finished_at = now()",
    "ck_lexicon_entries_codes": f"{ENTRY} 'rent help', '[]', 1)",
    "ck_lexicon_entries_folded": f"{ENTRY} 'Rent help!', '{{}}', 1)",
    "ck_lexicon_entries_version": f"{ENTRY} 'rent help', '{{}}', 0)",
    "ck_locations_coordinates_in_pairs": "update locations set latitude = 1",
    "ck_locations_latitude": "update locations set latitude = 'NaN', longitude = 0",
    "ck_locations_longitude": "update locations set latitude = 0, longitude = 180.1",
    "ck_locations_position": "update locations set position = -1",
    "ck_locations_postal_code": "update locations set postal_code = '1234'",
    "ck_locations_state": "update locations set state = 'ZZ'",
    "ck_organizations_named": "update organizations set name_key = ''",
    "ck_quarantined_records_line": "update quarantined_records set line = 0",
    "ck_resources_categories": "update resources set categories = '{}'",
    "ck_resources_eligibility": "update resources set eligibility = array_fill('a'::text, array[51])",
    "ck_resources_hours_weekly": "update resources set hours_weekly = '[[]]'",
    "ck_resources_languages": "update resources set languages = '{EN}'",
    "ck_resources_phone": "update resources set phone = '614 555 0123'",
    "ck_resources_phone_extension": "update resources set phone_extension = '1'",
    "ck_resources_scope": "update resources set scope = 'world'",
    "ck_resources_states": "update resources set states = '{OH,ZZ}'",
    "ck_resources_status": "update resources set status = 'hidden'",
    "ck_resources_tags": "update resources set tags = '{Not A Tag}'",
    "ck_resources_titled": "update resources set title = ''",
    "ck_resources_version": "update resources set version = 0",
    "ck_places_coordinates": "update places set latitude = 'NaN'",
    "ck_places_kind": "update places set kind = 'planet'",
    "ck_published_changes_kind": f"insert into published_changes values ('{ID}', 1, 'moved', now())",
    "ck_published_terms_kind": "insert into published_terms (kind, value, uses) values ('colour', 'red', 1)",
    "ck_resources_website": "update resources set website = 'javascript:alert(1)'",
    "ck_search_state_one_row": "update search_state set id = 2",
    "ck_sources_slug": "update sources set slug = 'Not a slug'",
    "ck_sources_tier": "update sources set tier = 5",
    "uq_lexicon_entries_phrase": f"{ENTRY} 'eviction', '{{}}', 1)",
    "uq_locations_resource_id_position": "locations",
    "uq_organizations_source_id_name_key": "organizations",
    "uq_resources_source_id_source_record_id": "resources",
    "uq_source_records_source_source_record_id": "source_records",
    "uq_sources_slug": "sources",
}


def named_constraints() -> set[str]:
    """Every CHECK and UNIQUE constraint that a model declares; names of enums' own checks are none."""
    return {
        str(constraint.name)
        for table in SQLModel.metadata.tables.values()
        for constraint in table.constraints
        if isinstance(constraint, CheckConstraint | UniqueConstraint) and isinstance(constraint.name, str)
    }


async def test_every_rule_of_the_models_is_in_the_database(server: EmbeddedPostgres, database: str) -> None:
    connection = await asyncpg.connect(server.owner_url(database))
    rules = "select conname from pg_constraint where contype in ('c', 'u') and connamespace = 'public'::regnamespace"
    assert {row[0] for row in await connection.fetch(rules)} == set(BAD)
    assert named_constraints() == set(BAD)
    await connection.close()


async def copy_row(connection: asyncpg.Connection, table: str) -> None:
    """Insert the one row of `table` again, under another id."""
    row = dict(await connection.fetchrow(f"select * from {table}"))
    del row["id"]
    places = ", ".join(f"${number}" for number in range(1, len(row) + 1))
    await connection.execute(f"insert into {table} ({', '.join(row)}) values ({places})", *row.values())


@pytest.mark.parametrize(("rule", "offence"), BAD.items())
async def test_every_rule_refuses_a_bad_row(session: Session, rule: str, offence: str) -> None:
    connection = (await (await session.connection()).get_raw_connection()).driver_connection
    await connection.execute(GOOD)
    with pytest.raises(asyncpg.IntegrityConstraintViolationError) as refused:
        await (copy_row(connection, offence) if offence.isidentifier() else connection.execute(offence))
    assert refused.value.constraint_name == rule
