"""Percent-encoding, read strictly: in the address and in forms."""

import re
from urllib.parse import unquote_to_bytes

_BROKEN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")


def is_strict_utf8(raw: bytes) -> bool:
    """Whether `raw` is ASCII whose percent escapes are whole and spell valid UTF-8."""
    if not raw.isascii():
        return False
    if b"%" not in raw:
        return True
    if _BROKEN_ESCAPE.search(raw):
        return False
    try:
        unquote_to_bytes(raw).decode()
    except UnicodeDecodeError:
        return False
    return True
