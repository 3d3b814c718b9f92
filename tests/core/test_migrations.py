"""The migrations: one line of them, up and down and up again, alone, patient with the live service, and complete."""

import asyncio
import io
import os
import re
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import URL, CheckConstraint, UniqueConstraint
from sqlmodel import SQLModel

import vibe4vets.admin.models
import vibe4vets.connectors.link_models
import vibe4vets.core.fetch.models
import vibe4vets.core.limits.models  # noqa: F401  tables that no other test may have loaded
from alembic import command
from tests.databases import Lender
from vibe4vets.core.config import Settings
from vibe4vets.core.embedded import EmbeddedPostgres
from vibe4vets.core.migrations import alembic_config, expected_revision, upgrade

PROJECT = Path(__file__).resolve().parents[2]
REVISIONS = sorted((PROJECT / "alembic/versions").glob("*.py"))


@pytest.fixture
async def empty(lender: Lender) -> str:
    """The name of a database without anything."""
    return await lender.own("template1")


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
  quarantined, lease_until) values ('{ID}', 'c', 's', 'running', 0, 0, 0, 0, 0, 0, now());
insert into quarantined_records (run_id, line, reason, content) values ('{ID}', 1, '', '');
insert into users (email, password_hash, password_expires_at, role, state)
  values ('pat@example.org', '$argon2id$', now(), 'partner', 'active');
insert into sessions (user_id, token_epoch, last_used_at, idle_expires_at, expires_at)
  select id, 0, now(), now(), now() from users;
insert into refresh_tokens (token_hash, session_id, position) select sha256('token'), id, 0 from sessions;
insert into api_keys (user_id, name, slot, prefix, secret_hash, scopes, expires_at)
  select id, 'site', 1, 'prefix', sha256('secret'), '{{proposals:read}}', now() from users;
insert into password_resets (user_id, token_hash, token_epoch, expires_at)
  select id, sha256('reset'), 0, now() from users;
insert into proposals (id, kind, origin, state, version, resource_id, base_version, changes, risk, priority,
  fingerprint, submitter_kind)
  values ('{ID}', 'change', 'public', 'open', 1, '{ID}', 1, '{{}}', 'low', 2, repeat('b', 64), 'anonymous');
insert into submissions (proposal_id, token_hash) values ('{ID}', repeat('c', 64));
insert into review_decisions (proposal_id, actor_id, state) values ('{ID}', '', 'approved');
insert into rate_limits (key, spent, resets_at) values (sha256('address'), 1, now());
insert into idempotency_keys (key, request_hash) values (sha256('key'), sha256('request'));
insert into fetch_hosts (host, window_began_at, calls, failures) values ('example.org', now(), 1, 0);
insert into links (key, url, host, next_check_at)
  values (repeat('d', 64), 'https://example.org/', 'example.org', now());
insert into search_counts values (current_date, sha256('text'), 1, 0, 0);
insert into places (kind, key, state, name, latitude, longitude, weight, origin)
  values ('zip', '43215', 'OH', 'Columbus', 40, -83, 1, 'file');
