"""What production must not be run with: settings are refused at the start, the database's state makes it unready."""

import math
import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from urllib.parse import urlsplit

from sqlalchemy import text

from vibe4vets.core.config import Environment, LogLevel, Settings
from vibe4vets.core.database import Session

_PLACEHOLDERS = re.compile("secret|password|change|example|default|insecure|vibe4vets|placeholder", re.IGNORECASE)
_LEAST_BITS = 96

_STATE = text("""
select r.rolsuper or r.rolbypassrls or r.rolcreaterole or r.rolcreatedb or r.rolreplication as is_mighty,
  has_schema_privilege(current_schema(), 'create') or exists (
    select from pg_class c where c.relnamespace = current_schema()::regnamespace
      and pg_has_role(c.relowner, 'usage')) as has_ddl,
  has_table_privilege('audit_events', 'update, delete, truncate')
    or has_table_privilege('audit_seals', 'update, delete, truncate') as can_rewrite_the_audit,
  current_setting('fsync') = 'off' or current_setting('full_page_writes') = 'off' as is_fragile
from pg_roles r where r.rolname = current_user
""")
_REMEDIES = {
    "is_mighty": "The role of DATABASE_URL is a superuser, or manages roles or databases: use one that only serves.",
    "has_ddl": "The role of DATABASE_URL may change the schema: use one that only reads and writes rows.",
    "can_rewrite_the_audit": "The role of DATABASE_URL may change the audit: run `select protect_audit()` as owner.",
    "is_fragile": "The server has fsync or full_page_writes off, and would lose data in a crash: switch them on.",
}


class UnsafeSettingsError(ValueError):
    """Production is not to be run so; the message names each setting, and never its value."""


def refuse_unsafe(settings: Settings) -> None:
    """Raise UnsafeSettingsError if this is production and its settings would put people at risk."""
    if settings.env is Environment.PRODUCTION and (faults := [*_faults(settings)]):
        raise UnsafeSettingsError("\n".join(f"{fault} (VIBE4VETS_ENV is production)" for fault in faults))


def _faults(settings: Settings) -> Iterator[str]:
    if settings.secret_key is None:
        yield "VIBE4VETS_SECRET_KEY: must be set"
    elif is_guessable(settings.secret_key.get_secret_value()):
        yield "VIBE4VETS_SECRET_KEY: can be guessed; make one with secrets.token_urlsafe(32)"
    if any(is_guessable(key.get_secret_value()) for key in settings.auth.signing_keys.values()):
        yield "VIBE4VETS_AUTH__SIGNING_KEYS: one can be guessed; make each with secrets.token_urlsafe(32)"
    if settings.auth.reset_page is not None and urlsplit(settings.auth.reset_page).scheme != "https":
        yield "VIBE4VETS_AUTH__RESET_PAGE: must be an https address, for the links are keys"
    if settings.metrics.token is not None and is_guessable(settings.metrics.token.get_secret_value()):
        yield "VIBE4VETS_METRICS__TOKEN: can be guessed; make one with secrets.token_urlsafe(32)"
    if urlsplit(settings.base_url).scheme != "https":
        yield "VIBE4VETS_BASE_URL: must be the https address that people use"
    if settings.log.level is LogLevel.DEBUG:
        yield "VIBE4VETS_LOG__LEVEL: must not be debug"
    if settings.fetch.reaches_inside:
        yield "VIBE4VETS_FETCH__ALLOW: must not be set; connectors fetch public addresses only"
    if settings.database_url is None and not settings.allow_embedded:
        yield "DATABASE_URL: must be set; VIBE4VETS_ALLOW_EMBEDDED=true runs on the private PostgreSQL instead"


def is_guessable(secret: str) -> bool:
    """Whether `secret` is a placeholder, a repetition, a sequence or else of less than about 100 bits."""
    steps = [ord(after) - ord(before) for before, after in pairwise(secret)]
    repeats = any(secret[size:] == secret[:-size] for size in range(1, len(secret) // 2 + 1))
    in_order = sum(abs(step) <= 1 for step in steps) > len(steps) / 2
    return bool(_PLACEHOLDERS.search(secret)) or repeats or in_order or _bits(secret) < _LEAST_BITS


def _bits(secret: str) -> float:
    """What the frequencies of its characters allow (Shannon): an upper bound of what it takes to guess it."""
    shares = [count / len(secret) for count in Counter(secret).values()]
    return -len(secret) * sum(share * math.log2(share) for share in shares)


async def database_fault(session: Session, settings: Settings) -> str | None:
    """Why production must not serve from this database, with the remedy; None when it may, and elsewhere."""
    if settings.env is not Environment.PRODUCTION:
        return None
    state = (await session.execute(_STATE)).one()
    return next((remedy for fault, remedy in _REMEDIES.items() if getattr(state, fault)), None)
