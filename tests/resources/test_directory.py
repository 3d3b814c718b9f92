"""Public reads: filters agree with SQL, ids answer as they should, content decides the entity tag."""

import json
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.conftest import import_file, make_client
from tests.resources.conftest import Shelf
from vibe4vets.core.database import Session, own_transaction
from vibe4vets.resources import service


async def count(app: FastAPI, condition: str, **values: object) -> int:
    """How many published resources meet `condition`, asked on the working rows, not on the read model."""
    statement = f"""select count(*) from resources r join sources s on s.id = r.source_id
        where r.status = 'published' and ({condition})"""
    async with own_transaction(app.state.database) as session:
        return int((await session.execute(text(statement), values)).scalar_one())


async def total(client: httpx.AsyncClient, query: str) -> int:
    answer = await client.get(f"/api/v1/resources?limit=1&{query}")
    assert answer.status_code == 200, answer.text
    return int(answer.json()["total"])


IN_OHIO = "'OH' = any(r.states) or exists (select from locations l where l.resource_id = r.id and l.state = 'OH')"
IN_TEXAS = IN_OHIO.replace("'OH'", "'TX'")
IN_COLUMBUS = "exists (select from locations l where l.resource_id = r.id and fold(l.city) = 'columbus')"
FILTERS = {
    "": "true",
    "category=housing": "'housing' = any(r.categories)",
    "category=housing&category=legal": "r.categories && '{housing,legal}'",
    "tag=ssvf": "'ssvf' = any(r.tags)",
    "state=OH": IN_OHIO,
    "state=OH&state=TX": f"{IN_OHIO} or {IN_TEXAS}",
    "state=OH&include_national=true": f"{IN_OHIO} or r.scope = 'national'",
    "state=OH&include_national=false": IN_OHIO,
    "include_national=true": "true",
    "scope=national": "r.scope = 'national'",
    "scope=state&scope=local": "r.scope in ('state', 'local')",
    "source=va_facilities": "s.slug = 'va_facilities'",
    "language=en": "'en' = any(r.languages)",
    "city=Columbus": IN_COLUMBUS,
    "city=columbus&city=Nowhere": IN_COLUMBUS,
    "state=OH&city=COLUMBUS": f"({IN_OHIO}) and {IN_COLUMBUS}",
    "state=OH&category=legal": f"({IN_OHIO}) and 'legal' = any(r.categories)",
    "state=OH&state=TX&scope=local&category=housing": f"({IN_OHIO} or {IN_TEXAS}) and r.scope = 'local'"
    " and 'housing' = any(r.categories)",
    "updated_since=2000-01-01T00:00:00Z": "true",
    "updated_since=2999-01-01T00:00:00Z": "false",
}


@pytest.mark.parametrize("query", FILTERS)
async def test_a_filter_agrees_with_sql(reader: httpx.AsyncClient, directory: FastAPI, query: str) -> None:
    expected = await count(directory, FILTERS[query])
    assert await total(reader, query) == expected
    everything = await count(directory, "true")
    if query not in {"", "include_national=true", "updated_since=2000-01-01T00:00:00Z", "language=en"}:
        assert expected < everything
    if "2999" not in query and "language" not in query:
        assert expected > 0


async def test_ids_choose_saved_resources(reader: httpx.AsyncClient) -> None:
    some = [item["id"] for item in (await reader.get("/api/v1/resources?limit=100&sort=title")).json()["items"]]
    page = (await reader.get("/api/v1/resources", params={"id": [*some[:99], str(uuid4())], "limit": 100})).json()
    assert {item["id"] for item in page["items"]} == set(some[:99])
    too_many = await reader.get("/api/v1/resources", params={"id": [*some, str(uuid4())]})
    assert (too_many.status_code, too_many.json()["errors"][0]["pointer"]) == (422, "/query/id")
    one = page["items"][0]
    of_organization = f"organization_id={one['organization']['id']}"
    assert await total(reader, f"id={one['id']}&{of_organization}") == 1
    assert await total(reader, f"id={one['id']}&organization_id={uuid4()}") == 0


