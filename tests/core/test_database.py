"""The engines' limits, the one session, and what each fault of a real database becomes."""

from collections.abc import AsyncIterator
from uuid import uuid4

import asyncpg
import httpx
import pytest
from fastapi import APIRouter, FastAPI
from sqlalchemy import Text, cast, func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from vibe4vets.core.config import LimitSettings, Settings
from vibe4vets.core.database import Database, Session, SessionDep, Statement, connect, copy_rows, make_engine, violates
from vibe4vets.core.embedded import EmbeddedPostgres
from vibe4vets.core.errors import database_fault, install_error_handlers
from vibe4vets.core.http import Operations, PublicRoute, Shell, TrustedProxies
from vibe4vets.core.limits import Limits

LIMITS = """
select name, setting from pg_settings
where name in ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout', 'TimeZone', 'jit')
"""
SOURCE = text("insert into sources (slug, name, tier) values (:slug, 'n', 1)")


@pytest.fixture
async def database_of(settings: Settings) -> AsyncIterator[Database]:
    """The engines of a service on this test's own database."""
    database = await connect(settings)
    yield database
    await database.dispose()


async def test_every_session_has_its_limits(database_of: Database, settings: Settings) -> None:
    """Row I9, asked of live sessions."""
    bulk = make_engine(
        settings.database_url, settings.database, statement_timeout=settings.database.bulk_statement_timeout
    )
    for engine, statement in ((database_of.writes, "5000"), (database_of.reads, "5000"), (bulk, "60000")):
        async with engine.connect() as connection:
            limits = dict((await connection.execute(text(LIMITS))).all())
        assert limits == {
            "statement_timeout": statement,
            "lock_timeout": "2000",
            "idle_in_transaction_session_timeout": "10000",
            "TimeZone": "UTC",
            "jit": "off",
        }
        assert engine.pool.timeout() == 2
    await bulk.dispose()
    rows = await database_of.published.fetch(LIMITS, ())
    assert {row.name: row.setting for row in rows}["statement_timeout"] == "5000"
    assert settings.database.connect_timeout.total_seconds() == 3


@pytest.mark.parametrize(
    "statement",
    [
        "create table t ()",
        "drop table resources",
        "alter table resources add x int",
        "truncate resources cascade",
        "create extension hstore",
        "alter role vibe4vets_app superuser",
    ],
)
async def test_the_serving_role_cannot_change_the_schema(session: Session, statement: str) -> None:
    """Row K6."""
    role = "select rolsuper, rolbypassrls, rolcreatedb, rolcreaterole from pg_roles where rolname = current_user"
    assert tuple((await session.execute(text(role))).one()) == (False, False, False, False)
    connection = (await (await session.connection()).get_raw_connection()).driver_connection
    with pytest.raises(asyncpg.InsufficientPrivilegeError) as refused:
        await connection.execute(statement)
    assert refused.value.sqlstate == "42501"


router = APIRouter()
public = APIRouter(route_class=PublicRoute)


@router.post("/sources/{slug}", status_code=201)
async def add(session: SessionDep, slug: str) -> str:
    await session.execute(SOURCE, {"slug": slug})
    return slug


@router.post("/failing/{slug}")
async def fail(session: SessionDep, slug: str) -> None:
    await session.execute(SOURCE, {"slug": slug})
    raise RuntimeError(slug)


CLOCK = Statement(select(cast(func.now(), Text).label("clock"), func.current_database().label("name")))


@router.get("/private")
@public.get("/public")
@router.post("/unsafe")
async def look(session: SessionDep) -> list[str]:
    """The clocks of two statements, and which database answered."""
    [first], [second] = [await session.rows(CLOCK, {}) for _ in range(2)]
    return [first.clock, second.clock, second.name]


@pytest.fixture
async def small(database_of: Database) -> AsyncIterator[tuple[httpx.AsyncClient, FastAPI]]:
    """A small application with the real session, shell and error handlers."""
    app = FastAPI()
    install_error_handlers(app)
    app.include_router(router)
    app.include_router(public)
    app.add_middleware(Shell, deadline=Settings().http.deadline, operations=Operations(app), proxies=TrustedProxies(()))
    app.state.database = database_of
    app.state.limits = Limits(LimitSettings(public_reads="off"), b"x" * 32, database_of)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client, app


Small = tuple[httpx.AsyncClient, FastAPI]
COUNT = text("select count(*) from sources")


async def test_a_commit_that_fails_is_never_told_as_success(
    small: Small, server: EmbeddedPostgres, database: str, session: Session
) -> None:
    """The database itself refuses at COMMIT: a deferred constraint trigger."""
    client, _ = small
    owner = await asyncpg.connect(server.owner_url(database))
    assert (await client.post("/sources/before")).status_code == 201
    await owner.execute("""
        create function refuse() returns trigger language plpgsql as $$ begin
          raise exception 'disk full' using errcode = '53100';
        end $$;
        create constraint trigger late after insert on sources deferrable initially deferred
          for each row execute function refuse();
    """)
    answer = await client.post("/sources/after")
    assert (answer.status_code, answer.json()["type"]) == (503, "unavailable")
    assert (await session.execute(COUNT)).scalar_one() == 1
    await owner.close()


async def test_an_error_rolls_back(small: Small, session: Session) -> None:
    client, _ = small
    assert (await client.post("/failing/one")).status_code == 500
    assert (await client.post("/sources/two")).status_code == 201
    answer = await client.post("/sources/two")
    assert (answer.status_code, answer.json()["type"]) == (409, "conflict")
    assert (await session.execute(text("select array_agg(slug::text) from sources"))).scalar_one() == ["two"]


