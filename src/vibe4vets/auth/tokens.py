"""Access tokens: signed here and verified here, and nowhere else.

python-jose signs and compares; everything that its defaults leave open (RFC 8725) is closed around it: one algorithm,
one type, three parts, no header but ours, every claim there and of its type.
"""

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from jose import jwk, jws
from jose.backends.base import Key
from jose.exceptions import JOSEError

from vibe4vets.auth.exceptions import InvalidToken
from vibe4vets.core.config import Settings
from vibe4vets.core.security import derive_key

ISSUER: Final = "vibe4vets"
AUDIENCE: Final = "vibe4vets-api"
LIFETIME: Final = timedelta(minutes=15)
LEEWAY: Final = timedelta(seconds=60)
"""How far the clock of the process that signed may run ahead of ours."""
_ALGORITHM: Final = "HS256"
_TYPE: Final = "at+jwt"
_PURPOSE: Final = "access token"
_DEFAULT_KEY_ID: Final = "default"
_MOST_CHARACTERS: Final = 2_048
_LATEST: Final = int(datetime(2200, 1, 1, tzinfo=UTC).timestamp())
_PART = re.compile(r"[A-Za-z0-9_-]+")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_HEADER = {"alg", "typ", "kid"}


@dataclass(frozen=True, slots=True)
class AccessClaims:
    """What a good access token says. Whether the account and the session still live is for the database to say."""

    user_id: UUID
    session_id: UUID
    token_id: UUID
    role: str
    issued_at: datetime
    expires_at: datetime


def mint_access_token(settings: Settings, *, user_id: UUID, session_id: UUID, role: str, now: datetime) -> str:
    """Sign a token that is good for 15 minutes from `now`, with the first signing key."""
    key_id = next(iter(settings.auth.signing_keys), _DEFAULT_KEY_ID)
    issued = int(now.timestamp())
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": str(user_id),
        "sid": str(session_id),
        "jti": str(uuid4()),
        "role": role,
        "iat": issued,
        "nbf": issued,
        "exp": issued + int(LIFETIME.total_seconds()),
    }
    key = _key(settings, key_id)
    return jws.sign(claims, key, headers={"typ": _TYPE, "kid": key_id}, algorithm=_ALGORITHM)


def read_access_token(settings: Settings, text: str, now: datetime) -> AccessClaims:
    """The claims of a token that we signed and that is good at `now`; InvalidToken for any other text."""
    try:
        header, payload = _split(text)
        if header.keys() - _HEADER or (header.get("alg"), header.get("typ")) != (_ALGORITHM, _TYPE):
            raise InvalidToken
        jws.verify(text, _key(settings, _text(header, "kid")), [_ALGORITHM])
        return _claims(payload, now)
    except (JOSEError, KeyError, ValueError, RecursionError):
        raise InvalidToken from None


def _key(settings: Settings, key_id: str) -> Key:
    """The key of that name, of the type that python-jose does not try to read as JSON; KeyError if there is none."""
    keys: Mapping[str, bytes] = {
        name: key.get_secret_value().encode() for name, key in settings.auth.signing_keys.items()
    } or {_DEFAULT_KEY_ID: settings.signing_key}
    return jwk.construct(derive_key(keys[key_id], _PURPOSE), _ALGORITHM)


def _split(text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims as sent, before any signature is looked at: so nothing here may cost or believe much."""
    if len(text) > _MOST_CHARACTERS:
        raise InvalidToken
    header, payload, signature = text.split(".")
    _decode(signature)
    return _object(_decode(header)), _object(_decode(payload))


def _decode(part: str) -> bytes:
    """Base64url in the one spelling that its bytes have: no padding, no stray bits, no other characters."""
    if not _PART.fullmatch(part):
        raise InvalidToken
    raw = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    if base64.urlsafe_b64encode(raw).decode().rstrip("=") != part:
        raise InvalidToken
    return raw


def _object(raw: bytes) -> dict[str, Any]:
    value = json.loads(raw.decode(), object_pairs_hook=_without_duplicates)
    if not isinstance(value, dict):
        raise InvalidToken
    return value


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Two readers of one token must not read two claims."""
    members = dict(pairs)
    if len(members) < len(pairs):
        raise InvalidToken
    return members


def _claims(claims: Mapping[str, Any], now: datetime) -> AccessClaims:
    if (_text(claims, "iss"), _text(claims, "aud")) != (ISSUER, AUDIENCE):
        raise InvalidToken
    issued, begins, expires = (_instant(claims, name) for name in ("iat", "nbf", "exp"))
    if not (max(issued, begins) <= now + LEEWAY and now < expires <= issued + LIFETIME):
        raise InvalidToken
    return AccessClaims(
        user_id=_uuid(claims, "sub"),
        session_id=_uuid(claims, "sid"),
        token_id=_uuid(claims, "jti"),
        role=_text(claims, "role"),
        issued_at=issued,
        expires_at=expires,
    )


def _text(members: Mapping[str, Any], name: str) -> str:
    value = members[name]
    if not isinstance(value, str) or not value:
        raise InvalidToken
    return value


def _instant(claims: Mapping[str, Any], name: str) -> datetime:
    value = claims[name]
    if type(value) is not int or not 0 <= value <= _LATEST:  # True is an int, too
        raise InvalidToken
    return datetime.fromtimestamp(value, UTC)


def _uuid(claims: Mapping[str, Any], name: str) -> UUID:
    value = _text(claims, name)
    if not _UUID.fullmatch(value):  # UUID() would take braces, urn: and capitals
        raise InvalidToken
    return UUID(value)
