"""What comes back."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from vibe4vets.core.fetch.exceptions import ContentRefused


@dataclass(frozen=True, slots=True)
class Validators:
    """What a publisher said of the version that it sent last; a later request carries it back."""

    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """All of an answer that may be stored (row F8)."""

    status: int
    url: str
    sha256: str | None


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer with its body, or "not modified" (304) without one."""

    status: int
    url: str
    """Where it came from in the end."""
    validators: Validators
    body: bytes

    @property
    def is_unmodified(self) -> bool:
        """Whether the version that the validators name is still the newest."""
        return self.status == 304  # noqa: PLR2004

    @property
    def receipt(self) -> Receipt:
        """Status, final URL and hash."""
        return Receipt(self.status, self.url, hashlib.sha256(self.body).hexdigest() if self.body else None)

    def json(self) -> Any:  # noqa: ANN401  JSON is anything
        """The body as JSON; ContentRefused when it is cut off or nested too deep.

        A NaN stays one: it is one bad record, which its source refuses (row F9), and no reason to lose the others.
        """
        try:
            return json.loads(self.body.decode("utf-8-sig"))
        except (ValueError, RecursionError):
            message = "the answer is not JSON, or was cut off"
            raise ContentRefused(message) from None