async def test_safe_methods_read_without_a_transaction(small: Small) -> None:
    client, _ = small
    for path in ("/private", "/public"):
        first, second, _ = (await client.get(path)).json()
        assert first != second, "each statement is a transaction of its own"
    first, second, _ = (await client.post("/unsafe")).json()
    assert first == second


async def test_only_public_reads_go_to_the_replica(
    small: Small, server: EmbeddedPostgres, owner: asyncpg.Connection, database: str
) -> None:
    client, app = small
    replica = f"replica_{uuid4().hex[:12]}"
    await owner.execute(f'create database "{replica}" strategy file_copy')
    urls = {"DATABASE_URL": server.app_url(database), "DATABASE_REPLICA_URL": server.app_url(replica)}
    app.state.database = await connect(Settings.model_validate(urls))
    asked = (("GET", "/public"), ("GET", "/private"), ("POST", "/unsafe"))
    used = [(await client.request(method, path)).json()[2] for method, path in asked]
    assert used == [replica, database, database]
    await app.state.database.dispose()
    await owner.execute(f'drop database "{replica}" with (force)')


async def test_copied_rows_belong_to_the_transaction(session: Session) -> None:
    rows = [("a", "n", 1), ("b", "n", 1)]
    await copy_rows(session, "sources", ("slug", "name", "tier"), rows)
    assert (await session.execute(COUNT)).scalar_one() == 2
    await session.rollback()
    assert (await session.execute(COUNT)).scalar_one() == 0
    await copy_rows(session, "sources", ("slug", "name", "tier"), [])


async def test_violates_names_the_constraint(session: Session) -> None:
    await session.execute(SOURCE, {"slug": "a"})
    with pytest.raises(IntegrityError) as refused:
        await session.execute(SOURCE, {"slug": "a"})
    assert violates(refused.value, "uq_sources_slug")
    assert violates(refused.value, "uq_other", "uq_sources_slug")
    assert not violates(refused.value, "ck_sources_slug")


async def caught(engine: AsyncEngine, *statements: str, **parameters: object) -> Exception:
    """What a session raises for the statements."""
    try:
        async with Session(engine) as session:
            for statement in statements:
                await session.execute(text(statement), parameters)
    except Exception as error:  # noqa: BLE001  which one is what the test is about
        return error
    pytest.fail("nothing was raised")


INSERT = "insert into sources (slug, name, tier) values ('{}', 'n', {})"
RAISE = "do $$ begin raise exception 'x' using errcode = '{}'; end $$"
FAULTS: list[tuple[list[str], int]] = [
    ([INSERT.format("a", 1), INSERT.format("a", 1)], 409),
    (["insert into locations (resource_id, position) values (gen_random_uuid(), 0)"], 409),
    ([INSERT.format("a", 9)], 422),
    (["insert into sources (slug, name) values ('a', 'n')"], 422),
    ([INSERT.format("a" * 65, 1)], 422),
    ([INSERT.format("a", 99999)], 422),
    (["select cast('[1' as jsonb)"], 422),
    (["select 1 limit -1"], 422),
    (["select 1 offset -1"], 422),
    (["set statement_timeout = '50ms'", "select pg_sleep(5)"], 503),
    (["set transaction read only", INSERT.format("a", 1)], 503),
    (["select pg_terminate_backend(pg_backend_pid())"], 503),
    (["select * from not_yet_there"], 503),
    (["create table t ()"], 503),
    *(([RAISE.format(state)], 503) for state in ("53100", "53200", "40001", "40P01", "57P03", "58030", "08006")),
    (["select 1 / 0"], 500),
    (["this is not SQL"], 500),
]


@pytest.mark.parametrize(("statements", "status"), FAULTS)
async def test_what_each_fault_becomes(engine: AsyncEngine, statements: list[str], status: int) -> None:
    """The table of section 3.3, by real faults."""
    problem = database_fault(await caught(engine, *statements))
    assert problem.status == status
    assert ("Retry-After" in problem.headers) == (status == 503)
    async with Session(engine) as session:
        assert (await session.execute(COUNT)).scalar_one() == 0, "the next request is served"


@pytest.mark.parametrize("value", ["a\0b", "\ud800"])
async def test_text_that_cannot_be_stored_is_the_callers_fault(engine: AsyncEngine, value: str) -> None:
    error = await caught(engine, "insert into sources (slug, name, tier) values ('a', :value, 1)", value=value)
    assert database_fault(error).status == 422


async def test_a_lock_held_elsewhere_is_a_503(engine: AsyncEngine, session: Session) -> None:
    await session.execute(SOURCE, {"slug": "a"})
    error = await caught(engine, "set lock_timeout = '50ms'", INSERT.format("a", 1))
    assert error.orig.sqlstate == "55P03"
    assert database_fault(error).status == 503


async def test_an_empty_pool_and_a_full_server_are_a_503(owner: asyncpg.Connection, settings: Settings) -> None:
    role = f"role_{uuid4().hex[:12]}"
    await owner.execute(f"create role {role} login password 'p' connection limit 1")
    limits = settings.database.model_copy(update={"pool_wait": settings.database.pool_wait / 20})
    url = settings.database_url.set(username=role, password="p")
    first, second = make_engine(url, limits, pool_size=1), make_engine(url, limits, pool_size=1)
    async with first.connect():
        for engine in (first, second):
            assert database_fault(await caught(engine, "select 1")).status == 503
    async with first.connect() as connection:
        assert (await connection.execute(text("select true"))).scalar_one()
    await first.dispose()
    await second.dispose()
    await owner.execute(f"drop role {role}")


async def test_a_server_that_is_not_there_is_a_503(settings: Settings) -> None:
    url = settings.database_url.set(host="127.0.0.1", port=1, query={})
    assert database_fault(await caught(make_engine(url, settings.database), "select 1")).status == 503
