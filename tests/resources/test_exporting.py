"""Exports: the list as a file, whole, as it stands, of what is published and nothing else."""

import asyncio
import csv
import io
import json
import socket
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from tests.conftest import NO_TLS
from tests.databases import Lender
from tests.resources.conftest import Shelf, settle
from vibe4vets.core.http import Shell
from vibe4vets.resources.service.exporting.reading import BATCH

EXPORT = "/api/v1/resources/export"
STARTER = pytest.mark.parametrize("database", ["starter"], indirect=True)
FORMULA = "=+-@\t\r\n\0＝＋－＠"
TEXT = 'Say "hi",\n=then\tgo; ⭐'
SELECTIONS = [
    "",
    "state=OH",
    "state=OH&state=TX&category=housing",
    "state=OH&include_national=true",
    "category=legal&scope=state",
    "tag=ssvf&city=Columbus",
    "near=43215",
    "near=30.28,-97.73&radius_miles=20",
    "bbox=-84,39,-82,41",
    "open_at=2026-11-23T15:00:00Z&language=en",
    "source=va_facilities&updated_since=2000-01-01T00:00:00Z",
    "updated_since=2999-01-01T00:00:00Z",
]


async def listed(client: httpx.AsyncClient, query: str) -> list[dict[str, Any]]:
    """Every resource of a list, page by page."""
    items: list[dict[str, Any]] = []
    page: dict[str, Any] = {"next_cursor": ""}
    while page["next_cursor"] is not None:
        cursor = f"&cursor={page['next_cursor']}" if page["next_cursor"] else ""
        page = (await client.get(f"/api/v1/resources?limit=100&{query}{cursor}")).json()
        items += page["items"]
    return items


def in_order(resources: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(resources, key=lambda resource: resource["id"])


def lines(answer: httpx.Response) -> list[dict[str, Any]]:
    return [json.loads(line) for line in answer.text.split("\n")[:-1]]


def rows(answer: httpx.Response) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.text, newline=""), strict=True))


@pytest.mark.parametrize("query", SELECTIONS)
async def test_an_export_is_the_list_record_by_record(reader: httpx.AsyncClient, query: str) -> None:
    wanted = in_order(await listed(reader, query))
    assert query or len(wanted) > 2 * BATCH
    answers = {form: await reader.get(f"{EXPORT}.{form}?{query}") for form in ("csv", "ndjson", "geojson")}
    assert {answer.status_code for answer in answers.values()} == {200}
    assert lines(answers["ndjson"]) == wanted
    assert [row["id"] for row in rows(answers["csv"])] == [resource["id"] for resource in wanted]
    features = answers["geojson"].json()["features"]
    assert list(dict.fromkeys(feature["properties"]["id"] for feature in features)) == [one["id"] for one in wanted]


async def test_what_the_answer_tells(reader: httpx.AsyncClient) -> None:
    types = {"csv": "text/csv; charset=utf-8", "ndjson": "application/x-ndjson", "geojson": "application/geo+json"}
    for form, media_type in types.items():
        answer = await reader.get(f"{EXPORT}.{form}?state=OH", headers={"origin": "https://app.example"})
        assert answer.headers["content-type"] == media_type
        assert answer.headers["content-disposition"] == f'attachment; filename="vibe4vets-resources.{form}"'
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["cache-control"].startswith("public, max-age=60")
        assert "content-length" not in answer.headers
        head = await reader.head(f"{EXPORT}.{form}?state=OH", headers={"origin": "https://app.example"})
        assert (head.status_code, head.content) == (200, b"")
        assert {**head.headers, "x-request-id": ""} == {**answer.headers, "x-request-id": ""}


@pytest.mark.parametrize(
    "query", ["limit=1", "offset=0", "cursor=AAAA", "sort=title", "q=x", "state=ZZ", "near=Nowhere"]
)
async def test_what_no_export_knows(reader: httpx.AsyncClient, query: str) -> None:
    answer = await reader.get(f"{EXPORT}.csv?{query}")
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert answer.json()["errors"][0]["pointer"].startswith(f"/query/{query.split('=', maxsplit=1)[0]}")


