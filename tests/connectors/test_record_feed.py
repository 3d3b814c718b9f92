"""A record file by its address: whole or not at all, for its own source alone, and cheap while nothing is new."""

import json
from collections.abc import Sequence
from typing import Any

import asyncpg
import pytest
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.publisher import Publisher, http
from vibe4vets.connectors.base import About, FetchError, Record, Rejection, SourceError, Unmodified, Validators, Version
from vibe4vets.connectors.models import Outcome
from vibe4vets.connectors.registry import connectors
from vibe4vets.connectors.service import run_source
from vibe4vets.connectors.service.versions import get_version, keep_version
from vibe4vets.connectors.sources.records import RecordFeed
from vibe4vets.core.config import Settings
from vibe4vets.core.database import Session
from vibe4vets.core.fetch import Fetcher

ABOUT = About("county", "County office", None, tier=4)
RECORD: dict[str, Any] = {
    "source_record_id": "1",
    "title": "Veterans service office",
    "organization": "County",
    "scope": "local",
    "categories": ["benefits"],
}


def lines(*records: dict[str, Any]) -> bytes:
    """A record file."""
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


async def read(feed: RecordFeed) -> Sequence[Record | Rejection]:
    """Everything that it yields."""
    return [item async for page in feed.pages() for item in page.items]


@pytest.mark.parametrize("media_type", ["application/x-ndjson", "application/jsonl; charset=utf-8", "text/plain"])
async def test_every_line_comes(fetcher: Fetcher, publisher: Publisher, media_type: str) -> None:
    records = [RECORD | {"source_record_id": str(number)} for number in range(1200)]
    publisher.scripts["/r"] = http(lines(*records), content_type=media_type)
    feed = RecordFeed(fetcher, publisher.url("/r"), ABOUT, secrets={"X-API-Key": SecretStr("key")})
    pages = [page async for page in feed.pages()]
    assert [(len(page.items), page.done) for page in pages] == [(1000, 1000), (200, 1200)]
    assert (feed.total(), feed.complete, feed.warnings()) == (1200, True, [])
    assert {item.source for page in pages for item in page.items} == {"county"}
    assert publisher.asked[0].headers["x-api-key"] == "key"


async def test_a_feed_speaks_for_its_own_source_alone(fetcher: Fetcher, publisher: Publisher) -> None:
    """A community's file must not change what the VA says."""
    others = [RECORD | {"source": source} for source in ("county", "va_facilities", None, 5)]
    publisher.scripts["/r"] = http(lines(*others))
    first, *rest = await read(RecordFeed(fetcher, publisher.url("/r"), ABOUT))
    assert isinstance(first, Record)
    assert [(item.line, item.source) for item in rest] == [(2, "county"), (3, "county"), (4, "county")]
    assert all(isinstance(item, Rejection) and "speaks for no other source" in item.reason for item in rest)


@pytest.mark.parametrize("body", [b"", b" \n\n", lines(RECORD) + lines(RECORD)[:-5], lines(RECORD) + b'{"address": {}'])
async def test_a_file_that_is_not_whole_is_no_reading(fetcher: Fetcher, publisher: Publisher, body: bytes) -> None:
    publisher.scripts["/r"] = http(body)
    feed = RecordFeed(fetcher, publisher.url("/r"), ABOUT)
    with pytest.raises(SourceError, match="nothing is concluded from that"):
        await read(feed)
    assert feed.version is None


async def test_a_last_line_needs_no_end(fetcher: Fetcher, publisher: Publisher) -> None:
    publisher.scripts["/r"] = http(lines(RECORD).rstrip())
    assert [type(item) for item in await read(RecordFeed(fetcher, publisher.url("/r"), ABOUT))] == [Record]


async def test_a_login_page_is_no_file(fetcher: Fetcher, publisher: Publisher) -> None:
    publisher.scripts["/r"] = http(lines(RECORD), content_type="text/html")
    with pytest.raises(FetchError, match="text/html"):
        await read(RecordFeed(fetcher, publisher.url("/r"), ABOUT))


async def test_an_unchanged_file_is_not_sent_again(fetcher: Fetcher, publisher: Publisher, session: Session) -> None:
    url = publisher.url("/r")
    publisher.scripts["/r"] = http(lines(RECORD), etag='"v1"')
    first = RecordFeed(fetcher, url, ABOUT)
    await read(first)
    assert first.version is not None
    assert await get_version(session, "county", url) is None
    await keep_version(session, "county", url, first.version)
    known = await get_version(session, "county", url)
    assert known == first.version
    assert await get_version(session, "other", url) is None

    publisher.scripts["/r"] = http(status="304 Not Modified")
    with pytest.raises(Unmodified):
        await read(RecordFeed(fetcher, url, ABOUT, known=known))
    assert publisher.asked[-1].headers["if-none-match"] == '"v1"'
    publisher.scripts["/r"] = http(lines(RECORD), etag='"v2"')
    with pytest.raises(Unmodified):  # sent again, and the same
        await read(RecordFeed(fetcher, url, ABOUT, known=known))

    changed = RecordFeed(fetcher, url, ABOUT, known=known)
    publisher.scripts["/r"] = http(lines(RECORD | {"title": "New"}))
    assert len(await read(changed)) == 1
    assert changed.version is not None
    await keep_version(session, "county", url, changed.version)
    assert await get_version(session, "county", url) == Version(Validators(), changed.version.sha256)


async def test_an_address_too_long_to_keep_is_read_anew(session: Session) -> None:
    url = f"https://example.org/{'x' * 500}"
    await keep_version(session, "county", url, Version(Validators('"v1"'), None))
    assert await get_version(session, "county", url) is None


async def test_a_connector_reads_the_file_that_the_settings_name(
    engine: AsyncEngine, fetcher: Fetcher, publisher: Publisher, sql: asyncpg.Connection
) -> None:
    publisher.scripts["/r"] = http(lines(RECORD))
    settings = Settings.model_validate(
        {"connectors": {"county": {"base_url": publisher.url("/r"), "format": "records"}}}
    )
    connector = connectors(settings)["county"]
    assert connector.file_url == publisher.url("/r")
    report = await run_source(
        engine, connector.open(fetcher), publish=True, dry_run=False, progress=lambda _stage, _done, _total: None
    )
    assert report.counts[Outcome.CREATED] == 1
    assert await sql.fetchval("select source from published_resources") == "county"
