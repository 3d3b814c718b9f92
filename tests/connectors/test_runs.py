"""Runs against a real database: everything arrives once, nothing is lost, nothing changes twice."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.conftest import STARTER, import_file, make_client
from vibe4vets.connectors.exceptions import RunUnderWay
from vibe4vets.connectors.models import Outcome

RECORD: dict[str, Any] = {
    "source": "county_vso",
    "source_record_id": "oh-1",
    "title": "Franklin County Veterans Service Commission",
    "organization": "Franklin County, Ohio",
    "description": "Helps with claims.",
    "scope": "local",
    "categories": ["benefits"],
    "phone": "614-525-2500",
    "address": {"street": "250 W Broad St", "city": "Columbus", "state": "OH", "zip": "43215"},
    "states_served": ["OH"],
}


def write(path: Path, *records: dict[str, Any] | str) -> Path:
    """Write a record file; a string stands as it is."""
    lines = (record if isinstance(record, str) else json.dumps(record) for record in records)
    path.write_text("\n".join(lines) + "\n")
    return path


async def rows(sql: asyncpg.Connection, statement: str) -> list[tuple[Any, ...]]:
    """Every row of `statement`."""
    return [tuple(row) for row in await sql.fetch(statement)]


async def test_import_publishes_and_a_second_one_changes_nothing(
    engine: AsyncEngine, sql: asyncpg.Connection, tmp_path: Path
) -> None:
    path = write(tmp_path / "r.ndjson", *(RECORD | {"source_record_id": f"oh-{n}"} for n in range(25)))
    first = await import_file(engine, path)
    assert first.counts[Outcome.CREATED] == first.changed == 25
    before = await rows(sql, "select id, document, etag, updated_at from published_resources order by id")
    assert len(before) == 25
    second = await import_file(engine, path)
    assert second.changed == 0
    assert second.counts[Outcome.UNCHANGED] == 25
    assert await rows(sql, "select id, document, etag, updated_at from published_resources order by id") == before
    assert await rows(sql, "select count(*) from staged_records") == [(0,)]
    assert await rows(sql, "select state, created, unchanged from connector_runs order by created_at") == [
        ("succeeded", 25, 0),
        ("succeeded", 0, 25),
    ]


async def test_a_change_makes_the_next_version_of_the_same_resource(
    engine: AsyncEngine, sql: asyncpg.Connection, tmp_path: Path
) -> None:
    path = tmp_path / "r.ndjson"
    await import_file(engine, write(path, RECORD))
    [(resource, location)] = await rows(
        sql, "select r.id, l.id from resources r join locations l on l.resource_id = r.id"
    )
    moved = RECORD | {"phone": "988", "address": RECORD["address"] | {"street": "1 Main St"}}
    report = await import_file(engine, write(path, moved))
    assert report.counts[Outcome.UPDATED] == 1
    [(document,)] = await rows(sql, "select document from published_resources")
    shown = json.loads(document)
    assert (shown["id"], shown["version"], shown["phone"]) == (str(resource), 2, "988")
    assert [(place["id"], place["street"]) for place in shown["locations"]] == [(str(location), "1 Main St")]
    homeless = {key: value for key, value in RECORD.items() if key != "address"}
    await import_file(engine, write(path, homeless))
    assert await rows(sql, "select count(*) from locations") == [(0,)]


async def test_records_are_the_same_by_identity_alone(
    engine: AsyncEngine, sql: asyncpg.Connection, tmp_path: Path
) -> None:
    twins = [
        RECORD,
        RECORD | {"source_record_id": "oh-2"},
        RECORD | {"source": "state_va_office"},
    ]
    report = await import_file(engine, write(tmp_path / "r.ndjson", *twins))
    assert report.counts[Outcome.CREATED] == 3
    assert await rows(sql, "select count(*) from resources") == [(3,)]
    # one organization by its normalised name within a source, another in another source
    assert await rows(sql, "select count(*) from organizations") == [(2,)]


async def test_an_organization_is_its_normalised_name(
    engine: AsyncEngine, sql: asyncpg.Connection, tmp_path: Path
) -> None:
    names = ["Peña’s Post, Inc.", "PENAS POST INC", "Penas  Post - Inc", "退役軍人", "Other"]
    records = [RECORD | {"source_record_id": str(n), "organization": name} for n, name in enumerate(names)]
    await import_file(engine, write(tmp_path / "r.ndjson", *records))
    keys = await rows(sql, "select name_key from organizations order by name_key")
    assert keys == [("other",), ("penas post inc",), ("退役軍人",)]


async def test_bad_lines_are_quarantined_with_reason_and_the_others_kept(
    engine: AsyncEngine, sql: asyncpg.Connection, tmp_path: Path
) -> None:
    path = write(
        tmp_path / "r.ndjson",
        RECORD,
        "{broken",
        RECORD | {"source_record_id": "oh-2", "phone": "12"},
        RECORD | {"source_record_id": "nul", "title": "a\0b"},
        RECORD | {"title": "The same identity again"},
        RECORD | {"source_record_id": "oh-3"},
    )
    report = await import_file(engine, path)
    assert (report.counts[Outcome.CREATED], report.counts[Outcome.QUARANTINED]) == (2, 4)
    told = await rows(sql, "select line, source_record_id, reason from quarantined_records order by line")
    assert [(line, record_id) for line, record_id, _ in told] == [(2, None), (3, "oh-2"), (4, "nul"), (5, "oh-1")]
    reasons = [reason for _, _, reason in told]
    assert "not a JSON object" in reasons[0]
    assert reasons[1].startswith("phone: give ten digits")
    assert reasons[2].startswith("title: ")
    assert "the same source and id as line 1" in reasons[3]
    assert [record.line for record in report.quarantined] == [2, 3, 4, 5]


async def test_without_publish_records_are_drafts_until_published(
    engine: AsyncEngine, sql: asyncpg.Connection, app: FastAPI, tmp_path: Path
) -> None:
    path = write(tmp_path / "r.ndjson", RECORD)
    await import_file(engine, path, publish=False)
    [(resource, status)] = await rows(sql, "select id, status from resources")
    assert status == "draft"
    async with make_client(app) as client:
        assert (await client.get("/api/v1/resources")).json()["total"] == 0
        assert (await client.get(f"/api/v1/resources/{resource}")).status_code == 404
        report = await import_file(engine, path)
        assert report.counts[Outcome.PUBLISHED] == 1
        assert (await client.get(f"/api/v1/resources/{resource}")).status_code == 200


async def test_without_publish_what_the_public_sees_does_not_change(
    engine: AsyncEngine, sql: asyncpg.Connection, tmp_path: Path
) -> None:
    path = tmp_path / "r.ndjson"
    await import_file(engine, write(path, RECORD))
    before = await rows(sql, "select * from published_resources") + await rows(sql, "select * from resources")
    report = await import_file(engine, write(path, RECORD | {"title": "Unreviewed"}), publish=False)
    assert (report.counts[Outcome.WITHHELD], report.changed) == (1, 0)
    after = await rows(sql, "select * from published_resources") + await rows(sql, "select * from resources")
    assert after == before


async def test_an_archived_resource_stays_archived(
    engine: AsyncEngine, sql: asyncpg.Connection, tmp_path: Path
) -> None:
    path = tmp_path / "r.ndjson"
    await import_file(engine, write(path, RECORD))
    await sql.execute("update resources set status = 'archived'")
    await sql.execute("delete from published_resources")
    report = await import_file(engine, write(path, RECORD | {"title": "Back again"}))
    assert report.counts[Outcome.WITHHELD] == 1
    assert await rows(sql, "select status from resources") == [("archived",)]


async def test_a_dry_run_tells_and_leaves_nothing(engine: AsyncEngine, sql: asyncpg.Connection, tmp_path: Path) -> None:
    path = write(tmp_path / "r.ndjson", RECORD, "{broken")
    report = await import_file(engine, path, dry_run=True)
    assert (report.counts[Outcome.CREATED], report.counts[Outcome.QUARANTINED]) == (1, 1)
    assert [record.line for record in report.quarantined] == [2]
    for table in ("resources", "published_resources", "source_records", "staged_records"):
        assert await rows(sql, f"select count(*) from {table}") == [(0,)], table
    assert await rows(sql, "select state, dry_run, created from connector_runs") == [("succeeded", True, 1)]


PLANTED = (
    "insert into connector_runs (connector, subject, state, attempt, created, updated, published, unchanged, withheld,"
    " quarantined, trigger, lease_until) values ('records', 'other', 'running', 1, 0, 0, 0, 0, 0, 0, 'command', "
)


async def test_one_run_of_a_connector_at_a_time(engine: AsyncEngine, sql: asyncpg.Connection, tmp_path: Path) -> None:
    other = await sql.fetchval(f"{PLANTED} now() + interval '30 seconds') returning id")
    with pytest.raises(RunUnderWay, match=str(other)) as refused:
        await import_file(engine, write(tmp_path / "r.ndjson", RECORD))
    assert refused.value.run_id == other
    await sql.execute("update connector_runs set state = 'succeeded', finished_at = now(), lease_until = null")
    assert (await import_file(engine, tmp_path / "r.ndjson")).changed == 1


async def test_a_run_that_died_is_marked_by_the_next_one(
    engine: AsyncEngine, sql: asyncpg.Connection, tmp_path: Path
) -> None:
    await sql.execute(f"{PLANTED} now() - interval '1 second')")
    await import_file(engine, write(tmp_path / "r.ndjson", RECORD))
    states = await rows(sql, "select subject, state, error from connector_runs order by created_at")
    assert states == [("other", "failed", "Interrupted"), ("r.ndjson", "succeeded", None)]


async def test_a_run_that_fails_says_so_and_keeps_whole_batches(
    engine: AsyncEngine, sql: asyncpg.Connection, tmp_path: Path
) -> None:
    await sql.execute("alter table source_records add constraint planted check (source_record_id <> 'oh-2400')")
    path = write(tmp_path / "r.ndjson", *(RECORD | {"source_record_id": f"oh-{n}"} for n in range(2500)))
    with pytest.raises(Exception, match="planted"):
        await import_file(engine, path)
    assert await rows(sql, "select state, error from connector_runs") == [("failed", "IntegrityError")]
    counts = await rows(
        sql,
        "select (select count(*) from resources), (select count(*) from published_resources), (select count(*)"
        " from locations), (select count(*) from source_records), (select count(*) from staged_records)",
    )
    assert counts == [(2000, 2000, 2000, 2000, 0)]
    await sql.execute("alter table source_records drop constraint planted")
    report = await import_file(engine, path)
    assert (report.counts[Outcome.UNCHANGED], report.counts[Outcome.CREATED]) == (2000, 500)


def counted(records: list[dict[str, Any]]) -> dict[str, Counter[str]]:
    """How many records each source, category and state has."""
    return {
        "source": Counter(record["source"] for record in records),
        "category": Counter(category for record in records for category in set(record["categories"])),
        "state": Counter(
            state
            for record in records
            for state in {*record["states_served"], (record["address"] or {}).get("state")} - {None}
        ),
    }


async def published_counts(sql: asyncpg.Connection) -> dict[str, Counter[str]]:
    """The same of what is published."""
    return {
        "source": Counter(dict(await rows(sql, "select source, count(*) from published_resources group by 1"))),
        "category": Counter(
            dict(await rows(sql, "select unnest(categories), count(*) from published_resources group by 1"))
        ),
        "state": Counter(dict(await rows(sql, "select unnest(states), count(*) from published_resources group by 1"))),
    }


async def test_a_whole_file_arrives_with_its_counts(engine: AsyncEngine, sql: asyncpg.Connection) -> None:
    records = [json.loads(line) for line in STARTER.read_text().splitlines()]
    report = await import_file(engine, STARTER)
    assert (report.counts[Outcome.CREATED], report.counts[Outcome.QUARANTINED]) == (len(records), 0)
    assert await published_counts(sql) == counted(records)
