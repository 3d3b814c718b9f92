"""Random tokens, keyed hashes, keys for one purpose each: the little cryptography that every domain shares."""

import hmac
import secrets

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

LEAST_KEY_BYTES = 32
TOKEN_CHARACTERS = 43
"""How many characters of `ALPHABET` hold 256 bits."""
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
"""A double click selects a token of these as a whole."""


class ShortKeyError(ValueError):
    """A key that can be guessed: fewer than 32 bytes (RFC 8725 3.5)."""

    def __init__(self, where: str = "A key") -> None:
        super().__init__(f"{where} has fewer than {LEAST_KEY_BYTES} bytes; make a longer one.")


def new_token(prefix: str = "") -> str:
    """A random token of 256 bits behind `prefix`, which says what it opens."""
    return prefix + random_text(TOKEN_CHARACTERS)


def random_text(length: int) -> str:
    """Random letters and digits, 5.95 bits each."""
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def derive_key(key: bytes, purpose: str) -> bytes:
    """A key of 32 bytes for one `purpose`: none can be used for, or computed from, that of another.

    Raises ShortKeyError when `key` has less than it takes to be one.
    """
    if len(key) < LEAST_KEY_BYTES:
        raise ShortKeyError
    return HKDF(SHA256(), length=32, salt=None, info=f"vibe4vets {purpose}".encode()).derive(key)


def token_hash(key: bytes, purpose: str, token: str) -> bytes:
    """What is stored of a token: of no use to a thief of the database alone, for `key` is not in it."""
    return hmac.digest(derive_key(key, purpose), token.encode(errors="surrogatepass"), "sha256")


def same(given: bytes | str, kept: bytes | str) -> bool:
    """Whether two secrets are equal, in a time that does not tell how much of them is."""
    return hmac.compare_digest(_bytes(given), _bytes(kept))


def _bytes(text: bytes | str) -> bytes:
    return text if isinstance(text, bytes) else text.encode(errors="surrogatepass")