async def test_credentials_change_nothing(reader: httpx.AsyncClient) -> None:
    for headers in ({"authorization": "Bearer x.y.z"}, {"x-api-key": "v4v_nothing"}):
        assert (await reader.get(f"{EXPORT}.ndjson?state=OH", headers=headers)).status_code == 200


async def test_cells_are_text_to_a_spreadsheet(client: httpx.AsyncClient, shelf: Shelf) -> None:
    titles = [f"{first}cmd|' /C calc'!A0" for first in "=+-@＝＋－＠"]
    for number, title in enumerate(titles):
        await shelf.publish(str(number), title=title, phone="+16145550123", description=TEXT)
    answer = await client.get(f"{EXPORT}.csv")
    found = rows(answer)
    assert sorted(row["title"] for row in found) == sorted(f"'{title}" for title in titles)
    assert {row["phone"] for row in found} == {"'+16145550123"}
    assert {row["description"] for row in found} == {TEXT}
    assert answer.text.count("\r\n") == 1 + len(titles)
    assert answer.text.endswith("\r\n")
    assert {line["title"] for line in lines(await client.get(f"{EXPORT}.ndjson"))} == set(titles)


async def test_no_cell_of_the_directory_begins_a_formula(reader: httpx.AsyncClient) -> None:
    answer = await reader.get(f"{EXPORT}.csv")
    found = rows(answer)
    assert not [cell for row in found for cell in row.values() if cell.startswith(tuple(FORMULA))]
    assert {len(row) for row in found} == {len(found[0])}
    assert min(float(row["location_longitude"]) for row in found if row["location_longitude"]) < -60
    several = [row for row in found if "; " in row["categories"]]
    assert several
    resource = (await reader.get(f"/api/v1/resources/{several[0]['id']}")).json()
    assert several[0]["categories"].split("; ") == resource["categories"]


async def test_every_location_is_a_feature(client: httpx.AsyncClient, shelf: Shelf) -> None:
    columbus = {"city": "Columbus", "state": "OH", "latitude": 39.96, "longitude": -83.0}
    await shelf.publish("both", locations=[columbus, {"city": "Dayton", "state": "OH"}])
    nowhere = await shelf.publish("nowhere", scope="national")
    found = (await client.get(f"{EXPORT}.geojson")).json()
    assert found["type"] == "FeatureCollection"
    places = {
        (feature["properties"]["location_city"], json.dumps(feature["geometry"])) for feature in found["features"]
    }
    point = '{"type": "Point", "coordinates": [-83.0, 39.96]}'
    assert places == {("Columbus", point), ("Dayton", "null"), (None, "null")}
    assert len({feature["id"] for feature in found["features"]}) == 3
    assert str(nowhere) in {feature["id"] for feature in found["features"]}
    assert {feature["properties"]["location_count"] for feature in found["features"]} == {0, 2}
    table = rows(await client.get(f"{EXPORT}.csv"))
    assert sorted((row["location_count"], row["location_city"]) for row in table) == [("0", ""), ("2", "Columbus")]


async def test_nothing_published_is_an_empty_file(client: httpx.AsyncClient) -> None:
    assert rows(await client.get(f"{EXPORT}.csv")) == []
    assert (await client.get(f"{EXPORT}.csv")).text.startswith("id,version,")
    assert (await client.get(f"{EXPORT}.ndjson")).text == ""
    assert (await client.get(f"{EXPORT}.geojson")).json() == {"type": "FeatureCollection", "features": []}