async def test_terms_and_organizations_count_what_is_published(reader: httpx.AsyncClient, directory: FastAPI) -> None:
    categories = (await reader.get("/api/v1/categories?limit=100")).json()
    assert categories["total"] == len(categories["items"]) == 12
    for term in categories["items"]:
        assert term["count"] == await total(reader, f"category={term['value']}")
        assert term["name"]
    states = (await reader.get("/api/v1/states?limit=100")).json()
    assert states["total"] == 56
    assert [term["count"] for term in states["items"]] == sorted((t["count"] for t in states["items"]), reverse=True)
    for term in [*states["items"][:3], *(await reader.get("/api/v1/tags?limit=5")).json()["items"]]:
        name = "state" if term["value"].isupper() else "tag"
        assert term["count"] == await total(reader, f"{name}={term['value']}")
    organizations = (await reader.get("/api/v1/organizations?limit=100&name=LÉGAL aid")).json()
    assert organizations["total"] > 5
    assert all("legal aid" in item["name"].lower() for item in organizations["items"])
    for item in organizations["items"][:5]:
        detail = (await reader.get(f"/api/v1/organizations/{item['id']}")).json()
        assert len(detail["resources"]) == item["resource_count"] == detail["resource_count"]
        assert item["resource_count"] == await count(directory, "r.organization_id = :id", id=item["id"])


@pytest.mark.parametrize("wild", ["%", "_", "\\", "%25"])
async def test_wildcards_are_letters(reader: httpx.AsyncClient, wild: str) -> None:
    answer = await reader.get("/api/v1/organizations", params={"name": wild})
    assert answer.status_code == 200
    assert all(wild.lower() in item["name"].lower() for item in answer.json()["items"])
    assert answer.json()["total"] < (await reader.get("/api/v1/organizations?limit=1")).json()["total"] / 2
    assert await total(reader, str(httpx.QueryParams({"city": wild}))) == 0


async def test_a_wildcard_within_a_name_is_punctuation(reader: httpx.AsyncClient) -> None:
    spellings = ["legal aid", "legal%aid", "Legal_Aid", "LEGAL  -  aid"]
    totals = [(await reader.get("/api/v1/organizations", params={"name": name})).json()["total"] for name in spellings]
    assert totals == [totals[0]] * 4
    assert totals[0] > 0
    assert (await reader.get("/api/v1/organizations", params={"name": "leg%aid"})).json()["total"] == 0


async def test_a_draft_is_unknown_to_the_public(client: httpx.AsyncClient, shelf: Shelf) -> None:
    draft, unknown = await shelf.put(title="Canary"), uuid4()
    bodies = []
    for id_ in (draft, unknown):
        answer = await client.get(f"/api/v1/resources/{id_}", headers={"x-request-id": "the-same-id"})
        assert answer.status_code == 404
        bodies.append((answer.content, sorted(answer.headers.items())))
    assert bodies[0] == bodies[1]
    for path in ("resources", f"resources?id={draft}", "search?q=canary", "organizations", "categories", "states"):
        answer = await client.get(f"/api/v1/{path}")
        assert answer.json()["total"] == 0
        assert "Canary" not in answer.text
    organization = (await shelf.session.execute(text("select id from organizations"))).scalar_one()
    assert (await client.get(f"/api/v1/organizations/{organization}")).status_code == 404


async def test_what_was_withdrawn_is_gone_and_names_its_successor(client: httpx.AsyncClient, shelf: Shelf) -> None:
    first, second = await shelf.publish("1", title="Canary"), await shelf.publish("2")
    await shelf.withdraw(first, second)
    gone = await client.get(f"/api/v1/resources/{first}")
    assert (gone.status_code, gone.json()["type"]) == (410, "resource-gone")
    assert gone.json()["successor"] == str(second)
    assert gone.headers["cache-control"] == "no-store"
    for path in ("resources", "search?q=canary help", "organizations"):
        assert "Canary" not in (await client.get(f"/api/v1/{path}")).text
    await shelf.withdraw(second)
    gone = await client.get(f"/api/v1/resources/{second}")
    assert gone.status_code == 410
    assert "successor" not in gone.json()
    assert (await client.get("/api/v1/organizations")).json()["total"] == 0
    await shelf.publish("2")
    assert (await client.get(f"/api/v1/resources/{second}")).status_code == 200


async def test_a_draft_that_was_withdrawn_stays_unknown(client: httpx.AsyncClient, shelf: Shelf) -> None:
    draft = await shelf.put()
    await shelf.withdraw(draft)
    assert (await client.get(f"/api/v1/resources/{draft}")).status_code == 404


async def test_content_decides_the_entity_tag(client: httpx.AsyncClient, shelf: Shelf) -> None:
    id_ = await shelf.publish()
    addresses = [f"/api/v1/resources/{id_}", "/api/v1/resources", "/api/v1/search?q=helpers"]
    before = {address: (await client.get(address)).headers["etag"] for address in addresses}
    for address, etag in before.items():
        assert (await client.get(address, headers={"if-none-match": etag})).status_code == 304
    await shelf.publish(title="More help")
    for address, etag in before.items():
        answer = await client.get(address, headers={"if-none-match": etag})
        assert answer.status_code == 200
        assert answer.headers["etag"] != etag
        assert "More help" in answer.text
    assert (await client.get(addresses[0])).json()["version"] == 3  # a draft, published, changed


