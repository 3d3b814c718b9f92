"""API keys: made, rotated and revoked by admins, and recognised with each request of a partner's program.

A key is `v4v_`, a public part by which its row is found, a secret of 256 bits, and a checksum, by which a mistyped or
made-up key is refused without asking the database, and by which scanners find keys in public code.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zlib import crc32

from sqlalchemy import DateTime, Text, Uuid, bindparam, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from vibe4vets.auth.exceptions import APIKeyNotFound, InvalidAPIKey, KeyNameTaken, NotAPartner, TwoKeysAlready
from vibe4vets.auth.models import KeyScope, Role, User, UserState, api_keys, users
from vibe4vets.auth.principals import Principal
from vibe4vets.core.audit import Actor, ActorKind, Target, count_failure, record_event
from vibe4vets.core.database import Database, Session, Statement, own_transaction
from vibe4vets.core.models import utc_now
from vibe4vets.core.security import ALPHABET, TOKEN_CHARACTERS, random_text, same, token_hash

K, U = api_keys.c, users.c
PURPOSE = "api key"
LONGEST_LIFE = timedelta(days=365)
NOTED_EVERY = timedelta(minutes=1)
"""How exact `last_used_at` is, and how often a refused key is an event of its own."""
_PUBLIC_CHARACTERS, _CHECK_CHARACTERS = 12, 6
_FORM = re.compile(
    rf"(?P<prefix>v4v_[0-9A-Za-z]{{{_PUBLIC_CHARACTERS}}})_[0-9A-Za-z]{{{TOKEN_CHARACTERS}}}"
    rf"(?P<check>[0-9A-Za-z]{{{_CHECK_CHARACTERS}}})"
)
_FOUND = Statement(
    select(K.id, K.user_id, K.secret_hash, K.scopes, K.expires_at, K.revoked_at, K.last_used_at, U.state, U.role)
    .join_from(api_keys, users, K.user_id == U.id)
    .where(K.prefix == bindparam("prefix", type_=Text))
)
_NOTE_USE = (
    update(api_keys)
    .where(
        K.id == bindparam("key_id", type_=Uuid),
        or_(K.last_used_at.is_(None), K.last_used_at <= bindparam("before", type_=DateTime(timezone=True))),
    )
    .values(last_used_at=bindparam("now", type_=DateTime(timezone=True)))
    .returning(K.id)
)


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that was made just now: the only moment at which its text is known."""

    row: Any
    """A row of the table."""
    text: str


def new_key_text() -> str:
    """The text of a new key."""
    text = f"v4v_{random_text(_PUBLIC_CHARACTERS)}_{random_text(TOKEN_CHARACTERS)}"
    return text + _check(text)


def key_prefix(text: str) -> str | None:
    """The public part of `text`; None when no key of ours can look like it."""
    form = _FORM.fullmatch(text)
    if form is None or not same(_check(text[:-_CHECK_CHARACTERS]), form["check"]):
        return None
    return form["prefix"]


def _check(text: str) -> str:
    """CRC-32 in letters and digits."""
    rest, letters = crc32(text.encode()), ""
    for _ in range(_CHECK_CHARACTERS):
        rest, digit = divmod(rest, len(ALPHABET))
        letters = ALPHABET[digit] + letters
    return letters


async def find_key_principal(database: Database, secret: bytes, text: str) -> Principal:
    """Whose program makes the request; InvalidAPIKey for a key that is unknown, revoked or expired, or whose account
    does not work.

    One read by key for each request, so that a revoked key is out at once. It holds no connection of the request's,
    and gives back its own before it notes the use.
    """
    prefix = key_prefix(text)
    if prefix is None:
        raise InvalidAPIKey
    async with Session(database.reads) as session:
        found: Sequence[Any] = await session.rows(_FOUND, {"prefix": prefix})
    kept = found[0].secret_hash if found else bytes(32)
    if not same(token_hash(secret, PURPOSE, text), kept):
        await _count(database, "unknown_key")
        raise InvalidAPIKey
    key, now = found[0], utc_now()
    reason = _refusal(key, now)
    if key.last_used_at is None or key.last_used_at <= now - NOTED_EVERY:
        await _note_use(database, key.id, now, reason)
    if reason is not None:
        raise InvalidAPIKey
    return Principal(key.user_id, Role.PARTNER, api_key_id=key.id, scopes=frozenset(map(KeyScope, key.scopes)))


