"""Accounts from the command line: the first admin, and what an operator must be able to do without one."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Annotated, TypeVar

import typer
from pydantic import TypeAdapter, ValidationError
from rich.table import Table

from vibe4vets.auth import service
from vibe4vets.auth.models import Role, User, UserState
from vibe4vets.auth.passwords import check_password, hash_password
from vibe4vets.auth.schemas import EmailAddress
from vibe4vets.cli import serving
from vibe4vets.cli.terminal import out
from vibe4vets.core.audit import SYSTEM
from vibe4vets.core.config import Settings
from vibe4vets.core.database import Session, make_engine
from vibe4vets.core.security import random_text

T = TypeVar("T")
FIRST_ADMIN = "admin@localhost"
app = typer.Typer(help="Accounts: create, list, disable, set a password.", no_args_is_help=True)
_address = TypeAdapter[str](EmailAddress)


def _email(text: str) -> str:
    try:
        return _address.validate_python(text)
    except ValidationError:
        raise typer.BadParameter("not an e-mail address, such as pat@example.org") from None


Email = Annotated[
    str, typer.Argument(parser=_email, metavar="EMAIL", help="The address that the person signs in with.")
]
FromStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from the first line of standard input.")
]


@app.command()
def create(
    email: Email,
    role: Annotated[Role, typer.Option(help="What the account is for.")],
    *,
    password_stdin: FromStdin = False,
) -> None:
    """Create an active account; asks for its password."""
    hashed = _hash(email, from_stdin=password_stdin)

    async def work(session: Session) -> User:
        return await service.create_user(session, email=email, role=role, password_hash=hashed, actor=SYSTEM)

    _run(work)
    out.print(f"{email} may sign in as {role.value}.", markup=False, highlight=False)


@app.command(name="list")
def list_accounts() -> None:
    """List every account with its role and state."""
    table = Table("e-mail", "role", "state", "since")
    for user in _run(service.list_users):
        table.add_row(user.email, user.role.value, user.state.value, f"{user.created_at:%Y-%m-%d}")
    out.print(table)


@app.command()
def disable(email: Email) -> None:
    """End an account's access at once, whoever is signed in with it; the last active admin is refused."""

    async def work(session: Session) -> None:
        user = await service.lock_user(session, (await service.find_user(session, email)).id)
        await service.change_state(session, user, UserState.DISABLED, actor=SYSTEM)

    _run(work)
    out.print(f"{email} is disabled.", markup=False, highlight=False)


@app.command(name="set-password")
def set_password(email: Email, *, password_stdin: FromStdin = False) -> None:
    """Give an account another password; whoever is signed in with it signs in again."""
    hashed = _hash(email, from_stdin=password_stdin)

    async def work(session: Session) -> None:
        user = await service.lock_user(session, (await service.find_user(session, email)).id)
        await service.set_password(session, user, hashed, actor=SYSTEM)

    _run(work)
    out.print(f"{email} has a new password.", markup=False, highlight=False)


async def make_first_admin(settings: Settings) -> str | None:
    """Create the first admin and return the one-time password; None when there is an admin already."""
    async with _session(settings) as session:
        if await service.has_admin(session):
            return None
        password = "-".join(random_text(5) for _ in range(5))
        await service.bootstrap_admin(session, email=FIRST_ADMIN, password_hash=await hash_password(password))
        return password


def _hash(email: str, *, from_stdin: bool) -> str:
    if from_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    check_password(password, email=email)
    return asyncio.run(hash_password(password))


def _run(work: Callable[[Session], Awaitable[T]]) -> T:
    """Do `work` in one transaction."""

    async def run(settings: Settings) -> T:
        async with _session(settings) as session:
            return await work(session)

    with serving.database(Settings()) as settings:
        serving.require_schema(settings)
        return asyncio.run(run(settings))


@asynccontextmanager
async def _session(settings: Settings) -> AsyncIterator[Session]:
    engine = make_engine(serving.app_url(settings), settings.database)
    try:
        async with Session(engine, expire_on_commit=False) as session, session.begin():
            yield session
    finally:
        await engine.dispose()
