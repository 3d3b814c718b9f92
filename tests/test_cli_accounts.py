"""Accounts from the command line: made, listed, disabled, given another password."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncpg
import pytest

from tests.commands import Ended, run_here
from vibe4vets.cli import accounts
from vibe4vets.core.config import Settings
from vibe4vets.core.embedded import EmbeddedPostgres

PASSWORD = "seven otters mend the quiet bridge"
Users = Callable[..., Awaitable[Ended]]


@pytest.fixture
def given(server: EmbeddedPostgres, database: str, tmp_path: Path) -> dict[str, str]:
    """The environment of a command on this test's own database."""
    return {"DATABASE_URL": server.app_url(database), "VIBE4VETS_DATA_DIR": str(tmp_path)}


@pytest.fixture
def users(given: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Users:
    """Run `vibe4vets users ...` in this process, with a text for its standard input: exit code, output, errors."""

    async def run(*arguments: str, text: str = "") -> Ended:
        return await run_here(capsys, tmp_path, ("users", *arguments), given, text=text)

    return run


async def test_a_process_makes_an_account(given: dict[str, str], sql: asyncpg.Connection, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "vibe4vets", "users", "create", "a@example.org", "--role", "editor"]
    process = await asyncio.create_subprocess_exec(
        *command, "--password-stdin", cwd=tmp_path, env=os.environ | given, stdin=PIPE, stdout=PIPE, stderr=PIPE
    )
    out, err = await process.communicate(f"{PASSWORD}\n".encode())
    assert (process.returncode, out.decode()) == (0, "a@example.org may sign in as editor.\n"), err
    assert await sql.fetchval("select role from users where email = 'a@example.org'") == "editor"


async def test_an_account_from_its_making_to_its_end(users: Users, sql: asyncpg.Connection) -> None:
    code, out, err = await users(
        "create", "Pat@Example.org", "--role", "admin", "--password-stdin", text=f"{PASSWORD}\n"
    )
    assert (code, out) == (0, "pat@example.org may sign in as admin.\n"), err
    first = await sql.fetchval("select password_hash from users where role = 'admin' and state = 'active'")
    assert first.startswith("$argon2id$")

    code, _, err = await users("create", "PAT@example.org", "--role", "editor", "--password-stdin", text=PASSWORD)
    assert code == 1
    assert "There is an account with this e-mail address" in err

    code, _, err = await users("create", "sam@example.org", "--role", "editor", "--password-stdin", text="short\n")
    assert code == 1
    assert "15 characters" in err

    code, out, _ = await users("list")
    assert (code, out.count("pat@example.org"), out.count("sam@")) == (0, 1, 0)
    assert "admin" in out

    code, out, _ = await users(
        "set-password", "pat@example.org", "--password-stdin", text="quiet lanterns at the bay\n"
    )
    assert (code, out) == (0, "pat@example.org has a new password.\n")
    assert await sql.fetchval("select password_hash from users") != first

    code, _, err = await users("disable", "pat@example.org")
    assert code == 1
    assert "make somebody else an admin first" in err
    await users("create", "sam@example.org", "--role", "admin", "--password-stdin", text=PASSWORD)
    assert (await users("disable", "pat@example.org"))[:2] == (0, "pat@example.org is disabled.\n")

    events = await sql.fetch("select actor_kind, action from audit_events order by sequence")
    assert [tuple(event) for event in events] == [
        ("system", "user.create"),
        ("system", "user.set_password"),
        ("system", "user.create"),
        ("system", "user.disable"),
    ]


async def test_what_is_wrong_is_told(users: Users) -> None:
    for arguments, reason in (
        (("create", "nobody", "--role", "admin", "--password-stdin"), "not an e-mail address"),
        (("create", "a@example.org", "--role", "owner", "--password-stdin"), "owner"),
        (("create", "a@example.org", "--password-stdin"), "--role"),
    ):
        code, _, err = await users(*arguments, text=PASSWORD)
        assert code == 2
        assert reason in err
    code, _, err = await users("disable", "nobody@example.org")
    assert (code, err) == (1, "There is no such account.\n")


async def test_the_first_admin_is_made_once(settings: Settings, sql: asyncpg.Connection) -> None:
    """Row B10."""
    password = await accounts.make_first_admin(settings)
    assert password is not None
    assert len(password) > 25
    assert await accounts.make_first_admin(settings) is None
    await sql.execute("insert into users (email, role, state) values ('a@example.org', 'admin', 'active')")
    await sql.execute("update users set state = 'disabled' where email = 'admin@localhost'")
    assert await accounts.make_first_admin(settings) is None
    assert await sql.fetchval("select count(*) from users") == 2
