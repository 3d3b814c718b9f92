"""Answers kept and sent as JSON text."""

import hashlib
from collections.abc import Iterable


def json_array(documents: Iterable[str]) -> str:
    """One JSON array of what is JSON already: the way a whole set of rows travels as one parameter."""
    return f"[{','.join(documents)}]"


def etag_of(body: str | bytes) -> str:
    """A strong entity tag (RFC 9110 8.8.3): equal for equal bytes."""
    content = body.encode() if isinstance(body, str) else body
    return f'"{hashlib.sha256(content).hexdigest()[:22]}"'
