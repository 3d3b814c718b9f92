"""Which version of a publisher's file was applied last."""

from sqlalchemy import text

from vibe4vets.connectors.base import Validators, Version
from vibe4vets.core.database import Session

_GET = text("""
select etag, last_modified, body_hash from source_validators where connector = :connector and url = :url
""")
_KEEP = text("""
insert into source_validators (connector, url, etag, last_modified, body_hash)
values (:connector, :url, :etag, :last_modified, :body_hash)
on conflict (connector, url) do update set
  etag = excluded.etag, last_modified = excluded.last_modified, body_hash = excluded.body_hash, updated_at = now()
""")
_LONGEST_URL = 500


async def get_version(session: Session, connector: str, url: str) -> Version | None:
    """The version of the file at `url` that was applied last; None when none was."""
    row = (await session.execute(_GET, {"connector": connector, "url": url})).one_or_none()
    return None if row is None else Version(Validators(row.etag, row.last_modified), row.body_hash)


async def keep_version(session: Session, connector: str, url: str, version: Version) -> None:
    """Remember what was applied, in the transaction that ends the run; a very long address is read anew each time."""
    if len(url) > _LONGEST_URL:
        return
    values = {"etag": version.validators.etag, "last_modified": version.validators.last_modified}
    await session.execute(_KEEP, {"connector": connector, "url": url, "body_hash": version.sha256, **values})