async def test_updated_since_includes_the_instant_itself(client: httpx.AsyncClient, shelf: Shelf) -> None:
    id_ = await shelf.publish()
    changed = datetime.fromisoformat((await client.get(f"/api/v1/resources/{id_}")).json()["updated_at"])
    assert changed.tzinfo is not None
    here = changed.astimezone(UTC).isoformat()
    later = changed.replace(microsecond=(changed.microsecond + 1) % 1_000_000, year=changed.year + 1).isoformat()
    for instant, expected in ((here, 1), (later, 0), ("2026-01-01T00:00:00-05:00", 1)):
        params = {"updated_since": instant}
        assert (await client.get("/api/v1/resources", params=params)).json()["total"] == expected


async def test_city_and_language_in_any_spelling(client: httpx.AsyncClient, shelf: Shelf) -> None:
    places = [{"city": "Cañon City", "state": "CO"}, {"city": "St. Paul", "state": "MN"}]
    await shelf.publish(locations=places, languages=["en", "es"], states=["WY"])
    for city in ("Cañon City", "canon city", "CANON  CITY", "st paul", "St. Paul", "Can\u0303on City"):
        assert (await client.get("/api/v1/resources", params={"city": city})).json()["total"] == 1, city
    for query, expected in (
        ("city=canon", 0), ("language=es", 1), ("language=fr", 0), ("language=fr&language=en", 1),
        ("state=CO", 1), ("state=MN", 1), ("state=WY", 1), ("state=UT", 0), ("state=UT&include_national=true", 0),
    ):  # fmt: skip
        assert await total(client, query) == expected, query


async def test_terms_are_counted_by_whatever_changes_what_is_published(
    app: FastAPI, engine: AsyncEngine, session: Session, sql: asyncpg.Connection, tmp_path: Path
) -> None:
    path = tmp_path / "records.ndjson"
    record = {
        "source": "county_vso", "organization": "O", "title": "T", "scope": "local", "states_served": ["OH"],
    }  # fmt: skip
    housing, legal = record | {"categories": ["housing"], "tags": ["ssvf"]}, record | {"categories": ["legal"]}
    records = [kind | {"source_record_id": str(number)} for number, kind in enumerate([housing, housing, legal])]
    path.write_text("\n".join(map(json.dumps, records)))
    await import_file(engine, path)

    async def counts(kind: str) -> dict[str, int]:
        async with make_client(app) as client:
            answer = await client.get(f"/api/v1/{kind}")
        return {term["value"]: term["count"] for term in answer.json()["items"]}

    assert await counts("categories") == {"housing": 2, "legal": 1}
    assert (await counts("tags"), await counts("states")) == ({"ssvf": 2}, {"OH": 3})
    path.write_text(json.dumps(legal | {"source_record_id": "0"}))
    await import_file(engine, path)
    assert await counts("categories") == {"legal": 2, "housing": 1}
    gone = (await session.execute(text("select id from resources where source_record_id = '1'"))).scalar_one()
    await service.withdraw_resources(session, [gone])
    await session.commit()
    assert await counts("categories") == {"legal": 2}
    assert (await counts("tags"), await counts("states")) == ({}, {"OH": 2})
    await sql.execute("update published_terms set uses = uses + 7")
    await service.remove_strays(session)
    await session.commit()
    assert await counts("categories") == {"legal": 2}


async def test_what_has_lost_its_resource_goes(shelf: Shelf, sql: asyncpg.Connection) -> None:
    """No foreign key watches over the parts of the read model: what a damage leaves behind, `reindex` removes."""
    place = [{"city": "Columbus", "state": "OH", "latitude": 39.96, "longitude": -83.0}]
    kept, lost = await shelf.publish(locations=place), await shelf.publish("2", locations=place)
    for statement in (
        "alter table published_resources disable trigger forget_after_delete",
        f"delete from published_resources where id = '{lost}'",
        "alter table published_resources enable trigger forget_after_delete",
    ):
        await sql.execute(statement)
    parts = "select {} from {} order by 1"
    tables = {"published_locations": "resource_id", "published_names": "id", "search_rows": "id"}
    for table, column in tables.items():
        assert {row[0] for row in await sql.fetch(parts.format(column, table))} == {kept, lost}, table
    await sql.execute(f"update resources set status = 'archived' where id = '{lost}'")
    await service.remove_strays(shelf.session)
    await shelf.session.commit()
    for table, column in tables.items():
        assert {row[0] for row in await sql.fetch(parts.format(column, table))} == {kept}, table