async def test_what_nobody_approved_is_not_in_it(client: httpx.AsyncClient, shelf: Shelf) -> None:
    """Rows K3 and K7: drafts, what was archived, and what is only proposed."""
    await shelf.put("draft", title="Canary draft")
    await shelf.withdraw(await shelf.publish("gone", title="Canary archived"))
    shown = await shelf.publish("shown", title="Shown")
    suggestion = {"resource": {"title": "Canary proposed", "categories": ["food"], "scope": "national"}}
    change = {"resource_id": str(shown), "resource": {"description": "Canary changed"}}
    sent = [await client.post("/api/v1/suggestions", json=body) for body in (suggestion, change)]
    assert {answer.status_code for answer in sent} == {202}, [answer.text for answer in sent]
    for form in ("csv", "ndjson", "geojson"):
        answer = await client.get(f"{EXPORT}.{form}")
        assert "Shown" in answer.text
        assert "Canary" not in answer.text


async def test_a_copy_is_current_until_something_changes(
    client: httpx.AsyncClient, shelf: Shelf, sql: asyncpg.Connection
) -> None:
    one = await shelf.publish("1", locations=[{"city": "Columbus", "state": "OH"}])
    tags = []
    for change in ("nothing", "published", "changed", "withdrawn"):
        match change:
            case "published":
                await shelf.publish("2")
            case "changed":
                await shelf.publish("1", title="Other", locations=[{"city": "Columbus", "state": "OH"}])
            case "withdrawn":
                await shelf.withdraw(one)
        await settle(sql)
        answer = await client.get(f"{EXPORT}.csv")
        tags.append(answer.headers["etag"])
        again = await client.get(f"{EXPORT}.csv", headers={"if-none-match": tags[-1]})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tags[-1])
        others = [f"{EXPORT}.ndjson", f"{EXPORT}.csv?state=OH", f"{EXPORT}.csv?state=OH&include_national=true"]
        tags += [(await client.get(other)).headers["etag"] for other in others]
    assert len(set(tags)) == len(tags) == 16
    assert all(tag.startswith('W/"') for tag in tags)
    now = [(await client.get(f"{EXPORT}.csv?open_at=now")).headers["etag"] for _ in range(2)]
    assert now[0] != now[1]


async def test_no_copy_is_current_while_an_older_change_may_still_come(
    client: httpx.AsyncClient, shelf: Shelf, sql: asyncpg.Connection
) -> None:
    """A transaction that began before the newest change and commits after it would change nothing of that number."""
    id_ = await shelf.publish("1")
    async with sql.transaction():
        await sql.execute("update published_resources set updated_at = now() where id = $1", id_)
        await shelf.publish("2")
        before = (await client.get(f"{EXPORT}.csv")).headers["etag"]
    assert (await client.get(f"{EXPORT}.csv", headers={"if-none-match": before})).status_code == 200


