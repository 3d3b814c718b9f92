"""Pages: every row exactly once, cursors that cannot be forged or borrowed, links that work when followed."""

import json
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from vibe4vets.core.database import Session, own_transaction
from vibe4vets.core.pagination import Cursors, InvalidCursor
from vibe4vets.resources import service
from vibe4vets.resources.schemas import ResourceIntake, SourceIntake

CURSORS = Cursors(b"a key of the service's own", "/api/v1/resources")
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
IN_ORDER = {
    "-trust": "select id from published_resources order by trust_score desc, id desc",
    "-updated_at": "select id from published_resources order by updated_at desc, id desc",
    "title": "select id from published_resources order by title_key, id",
}


async def pages(client: httpx.AsyncClient, address: str) -> AsyncIterator[dict[str, object]]:
    """Every page from `address` on, by its Link header; the cursor in it must be the page's own."""
    while True:
        answer = await client.get(address)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        yield page
        following = answer.links.get("next", {}).get("url")
        if following is None:
            assert page["next_cursor"] is None
            return
        assert httpx.URL(following).params["cursor"] == page["next_cursor"]
        assert "offset" not in httpx.URL(following).params
        address = following


async def walk(client: httpx.AsyncClient, address: str) -> list[dict[str, object]]:
    items: list[dict[str, object]] = []
    totals = set()
    async for page in pages(client, address):
        assert isinstance(page["items"], list)
        items += page["items"]
        totals.add(page["total"])
    assert totals == {len(items)}
    return items


@pytest.mark.parametrize("sort", ["-trust", "-updated_at", "title"])
async def test_cursors_show_every_resource_once(reader: httpx.AsyncClient, directory: FastAPI, sort: str) -> None:
    items = await walk(reader, f"/api/v1/resources?limit=100&sort={sort}")
    async with own_transaction(directory.state.database) as session:
        rows = await session.execute(text(IN_ORDER[sort]))
        published = [str(id_) for id_ in rows.scalars()]
    assert len(published) > 1000
    assert [item["id"] for item in items] == published


async def test_offsets_and_cursors_agree(reader: httpx.AsyncClient) -> None:
    address = "/api/v1/resources?state=OH&state=PA&include_national=true&sort=title&limit=7"
    by_cursor = await walk(reader, address)
    by_offset = []
    while page := (await reader.get(f"{address}&offset={len(by_offset)}")).json()["items"]:
        by_offset += page
    assert by_offset == by_cursor
    assert len(by_cursor) > 20
    first = (await reader.get(f"{address}&offset=10")).json()
    then = (await reader.get(f"{address}&cursor={first['next_cursor']}")).json()
    assert first["items"] + then["items"] == by_cursor[10:24]


@pytest.mark.parametrize("path", ["categories", "tags", "states", "organizations", "organizations?name=county"])
async def test_other_lists_show_every_row_once(reader: httpx.AsyncClient, path: str) -> None:
    joint = "&" if "?" in path else "?"
    small, large = [await walk(reader, f"/api/v1/{path}{joint}limit={limit}") for limit in (9, 100)]
    assert small == large
    assert len({json.dumps(item) for item in small}) == len(small) > 9


async def test_search_pages_reach_200_deep_and_no_deeper(reader: httpx.AsyncClient) -> None:
    items, total = [], 0
    async for page in pages(reader, "/api/v1/search?q=veterans&limit=30&facets=scope"):
        items += page["items"]
        total = page["total"]
    assert total > 200
    assert len(items) == len({item["resource"]["id"] for item in items}) == 200
    scores = [item["score"] for item in items]
    assert scores == sorted(scores, reverse=True)
    last = await reader.get("/api/v1/search?q=veterans&offset=150&limit=50")
    assert [hit["resource"]["id"] for hit in last.json()["items"]] == [hit["resource"]["id"] for hit in items[150:]]
    assert last.json()["next_cursor"] is None
    for beyond in ("offset=150&limit=51", "offset=200", "offset=10000", "offset=199&limit=2"):
        answer = await reader.get(f"/api/v1/search?q=veterans&{beyond}")
        assert answer.status_code == 422
        error = answer.json()["errors"][0]
        assert (error["pointer"], error["code"]) == ("/query", "too_deep")
        assert "narrow it" in error["message"]


async def test_a_page_beyond_the_end_is_empty_and_keeps_its_total(reader: httpx.AsyncClient) -> None:
    whole = (await reader.get("/api/v1/resources?limit=1")).json()
    beyond = (await reader.get("/api/v1/resources?offset=10000")).json()
    assert beyond == {"items": [], "total": whole["total"], "total_is_exact": True, "next_cursor": None}
    none = (await reader.get(f"/api/v1/resources?id={uuid4()}")).json()
    assert none == {"items": [], "total": 0, "total_is_exact": True, "next_cursor": None}


@pytest.mark.parametrize(
    "value", ["0", "101", "-1", "1e3", "1_0", "%201", "1%20", "%2B1", "1.0", "", "%D9%A3", "0x1", "9" * 30]
)
async def test_a_limit_is_plain_digits_in_range(reader: httpx.AsyncClient, value: str) -> None:
    for path in ("resources", "search?q=x", "tags", "organizations"):
        joint = "&" if "?" in path else "?"
        for name in ("limit", "offset"):
            if (name, value) in {("offset", "0"), ("offset", "101")}:
                continue
            answer = await reader.get(f"/api/v1/{path}{joint}{name}={value}")
            assert answer.status_code == 422
            assert answer.json()["errors"][0]["pointer"] == f"/query/{name}"


