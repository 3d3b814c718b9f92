"""What a source yields: plain records, or the reason why a line is none. Fetching and parsing only."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Record:
    """One resource as its publisher writes it; identity is (source, record_id). Nothing is normalised yet."""

    line: int
    source: str
    record_id: str
    title: str
    organization: str
    scope: str
    categories: tuple[str, ...]
    description: str = ""
    tags: tuple[str, ...] = ()
    eligibility: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    phone: str | None = None
    email: str | None = None
    website: str | None = None
    hours: str | None = None
    street: str | None = None
    city: str | None = None
    county: str | None = None
    state: str | None = None
    postal_code: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    as_of: str | None = None
    provenance: str | None = None
    content: str = ""
    """The text it was read from, for the quarantine."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """A line that holds no usable record, and why, in words for whoever corrects it."""

    line: int
    reason: str
    content: str
    source: str | None = None
    record_id: str | None = None


class Source(Protocol):
    """A place that records come from."""

    name: str
    """What this source is called in a run: `records`, `va_facilities`."""
    subject: str
    """What exactly is read: a file's name, an address."""

    def total(self) -> int | None:
        """How many lines or records there are, when that is known before reading."""

    def read(self) -> AsyncIterator[Record | Rejection]:
        """Yield every record and every line that is none, in order."""

    def warnings(self) -> list[str]:
        """What was odd about the whole, once it has been read."""