def _refusal(key: Any, now: datetime) -> str | None:  # noqa: ANN401  a row of the statement above
    if key.revoked_at is not None:
        return "revoked"
    if key.expires_at <= now:
        return "expired"
    if key.state is not UserState.ACTIVE or key.role is not Role.PARTNER:
        return "account_inactive"
    return None


async def _note_use(database: Database, key_id: UUID, now: datetime, refusal: str | None) -> None:
    """Keep when the key was used, at most once a minute; with it the event of one that is used though refused."""
    async with own_transaction(database) as session:
        given = {"key_id": key_id, "before": now - NOTED_EVERY, "now": now}
        noted = (await session.execute(_NOTE_USE, given)).scalar_one_or_none()
        if noted is not None and refusal is not None:
            actor = Actor(ActorKind.API_KEY, str(key_id))
            await record_event(
                session, "api_key.refuse", actor=actor, target=key_target(key_id), details={"reason": refusal}
            )


async def _count(database: Database, reason: str) -> None:
    async with own_transaction(database) as session:
        await count_failure(session, "api_key.refuse", reason=reason)


def key_target(key_id: UUID) -> Target:
    """A key as an event names it."""
    return Target("api_key", str(key_id))


async def create_key(  # noqa: PLR0913  a key is all of these
    session: Session,
    secret: bytes,
    user: User,
    *,
    name: str,
    scopes: Collection[KeyScope],
    lifetime: timedelta,
    actor: Actor,
) -> NewKey:
    """Make a key for a partner; KeyNameTaken while another of that name lives, NotAPartner for any other account."""
    if user.role is not Role.PARTNER:
        raise NotAPartner
    owned = {"user_id": user.id, "name": name, "slot": 1, "scopes": sorted(scope.value for scope in scopes)}
    new = await _insert(session, secret, owned, lifetime)
    if new is None:
        raise KeyNameTaken
    await record_event(session, "api_key.create", actor=actor, target=key_target(new.row.id), after=_plain(new.row))
    return new


async def rotate_key(session: Session, secret: bytes, key_id: UUID, *, actor: Actor) -> NewKey:
    """Make the key that takes the place of `key_id`, to live as long: both are good until the old one is revoked.

    Raises TwoKeysAlready when there are two of that name, APIKeyNotFound when `key_id` is revoked or unknown.
    """
    living = select(*K).where(K.id == key_id, K.revoked_at.is_(None)).with_for_update()
    old = (await session.execute(living)).one_or_none()
    if old is None:
        raise APIKeyNotFound
    owned = {"user_id": old.user_id, "name": old.name, "slot": 3 - old.slot, "scopes": old.scopes}
    new = await _insert(session, secret, owned, old.expires_at - old.created_at)
    if new is None:
        raise TwoKeysAlready
    target = key_target(new.row.id)
    await record_event(session, "api_key.rotate", actor=actor, target=target, before=_plain(old), after=_plain(new.row))
    return new


async def revoke_key(session: Session, key_id: UUID, *, actor: Actor) -> None:
    """Revoke a key, from the next request on; APIKeyNotFound for one that is revoked or unknown."""
    ending = update(api_keys).where(K.id == key_id, K.revoked_at.is_(None)).values(revoked_at=utc_now())
    key = (await session.execute(ending.returning(*K))).one_or_none()
    if key is None:
        raise APIKeyNotFound
    await record_event(session, "api_key.revoke", actor=actor, target=key_target(key_id), before=_plain(key))


async def _insert(session: Session, secret: bytes, owned: dict[str, Any], lifetime: timedelta) -> NewKey | None:
    """Store a new key; None when its place, of the two that a name has, is taken."""
    text, now = new_key_text(), utc_now()
    made = {
        "prefix": key_prefix(text),
        "secret_hash": token_hash(secret, PURPOSE, text),
        "created_at": now,
        "expires_at": now + min(lifetime, LONGEST_LIFE),
    }
    storing = insert(api_keys).values(owned | made)
    storing = storing.on_conflict_do_nothing(
        index_elements=[K.user_id, K.name, K.slot], index_where=K.revoked_at.is_(None)
    )
    row = (await session.execute(storing.returning(*K))).one_or_none()
    return None if row is None else NewKey(row, text)


def _plain(key: Any) -> dict[str, Any]:  # noqa: ANN401  a row of the table
    """What an event hashes of a key: nothing of its secret."""
    return {name: getattr(key, name) for name in ("user_id", "name", "prefix", "scopes", "expires_at")}