@pytest.fixture
async def database(lender: Lender, starter_template: str, request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """An empty directory, or with STARTER a copy of the starter directory that may be changed."""
    async with lender.lent(starter_template if hasattr(request, "param") else None) as name:
        yield name


class Stream:
    """An export as a server sees it: chunk by chunk, at the pace of the client."""

    def __init__(self, app: FastAPI, path: str) -> None:
        self.app, self.path = app, path
        self.sent: list[dict[str, Any]] = []
        self.taken = asyncio.Semaphore(0)
        self.news = asyncio.Condition()
        self.leaving = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        await self.leaving.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        self.sent.append(message)
        async with self.news:
            self.news.notify_all()
        if message.get("more_body"):
            await self.taken.acquire()

    def run(self) -> asyncio.Task[None]:
        scope = {
            "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "method": "GET",
            "scheme": "http", "path": self.path, "raw_path": self.path.encode(), "query_string": b"", "root_path": "",
            "headers": [(b"host", b"test")], "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80), "state": {},
        }  # fmt: skip
        return asyncio.create_task(self.app(scope, self.receive, self.send))

    async def until(self, chunks: int) -> None:
        async with asyncio.timeout(20), self.news:
            await self.news.wait_for(lambda: len(self.sent) > chunks)

    def body(self) -> str:
        return b"".join(message["body"] for message in self.sent[1:]).decode()


def held(app: FastAPI) -> int:
    """How many connections are in use."""
    return sum(in_use for _, in_use in app.state.database.usage().values())


async def test_a_slow_client_holds_nothing_and_misses_nothing(app: FastAPI, shelf: Shelf) -> None:
    ids = [await shelf.publish(str(number)) for number in range(3)]
    streams = [Stream(app, f"{EXPORT}.ndjson") for _ in range(5)]
    tasks = [stream.run() for stream in streams]
    for stream in streams:
        await stream.until(1)
    assert held(app) == 0
    for stream in streams:
        stream.taken.release()
        stream.taken.release()
    await asyncio.gather(*tasks)
    for stream in streams:
        assert {json.loads(line)["id"] for line in stream.body().splitlines()} == {str(id_) for id_ in ids}


@STARTER
async def test_changes_meanwhile_neither_repeat_nor_hide_a_resource(app: FastAPI, sql: asyncpg.Connection) -> None:
    before = {str(row["id"]) for row in await sql.fetch("select id from published_resources")}
    stream = Stream(app, f"{EXPORT}.ndjson")
    task = stream.run()
    await stream.until(1)
    # the sorts of the list would bring all of these before, or behind, where the stream is
    await sql.execute("update published_resources set trust_score = 0, title_key = 'a', updated_at = now()")
    for _ in range(20):
        stream.taken.release()
    await task
    found = [json.loads(line)["id"] for line in stream.body().splitlines()]
    assert (len(found), set(found)) == (len(before), before)


@STARTER
async def test_who_leaves_takes_everything_along(app: FastAPI) -> None:
    for chunks in (1, 2, 3):
        stream = Stream(app, f"{EXPORT}.csv")
        task = stream.run()
        for _ in range(chunks - 1):
            stream.taken.release()
        await stream.until(chunks)
        stream.leaving.set()
        await asyncio.wait_for(task, 20)
        assert stream.sent[-1]["more_body"]
        assert held(app) == 0
    whole = Stream(app, f"{EXPORT}.csv")
    for _ in range(20):
        whole.taken.release()
    await whole.run()
    assert whole.body().endswith("\r\n")


@STARTER
async def test_a_client_that_takes_nothing_is_left(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Shell, "patience_seconds", 0.1)
    stream = Stream(app, f"{EXPORT}.geojson")
    with pytest.raises(RuntimeError):
        await asyncio.wait_for(stream.run(), 20)
    assert len(stream.sent) == 2
    assert held(app) == 0


@STARTER
@pytest.mark.parametrize("form", ["csv", "ndjson", "geojson"])
async def test_what_fails_on_the_way_breaks_the_connection(app: FastAPI, sql: asyncpg.Connection, form: str) -> None:
    """Over a socket, as a client sees it: an answer without an end, not a short one."""
    listener = socket.create_server(("127.0.0.1", 0))
    service = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None))
    serving = asyncio.create_task(service.serve(sockets=[listener]))
    address = f"http://127.0.0.1:{listener.getsockname()[1]}{EXPORT}.{form}"
    async with httpx.AsyncClient(verify=NO_TLS) as client, client.stream("GET", address) as answer:
        assert answer.status_code == 200
        await sql.execute("alter table published_resources rename to published_elsewhere")
        with pytest.raises(httpx.RemoteProtocolError):
            await answer.aread()
    service.should_exit = True
    await serving


async def test_what_fails_at_the_beginning_is_a_problem(client: httpx.AsyncClient, sql: asyncpg.Connection) -> None:
    await sql.execute("alter table published_resources rename to published_elsewhere")
    answer = await client.get(f"{EXPORT}.csv")
    assert (answer.status_code, answer.json()["type"]) == (503, "unavailable")
    assert "retry-after" in answer.headers
