"""A request that is sent twice is done once: its key and its answer, stored with what it made.

What a stranger could read there is of no use: keys and requests are keyed hashes, and an answer, which may hold an
API key shown once, opens only with the Idempotency-Key that it was given to.
"""

import hmac
import json
import os
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import CheckConstraint, DateTime, LargeBinary, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Field, SQLModel

from vibe4vets.core.database import Session
from vibe4vets.core.errors import AppError, sql_state
from vibe4vets.core.security import derive_key, token_hash

LOCK_NOT_AVAILABLE = "55P03"
_NONCE_BYTES = 12

# A duplicate waits here until the first one has committed, or has failed and left nothing; a key of more than a day
# ago counts as new.
_CLAIM = text("""
insert into idempotency_keys as k (key, request_hash) values (:key, :request_hash)
on conflict (key) do update set request_hash = excluded.request_hash, created_at = now(), answer = null
where k.created_at <= now() - interval '24 hours'
returning key
""")
_READ = text("select request_hash, answer from idempotency_keys where key = :key")
_KEEP = text("update idempotency_keys set answer = :answer where key = :key")
_FORGET = text("delete from idempotency_keys where created_at <= now() - interval '24 hours'")


class IdempotencyKey(SQLModel, table=True):
    """A key that was used in the last 24 hours."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (
        CheckConstraint("octet_length(key) = 32", name="key"),
        CheckConstraint("octet_length(request_hash) = 32", name="request_hash"),
    )

    key: bytes = Field(sa_type=LargeBinary, primary_key=True)
    request_hash: bytes = Field(sa_type=LargeBinary)
    answer: bytes | None = Field(default=None, sa_type=LargeBinary)
    created_at: datetime = Field(
        sa_type=DateTime(timezone=True), sa_column_kwargs={"server_default": text("now()")}, index=True
    )


class IdempotencyKeyReused(AppError):
    status, type, title = (
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "idempotency-key-reused",
        "This Idempotency-Key stands for another request; make a new key for each new one.",
    )
    about = "/header/Idempotency-Key"


class IdempotencyKeyInUse(AppError):
    status, type, title = (
        HTTPStatus.CONFLICT,
        "idempotency-key-in-use",
        "The first request with this Idempotency-Key is still under way; send it again in a moment.",
    )


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Claim:
    """A key that this request has: `answer` is what the first one was told, None for the first one itself."""

    session: Session
    row: bytes
    cipher: AESGCM
    answer: Answer | None = None

    async def keep(self, answer: Answer) -> None:
        """Store what is answered, in the transaction of what was made."""
        head = json.dumps({"status": answer.status, "headers": answer.headers}).encode()
        nonce = os.urandom(_NONCE_BYTES)
        sealed = nonce + self.cipher.encrypt(nonce, head + b"\n" + answer.body, self.row)
        await self.session.execute(_KEEP, {"key": self.row, "answer": sealed})


async def claim_key(session: Session, secret: bytes, *, scope: str, key: str, request: bytes) -> Claim:
    """Take `key` within `scope` (who asks, and for which operation) for `request`, everything that was sent.

    Waits for a request that has it. Raises IdempotencyKeyInUse when that takes longer than the lock timeout,
    IdempotencyKeyReused when it stands for another request.
    """
    row = token_hash(secret, "idempotency key", f"{scope}\0{key}")
    request_hash = hmac.digest(derive_key(secret, "idempotent request"), request, "sha256")
    cipher = AESGCM(derive_key(secret, f"idempotent answer {scope}\0{key}"))
    try:
        taken = (await session.execute(_CLAIM, {"key": row, "request_hash": request_hash})).one_or_none()
    except DBAPIError as error:
        if sql_state(error) == LOCK_NOT_AVAILABLE:
            raise IdempotencyKeyInUse from error
        raise
    if taken is not None:
        return Claim(session, row, cipher)
    found = (await session.execute(_READ, {"key": row})).one_or_none()
    if found is None:  # swept this very moment
        raise IdempotencyKeyInUse
    if not hmac.compare_digest(found.request_hash, request_hash):
        raise IdempotencyKeyReused
    return Claim(session, row, cipher, _open(cipher, row, found.answer))


def _open(cipher: AESGCM, row: bytes, sealed: bytes) -> Answer:
    head, _, body = cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], row).partition(b"\n")
    return Answer(**json.loads(head), body=body)


async def forget_keys(session: Session) -> None:
    """Delete keys of more than 24 hours ago, with their answers."""
    await session.execute(_FORGET)
