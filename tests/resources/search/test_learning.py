"""What people search for is counted without watching them: no text is to be read before enough people share it."""

from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from tests.auth.conftest import Clock, clock
from tests.conftest import SECRET
from vibe4vets.core.database import own_transaction
from vibe4vets.resources.models import HeardKind
from vibe4vets.resources.service import SearchLearning
from vibe4vets.resources.service.search import learning
from vibe4vets.resources.service.search.learning import Outcome

__all__ = ["clock"]
FOUND = Outcome(matches=3, is_fallback=False, unmatched=())
KEY = SECRET.encode()
Store = Callable[..., Awaitable[None]]
Ask = Callable[..., Awaitable[Any]]


@pytest.fixture
def store(app: FastAPI) -> Store:
    """Store what the given processes have heard, one after the other."""

    async def store(*processes: SearchLearning) -> None:
        for process in processes:
            async with own_transaction(app.state.database) as session:
                await process.store(session)

    return store


@pytest.fixture
def two() -> Iterator[tuple[SearchLearning, SearchLearning]]:
    """What two processes hear."""
    return SearchLearning(KEY), SearchLearning(KEY)


async def told(sql: asyncpg.Connection) -> set[tuple[str, str]]:
    return {tuple(row) for row in await sql.fetch("select kind, text from search_texts")}


async def everything(sql: asyncpg.Connection) -> str:
    """All that is stored, as text."""
    tables = ("search_counts", "search_askers", "search_texts")
    return str([[tuple(row) for row in await sql.fetch(f"select * from {table}")] for table in tables])


async def test_the_fifth_address_tells_a_text_and_no_earlier_one(
    two: tuple[SearchLearning, SearchLearning], store: Store, sql: asyncpg.Connection
) -> None:
    for number in range(4):
        for _ in range(3):  # who asks again is nobody else
            two[number % 2].hear(f"192.0.2.{number}", "Réntal  HELP!", FOUND)
    await store(*two)
    two[0].hear("192.0.2.3", "rental help", FOUND)
    await store(*two)
    assert await told(sql) == set()
    stored = await everything(sql)
    assert "rental" not in stored
    assert "192.0.2" not in stored
    assert await sql.fetchval("select count(*) from search_askers") == 4
    two[1].hear("192.0.2.4", "rental help", FOUND)
    await store(*two)
    assert await told(sql) == {("query", "rental help")}
    assert tuple(await sql.fetchrow("select searches, zero_results, fallbacks from search_counts")) == (14, 0, 0)
    assert await sql.fetchval("select count(*) from search_askers") == 0


async def test_addresses_of_two_processes_make_five(
    two: tuple[SearchLearning, SearchLearning], store: Store, sql: asyncpg.Connection
) -> None:
    for number in range(5):
        two[number % 2].hear(f"192.0.2.{number}", "rental help", FOUND)
    await store(*two)
    assert await told(sql) == {("query", "rental help")}


async def test_the_fifth_day_tells_a_text(
    clock: Clock, two: tuple[SearchLearning, SearchLearning], store: Store, sql: asyncpg.Connection
) -> None:
    for day in range(5):
        assert await told(sql) == set()
        two[day % 2].hear("192.0.2.1", "rental help", FOUND)
        await store(*two)
        clock.advance(days=1)
    assert await told(sql) == {("query", "rental help")}


async def test_an_address_is_another_with_each_text_and_on_each_day(
    clock: Clock, two: tuple[SearchLearning, SearchLearning], store: Store, sql: asyncpg.Connection
) -> None:
    for query in ("rental help", "dental help"):
        two[0].hear("192.0.2.1", query, FOUND)
    await store(two[0])
    today = {bytes(row["asker"]) for row in await sql.fetch("select asker from search_askers")}
    assert len(today) == 2
    clock.advance(days=1)
    two[1].hear("192.0.2.1", "rental help", FOUND)
    await store(two[1])
    (tomorrow,) = await sql.fetch("select asker from search_askers")  # those of yesterday are gone
    assert bytes(tomorrow["asker"]) not in today


async def test_yesterdays_addresses_go_though_nobody_searches(
    clock: Clock, two: tuple[SearchLearning, SearchLearning], store: Store, sql: asyncpg.Connection
) -> None:
    two[0].hear("192.0.2.1", "rental help", FOUND)
    await store(two[0])
    clock.advance(days=1)
    await store(two[1])
    assert await sql.fetchval("select count(*) from search_askers") == 0
    assert await sql.fetchval("select count(*) from search_counts") == 1


@pytest.mark.parametrize(
    "query",
    [
        "123-45-6789 benefits",
        "my ssn 123 45 6789",
        "C12345678",
        "pat@example.org",
        "call me 614-555-0123",
        "!!!",
        "日本",
    ],
)
async def test_personal_numbers_and_what_has_no_words_are_not_heard(
    two: tuple[SearchLearning, SearchLearning], store: Store, sql: asyncpg.Connection, query: str
) -> None:
    for number in range(6):
        two[0].hear(f"192.0.2.{number}", query, Outcome(0, is_fallback=True, unmatched=("pat", "12345")))
    await store(two[0])
    words = await sql.fetch("select text from search_texts where kind = 'query'")
    assert words == []
    assert query in {"!!!", "日本"} or await sql.fetchval("select count(*) from search_counts") == 0