"""
EVENT = "insert into audit_events (actor_kind, action) values ('system', 'a.b')"
PROPOSAL = (
    "insert into proposals (kind, origin, state, version, resource_id, base_version, changes, risk, priority,"
    " fingerprint, submitter_kind)"
    " select 'change', 'public', 'open', 1, id, 1, '{}', 'low', 2, repeat('a', 64), 'anonymous' from resources"
)
VIEW = "insert into resource_views (resource_id, day, views) select gen_random_uuid(), current_date, 0"
SUBMISSION = "insert into submissions (proposal_id, token_hash) select gen_random_uuid(), 'short'"
SEAL = "insert into audit_seals (number, sequences, digests, previous_hash, hash) values (1, '{1}', '{a}', '', '')"
ENTRY = """
insert into lexicon_entries (kind, language, official_words, origin, is_retired, phrase, codes, version)
values ('need', 'en', '', 'admin', false,
"""
BAD = {
    "ck_api_keys_expires_at": "update api_keys set expires_at = created_at + interval '367 days'",
    "ck_api_keys_named": "update api_keys set name = ''",
    "ck_api_keys_scopes": "update api_keys set scopes = '{everything}'",
    "ck_api_keys_secret_hash": "update api_keys set secret_hash = 'short'",
    "ck_api_keys_slot": "update api_keys set slot = 3",
    "ck_audit_events_action": EVENT.replace("a.b", "A b"),
    "ck_audit_events_actor_kind": EVENT.replace("system", "ghost"),
    "ck_audit_events_actor_named": EVENT.replace("system", "user"),
    "ck_audit_events_details": EVENT.replace("action)", "action, details)").replace("'a.b'", "'a.b', '[]'"),
    "ck_audit_events_target_whole": EVENT.replace("action)", "action, target_id)").replace("'a.b'", "'a.b', '1'"),
    "ck_audit_failures_count": "insert into audit_failures (minute, action, reason, count) values (now(), '', '', 0)",
    "ck_audit_seals_digests": SEAL.replace("{a}", "{}"),
    "ck_audit_seals_number": SEAL.replace("(1,", "(0,"),
    "ck_audit_seals_size": SEAL.replace("{1}", "{}").replace("{a}", "{}"),
    "ck_connector_runs_counts": "update connector_runs set withheld = -1",
    "ck_connector_runs_finished": "update connector_runs set finished_at = now()",
    "ck_connector_runs_leased": "update connector_runs set lease_until = null",
    "ck_connector_runs_policy": "update connector_runs set policy = 'any'",
    "ck_connector_runs_stage": "update connector_runs set stage = 'rest'",
    "ck_connector_runs_state": "update connector_runs set state = 'done', finished_at = now(), lease_until = null",
    "ck_connector_runs_trigger": "update connector_runs set trigger = 'whim'",
    "ck_connector_schedules_every": "insert into connector_schedules (connector, version, is_enabled, every)"
    " values ('c', 1, true, interval '1 minute')",
    "ck_connector_schedules_version": "insert into connector_schedules (connector, version, is_enabled)"
    " values ('c', 0, true)",
    "ck_idempotency_keys_key": "update idempotency_keys set key = 'short'",
    "ck_idempotency_keys_request_hash": "update idempotency_keys set request_hash = 'short'",
    "ck_duplicate_candidates_ordered": "insert into duplicate_candidates (first_id, second_id, score, reasons)"
    " select id, id, 1, '{}' from resources",
    "ck_duplicate_candidates_score": "insert into duplicate_candidates (first_id, second_id, score, reasons)"
    " select '00000000-0000-0000-0000-000000000000', id, 2, '{}' from resources",
    "ck_fetch_hosts_counts": "update fetch_hosts set failures = 2",
    "ck_fetch_hosts_probed": "update fetch_hosts set probed_at = now()",
    "ck_lexicon_entries_codes": f"{ENTRY} 'rent help', '[]', 1)",
    "ck_lexicon_entries_folded": f"{ENTRY} 'Rent help!', '{{}}', 1)",
    "ck_lexicon_entries_version": f"{ENTRY} 'rent help', '{{}}', 0)",
    "ck_links_broken": "update links set failures = 3, first_failed_at = now(), broken_at = now()",
    "ck_links_failures": "update links set failures = 1",
    "ck_links_suspected": "update links set suspicion = 'parked'",
    "ck_links_suspicion": "update links set suspicion = 'ugly', suspected_at = now()",
    "ck_locations_coordinates_in_pairs": "update locations set latitude = 1",
    "ck_locations_latitude": "update locations set latitude = 'NaN', longitude = 0",
    "ck_locations_longitude": "update locations set latitude = 0, longitude = 180.1",
    "ck_locations_position": "update locations set position = -1",
    "ck_locations_postal_code": "update locations set postal_code = '1234'",
    "ck_locations_state": "update locations set state = 'ZZ'",
    "ck_organizations_named": "update organizations set name_key = ''",
    "ck_password_resets_expires_at": "update password_resets set expires_at = created_at + interval '16 minutes'",
    "ck_password_resets_token_hash": "update password_resets set token_hash = 'short'",
    "ck_proposals_base": PROPOSAL.replace("id, 1, '{}'", "id, null, '{}'"),
    "ck_proposals_changes": PROPOSAL.replace("'{}'", "'[]'"),
    "ck_proposals_decided": PROPOSAL.replace("'open'", "'approved'"),
    "ck_proposals_feedback": PROPOSAL.replace("'change'", "'report'"),
    "ck_proposals_fingerprint": PROPOSAL.replace("repeat('a', 64)", "'short'"),
    "ck_proposals_kind": PROPOSAL.replace("'change'", "'wish'"),
    "ck_proposals_origin": PROPOSAL.replace("'public'", "'elsewhere'"),
    "ck_proposals_priority": PROPOSAL.replace("2, repeat", "3, repeat"),
    "ck_proposals_reason": PROPOSAL.replace("submitter_kind)", "submitter_kind, decided_at)")
    .replace("'open'", "'rejected'")
    .replace("'anonymous'", "'anonymous', now()"),
    "ck_proposals_risk": PROPOSAL.replace("'low'", "'none'"),
    "ck_proposals_state": PROPOSAL.replace("submitter_kind)", "submitter_kind, decided_at)")
    .replace("'open'", "'lost'")
    .replace("'anonymous'", "'anonymous', now()"),
    "ck_proposals_subject": PROPOSAL.replace("id, 1, '{}'", "null, 1, '{}'"),
    "ck_proposals_version": PROPOSAL.replace("'open', 1", "'open', 0"),
    "ck_quarantined_records_line": "update quarantined_records set line = 0",
    "ck_resource_revisions_number": "insert into resource_revisions (resource_id, number, change, actor_kind, document)"
    " select id, 0, 'created', 'system', '' from resources",
    "ck_rate_limits_key": "update rate_limits set key = 'short'",
    "ck_rate_limits_spent": "update rate_limits set spent = -1",
    "ck_refresh_tokens_position": "update refresh_tokens set position = -1",
    "ck_refresh_tokens_token_hash": "update refresh_tokens set token_hash = 'short'",
    "ck_resource_merges_two": "insert into resource_merges (kept_id, merged_id, kept_version)"
    " select id, id, 1 from resources",
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
    "ck_sessions_end_reason": "update sessions set end_reason = 'boredom', ended_at = now()",
    "ck_sessions_ended": "update sessions set ended_at = now()",
    "ck_sessions_idle_expires_at": "update sessions set idle_expires_at = expires_at + interval '1 second'",
    "ck_sources_slug": "update sources set slug = 'Not a slug'",
    "ck_sources_tier": "update sources set tier = 5",
    "ck_uploaded_files_format": "insert into uploaded_files (run_id, format) select id, 'xlsx' from connector_runs",
    "ck_users_email": "update users set email = 'Pat@example.org'",
    "ck_users_password_expires_at": "update users set password_hash = null",
    "ck_users_password_hash": "update users set password_hash = 'plain'",
    "ck_users_role": "update users set role = 'owner'",
    "ck_users_state": "update users set state = 'asleep'",
    "ck_users_token_epoch": "update users set token_epoch = -1",
    "ck_search_texts_hash": "insert into search_texts values ('short', 'word', 'ebt')",
    "uq_api_keys_prefix": "api_keys",
    "ck_search_askers_hashes": "insert into search_askers values (current_date, sha256('a'), 'short')",
    "ck_search_counts_counts": "update search_counts set searches = 0",
    "ck_search_counts_hash": "update search_counts set hash = 'short'",
    "ck_search_state_one_row": "update search_state set id = 2",
    "uq_lexicon_entries_phrase": f"{ENTRY} 'eviction', '{{}}', 1)",
    "uq_locations_resource_id_position": "locations",
    "uq_organizations_source_id_name_key": "organizations",
    "uq_password_resets_token_hash": "password_resets",
    "uq_resources_source_id_source_record_id": "resources",
    "uq_source_records_source_source_record_id": "source_records",
    "ck_resource_views_views": VIEW,
    "ck_submissions_sender": SUBMISSION.replace("token_hash)", "token_hash, submitter_id)").replace(
        "'short'", "repeat('d', 64), 'a'"
    ),
    "ck_submissions_token_hash": SUBMISSION,
    "ck_review_decisions_state": "update review_decisions set state = 'lost'",
    "uq_review_decisions_proposal_id": "review_decisions",
    "uq_sources_slug": "sources",
    "uq_submissions_submitter_id_proposal_id": "insert into submissions (proposal_id, submitter_id)"
    " select id, 'a' from proposals, generate_series(1, 2)",
    "uq_submissions_token_hash": "submissions",
    "uq_users_email": "users",
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
    rules = (
        "select conname from pg_constraint where contype in ('c', 'u') and connamespace = 'public'::regnamespace"
        " and conrelid::regclass::text not like 'pgqueuer%'"  # the queue's are the library's
    )
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
async def test_every_rule_refuses_a_bad_row(sql: asyncpg.Connection, rule: str, offence: str) -> None:
    transaction = sql.transaction()
    await transaction.start()
    await sql.execute(GOOD)
    with pytest.raises(asyncpg.IntegrityConstraintViolationError) as refused:
        await (copy_row(sql, offence) if offence.isidentifier() else sql.execute(offence))
    assert refused.value.constraint_name == rule
    await transaction.rollback()