async def test_the_ends_of_the_ranges_are_in_them(reader: httpx.AsyncClient) -> None:
    for good in ("limit=1", "limit=100", "offset=0", "offset=10000", "limit=007"):
        assert (await reader.get(f"/api/v1/resources?{good}")).status_code == 200
    too_far = await reader.get("/api/v1/resources?offset=10001")
    assert too_far.json()["errors"] == [
        {
            "pointer": "/query/offset",
            "code": "less_than_equal",
            "message": "Input should be less than or equal to 10000",
        }
    ]
    assert len((await reader.get("/api/v1/resources")).json()["items"]) == 20


async def test_a_cursor_is_not_mixed_with_an_offset(reader: httpx.AsyncClient) -> None:
    cursor = (await reader.get("/api/v1/resources?limit=1")).json()["next_cursor"]
    answer = await reader.get(f"/api/v1/resources?limit=1&offset=1&cursor={cursor}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["code"] == "cursor_and_offset"


async def test_a_cursor_belongs_to_its_query(reader: httpx.AsyncClient) -> None:
    cursor = (await reader.get("/api/v1/resources?limit=1")).json()["next_cursor"]
    other_limit = await reader.get(f"/api/v1/resources?limit=5&cursor={cursor}")
    assert len(other_limit.json()["items"]) == 5
    tags = (await reader.get("/api/v1/tags?limit=1")).json()["next_cursor"]
    for borrowed in (
        f"resources?state=OH&cursor={cursor}",
        f"resources?sort=title&cursor={cursor}",
        f"resources?include_national=true&cursor={cursor}",
        f"search?q=x&cursor={cursor}",
        f"tags?cursor={cursor}",
        f"categories?cursor={tags}",
        f"states?cursor={tags}",
        f"organizations?cursor={tags}",
    ):
        answer = await reader.get(f"/api/v1/{borrowed}")
        assert (answer.status_code, answer.json()["type"]) == (400, "invalid-cursor"), borrowed


async def test_an_altered_cursor_is_refused(reader: httpx.AsyncClient) -> None:
    cursor = (await reader.get("/api/v1/resources?limit=1")).json()["next_cursor"]
    altered = {
        cursor[:place] + ("A" if cursor[place] != "A" else "B") + cursor[place + 1 :] for place in range(len(cursor))
    }
    altered |= {cursor[:-1] + letter for letter in ALPHABET} - {cursor}
    altered |= {cursor[:-1], cursor + "A", cursor * 2, "A", "AAAA", "eyJhIjoxfQ", "x" * 2000}
    for forged in altered:
        answer = await reader.get(f"/api/v1/resources?limit=1&cursor={forged}")
        assert (answer.status_code, answer.json()["type"]) == (400, "invalid-cursor"), forged
    for garbage in ("", "%20", "a=b", "a.b", "x" * 2001):
        answer = await reader.get(f"/api/v1/resources?cursor={garbage}")
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == "/query/cursor"


@pytest.mark.parametrize("word", ["", "a", "ab", "abc"])
def test_a_cursor_has_one_spelling(word: str) -> None:
    """Base64 ignores the last bits of some lengths; another letter there would decode alike."""
    cursor = CURSORS.encode([word], query="q")
    for letter in ALPHABET.replace(cursor[-1], ""):
        with pytest.raises(InvalidCursor):
            CURSORS.decode(cursor[:-1] + letter, query="q")


def test_a_cursor_is_read_with_its_key_only() -> None:
    cursor = CURSORS.encode([0.5, "é", 7], query="q")
    assert CURSORS.decode(cursor, query="q") == [0.5, "é", 7]
    for other in (Cursors(b"another key", CURSORS.address), Cursors(CURSORS.key, "/api/v1/tags")):
        with pytest.raises(InvalidCursor):
            other.decode(cursor, query="q")
    with pytest.raises(InvalidCursor):
        CURSORS.decode(cursor, query="r")


async def publish(session: Session, *titles: str) -> list[UUID]:
    records = [
        ResourceIntake.model_validate(
            {"source": "s", "source_record_id": uuid4().hex, "organization": "O", "title": title, "scope": "local",
             "categories": ["housing"]}
        ).model_dump_json()
        for title in titles
    ]  # fmt: skip
    ids = await service.upsert_resources(session, records)
    await service.publish_resources(session, ids)
    await session.commit()
    return ids


@pytest.mark.parametrize("sort", ["-trust", "-updated_at", "title"])
async def test_paging_while_others_write_skips_and_repeats_nothing(
    client: httpx.AsyncClient, session: Session, sort: str
) -> None:
    await service.upsert_sources(session, [SourceIntake(slug="s", name="S", tier=1)])
    there = {str(id_) for id_ in await publish(session, *(f"Title {n % 7}" for n in range(30)))}
    leaving = {str(id_) for id_ in await publish(session, *(f"Title {n % 7}" for n in range(6)))}
    gone = sorted(leaving)
    seen: list[str] = []
    address = f"/api/v1/resources?limit=4&sort={sort}"
    async for page in pages(client, address):
        seen += [item["id"] for item in page["items"]]
        await publish(session, "Title 0", "Title 3", "Title 9", "A", "Z")
        if gone:
            await service.withdraw_resources(session, [UUID(gone.pop())])
            await session.commit()
        if len(seen) > 300:
            break
    assert len(seen) == len(set(seen))
    assert there <= set(seen)