async def test_a_word_is_told_by_its_own_five(
    two: tuple[SearchLearning, SearchLearning], store: Store, sql: asyncpg.Connection
) -> None:
    for number, name in enumerate(("smith", "jones", "miller", "garcia", "chen")):
        query = f"ebt for {name} 10"
        two[number % 2].hear(f"192.0.2.{number}", query, Outcome(0, is_fallback=True, unmatched=("ebt", name, "10")))
    await store(*two)
    assert await told(sql) == {("word", "ebt")}
    row = await sql.fetchrow(
        "select searches, zero_results, fallbacks from search_counts join search_texts using (hash)"
    )
    assert tuple(row) == (5, 5, 5)


async def test_what_is_kept_is_bounded(
    monkeypatch: pytest.MonkeyPatch, two: tuple[SearchLearning, SearchLearning], store: Store, sql: asyncpg.Connection
) -> None:
    monkeypatch.setattr(learning, "MOST_HEARD", 30)
    monkeypatch.setattr(learning, "MOST_A_DAY", 40)
    for process in two:
        for number in range(50):
            process.hear("192.0.2.1", f"{'one' if process is two[0] else 'other'} {number}", FOUND)
    await store(*two)
    assert await sql.fetchval("select count(*) from search_counts") == 40
    two[0].hear("192.0.2.1", "one 1", FOUND)  # what is known is counted on
    two[0].hear("192.0.2.1", "new", FOUND)
    await store(two[0])
    assert await sql.fetchrow("select count(*), max(searches) from search_counts") == (40, 2)


async def test_what_is_old_is_forgotten(
    clock: Clock, two: tuple[SearchLearning, SearchLearning], store: Store, sql: asyncpg.Connection
) -> None:
    for number in range(5):
        two[0].hear(f"192.0.2.{number}", "rental help", FOUND)
    two[0].hear("192.0.2.1", "dental help", FOUND)
    await store(two[0])
    for days, counts, texts in ((29, 2, 1), (1, 1, 1), (59, 1, 1), (1, 0, 0)):
        clock.advance(days=days)
        await store(two[0])
        assert await sql.fetchval("select count(*) from search_counts") == counts
        assert len(await told(sql)) == texts


async def test_what_cannot_be_stored_waits(
    two: tuple[SearchLearning, SearchLearning], store: Store, sql: asyncpg.Connection
) -> None:
    for number in range(5):
        two[0].hear(f"192.0.2.{number}", "rental help", FOUND)
    await sql.execute("alter table search_texts rename to elsewhere")
    with pytest.raises(Exception, match="search_texts"):
        await store(two[0])
    await sql.execute("alter table elsewhere rename to search_texts")
    await store(two[0])
    assert await told(sql) == {("query", "rental help")}
    await store(two[0])
    assert await sql.fetchval("select searches from search_counts") == 5


async def test_another_secret_has_other_hashes(store: Store, sql: asyncpg.Connection) -> None:
    for key in (KEY, b"another secret, of more than 32 bytes"):
        process = SearchLearning(key)
        process.hear("192.0.2.1", "rental help", FOUND)
        await store(process)
    assert await sql.fetchval("select count(*) from search_counts") == 2


@pytest.fixture
def ask(app: FastAPI) -> Ask:
    """Search from several addresses: `await ask("q=housing")`."""

    async def ask(query: str, *, people: int = 5) -> Any:
        for number in range(people):
            transport = httpx.ASGITransport(app, client=(f"192.0.2.{number}", 1))
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as person:
                answer = await person.get(f"/api/v1/search?limit=1&{query}")
                assert answer.status_code == 200
        return answer.json()

    return ask


async def test_searches_are_heard_with_what_became_of_them(
    app: FastAPI, ask: Ask, store: Store, sql: asyncpg.Connection
) -> None:
    page = await ask("q=Housing&facets=state")
    assert page["next_cursor"] is not None
    await ask(f"q=Housing&facets=state&cursor={page['next_cursor']}")
    assert (await ask("q=ebt+near+columbus+oh"))["interpretation"]["place"]["name"] == "Columbus, OH"
    assert (await ask("q=xqzw"))["interpretation"]["fallback"] is True
    await ask("q=private+matter", people=4)
    await store(app.state.search_learning)
    rows = await sql.fetch(
        "select kind, text, searches, zero_results, fallbacks from search_texts join search_counts using (hash)"
    )
    found = {(row["kind"], row["text"]): tuple(row)[2:] for row in rows}
    assert found["query", "housing"] == (5, 0, 0)
    assert found["query", "xqzw"] == (5, 0, 5)
    assert found["word", "xqzw"] == (5, 0, 5)
    words = {text for kind, text in found if kind == HeardKind.WORD}
    assert words <= {"ebt", "xqzw"}
    assert not [text for _, text in found if "private" in text]


async def test_a_search_writes_nothing(ask: Ask, sql: asyncpg.Connection) -> None:
    await ask("q=housing")
    assert await sql.fetchval("select count(*) from search_counts") == 0


def test_a_day_is_that_of_utc(clock: Clock) -> None:
    clock.now = datetime(2026, 11, 21, 23, 59, tzinfo=UTC)
    process = SearchLearning(KEY)
    process.hear("192.0.2.1", "rental help", FOUND)
    clock.advance(minutes=2)
    process.hear("192.0.2.1", "rental help", FOUND)
    days = {day for day, _ in process._heard}  # noqa: SLF001
    assert days == {date(2026, 11, 21), date(2026, 11, 21) + timedelta(days=1)}
