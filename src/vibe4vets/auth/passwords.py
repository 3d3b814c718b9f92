"""Passwords: what may be one, and its argon2id hash, made off the event loop and few at a time."""

import asyncio
import gzip
import os
import re
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Final, TypeVar

from passlib.context import CryptContext
from pydantic import Field

from vibe4vets.auth.exceptions import PasswordRefused, TooManySignIns
from vibe4vets.core.errors import Violation
from vibe4vets.core.schemas import LineAsTyped

T = TypeVar("T")
SHORTEST: Final = 15
LONGEST: Final = 256
# one processor is left to everybody else: with 4 on two, the others' p99 during logins was four times as long
_AT_ONCE: Final = max(1, min(4, (os.cpu_count() or 2) - 1))
_PATIENCE_SECONDS: Final = 2.0
_HASHES = CryptContext(
    schemes=["argon2"],
    argon2__type="ID",
    argon2__memory_cost=19_456,  # KiB; with the next two, OWASP's least for argon2id
    argon2__time_cost=2,
    argon2__parallelism=1,
)
# its threads begin with its first use; it is of no event loop
_HASHING = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="password")

_LISTED = Path(__file__).with_name("common_passwords.txt.gz")
_OURS = ("vibe4vets", "veteran")
_ROWS = ("1234567890", "qwertyuiopasdfghjklzxcvbnm", "abcdefghijklmnopqrstuvwxyz")
_LEAST_PART = 4
_AROUND = re.compile(r"^[\W\d_]+|[\W\d_]+$")

NewPassword = Annotated[
    LineAsTyped,
    Field(
        min_length=SHORTEST,
        max_length=LONGEST,
        description="15 to 256 characters of any kind; a few words that only you would put together do well.",
        examples=["seven otters mend the quiet bridge"],
        json_schema_extra={"format": "password"},
    ),
]


@dataclass(frozen=True, slots=True)
class Verified:
    """`new_hash` is set when the password is right and its hash is weaker than we make today: store it."""

    matches: bool
    new_hash: str | None


async def hash_password(password: str) -> str:
    """Hash `password`; TooManySignIns when no thread is free in two seconds."""
    return await _in_thread(lambda: str(_HASHES.hash(_bytes(password))))


async def verify_password(password: str, stored: str | None) -> Verified:
    """Compare; `stored=None`, for an account that is not there, takes as long as a wrong password."""
    return await _in_thread(lambda: _verify(password, stored))


def check_password(password: str, *, email: str, pointer: str = "/body/password") -> None:
    """Refuse what a guesser tries first: PasswordRefused with the reason, which never quotes the password.

    The rules are those of NIST SP 800-63B-4: length, and a local list; no mixture of characters is asked for.
    """
    text = _final(password)
    reason = _length_reason(text) or _blocked_reason(text.casefold(), email.casefold())
    if reason is not None:
        code, message = reason
        raise PasswordRefused(message, errors=[Violation(pointer=pointer, code=code, message=message)])


def _final(password: str) -> str:
    """One spelling of what was typed: keyboards differ in how they compose an accent."""
    return unicodedata.normalize("NFC", password)


def _bytes(password: str) -> bytes:
    """Also of half a surrogate pair, which a wrong password may hold."""
    return _final(password).encode(errors="surrogatepass")


def _verify(password: str, stored: str | None) -> Verified:
    if stored is None or len(_final(password)) > LONGEST:
        _HASHES.verify(_bytes(password[:LONGEST]), _nobodys_hash())
        return Verified(matches=False, new_hash=None)
    return Verified(*_HASHES.verify_and_update(_bytes(password), stored))


@cache
def _nobodys_hash() -> str:
    return str(_HASHES.hash("of no account"))


async def _in_thread(work: Callable[[], T]) -> T:
    try:
        return await asyncio.wait_for(asyncio.get_running_loop().run_in_executor(_HASHING, work), _PATIENCE_SECONDS)
    except TimeoutError:  # who still waits is taken out of the queue
        raise TooManySignIns from None


def _length_reason(text: str) -> tuple[str, str] | None:
    if len(text) < SHORTEST:
        return "string_too_short", f"A password has at least {SHORTEST} characters; a few words in a row do well"
    if len(text) > LONGEST:
        return "string_too_long", f"A password has at most {LONGEST} characters"
    return None


def _blocked_reason(text: str, email: str) -> tuple[str, str] | None:
    if any(word in text for word in _OURS):
        return "password_names_us", "A password must not contain the name of this service or the word Veteran"
    if any(part in text for part in _parts(email)):
        return "password_names_you", "A password must not contain a part of your e-mail address"
    if _is_common(text):
        return "password_common", "This password is among the first that guessers try, alone or repeated; take another"
    return None


def _parts(email: str) -> list[str]:
    """The words of an address, but its top-level domain; shorter ones occur in too many good passwords."""
    words = re.split(r"[\W_]+", email.rpartition(".")[0])
    return [word for word in words if len(word) >= _LEAST_PART]


def _is_common(text: str) -> bool:
    """Whether the text is a listed password or a run of the keyboard: as it is, decorated, or again and again."""
    unit, bare = _repeated(text), _AROUND.sub("", text)
    return len(unit) < _LEAST_PART or any(_is_listed(form) for form in (unit, _AROUND.sub("", unit), _repeated(bare)))


def _repeated(text: str) -> str:
    """What `text` is made of when it only repeats itself, the last time perhaps in part; else `text`."""
    return next((text[:n] for n in range(1, len(text) // 2 + 1) if (text[:n] * len(text))[: len(text)] == text), text)


def _is_listed(text: str) -> bool:
    if len(text) < _LEAST_PART:  # what is left when digits and signs are gone; there is no rule against those
        return False
    if any(text in row * 2 or text[::-1] in row * 2 for row in _ROWS):
        return True
    return b"\n%b\n" % text.encode(errors="surrogatepass") in _listed()


@cache
def _listed() -> bytes:
    """The list as one text: it is searched a few times a day, and a set of it would take ten times the memory."""
    return gzip.decompress(_LISTED.read_bytes())
