"""Where the schema's migrations are, and how far a database is with them."""

from functools import cache
from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import URL, text
from sqlalchemy.exc import ProgrammingError

from alembic import command
from vibe4vets.core.database import Session

_PROJECT = Path(__file__).resolve().parents[3]


def alembic_config(url: URL | None = None) -> Config:
    """Alembic's configuration; `url` is the owner's, for commands that touch a database."""
    config = Config(str(_PROJECT / "alembic.ini"))
    config.attributes["url"] = url
    return config


@cache
def expected_revision() -> str:
    """The one head of the migrations that this code was written for."""
    head = ScriptDirectory.from_config(alembic_config()).get_current_head()
    return head or "base"


def upgrade(url: URL) -> None:
    """Bring the database at `url` to the head; waits for an upgrade that is under way elsewhere."""
    command.upgrade(alembic_config(url), "head")


async def schema_fault(session: Session) -> str | None:
    """Why this code must not serve from the database, in a sentence with the remedy; None when it may."""
    try:
        found = (await session.execute(text("select version_num from alembic_version"))).scalar_one_or_none()
    except ProgrammingError:
        found = None
    if found == expected_revision():
        return None
    if found is None:
        return "The database has no schema yet: run `vibe4vets migrate`."
    known = {script.revision for script in ScriptDirectory.from_config(alembic_config()).walk_revisions()}
    if found in known:
        return "The database schema is older than this version of the service: run `vibe4vets migrate`."
    return "The database schema is newer than this version of the service: deploy the matching version."
