"""Accounts from the command line: made, listed, disabled, given another password."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncpg
import pytest

from vibe4vets.cli import accounts
from vibe4vets.core.config import Settings
from vibe4vets.core.embedded import EmbeddedPostgres

PASSWORD = "seven otters mend the quiet bridge"
Users = Callable[..., Awaitable[tuple[int, str, str]]]


@pytest.fixture
def users(server: EmbeddedPostgres, database: str, tmp_path: Path) -> Users:
    """Run `vibe4vets users ...`, with a text for its standard input: exit code, output, errors."""
    given = {"DATABASE_URL": server.app_url(database), "VIBE4VETS_DATA_DIR": str(tmp_path), "COLUMNS": "200"}

    async def run(*arguments: str, text: str = "") -> tuple[int, str, str]:
        command = [sys.executable, "-m", "vibe4vets", "users", *arguments]
        environment = os.environ | given
        done = await asyncio.to_thread(
            subprocess.run,
            command,
            cwd=tmp_path,
            env=environment,
            input=text,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    return run


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
