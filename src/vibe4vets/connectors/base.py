"""What a source is, and what it yields: plain records, or the reason why a line is none. Fetching and parsing only.

A source touches neither the database nor the rest of the service: `connectors/service` runs it. One that reads the
network is given the fetcher, and has no other way out.
"""

import json
import unicodedata
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol, runtime_checkable

from pydantic import ValidationError

from vibe4vets.core.fetch import Answer, Fetcher, FetchError, Validators

__all__ = [
    "About",
    "Answer",
    "FetchError",
    "Fetcher",
    "OtherKindError",
    "Page",
    "Place",
    "Record",
    "Rejection",
    "Resumable",
    "Source",
    "SourceError",
    "Unmodified",
    "Validators",
    "Version",
    "Versioned",
    "excerpt",
    "printable",
    "reasons",
]


class SourceError(Exception):
    """A source that cannot be read, or not to its end. The message tells its owner or operator what to do."""


class Unmodified(Exception):
    """The publisher has nothing newer than the version that the reading began with: everything is as it was."""


@dataclass(frozen=True, slots=True)
class Version:
    """Which version of a publisher's file was read: a later reading that names it learns cheaply that it is the newest.

    To be kept once the reading has been applied and not before, or what a failed run did not apply is never read again.
    """

    validators: Validators
    sha256: str | None


class OtherKindError(SourceError):
    """A file of another kind than can be read at all, whatever is in it."""


@dataclass(frozen=True, slots=True)
class About:
    """What is known of a source before it is read."""

    slug: str
    """The source that its records belong to, and the name of the connector."""
    name: str
    publisher: str | None
    """Who has to be named beside the facts."""
    tier: int
    """How far to rely on it: 1 federal or official, 2 national Veterans organization, 3 state agency, 4 community."""
    licence: str | None = None
    url: str | None = None
    schedule: timedelta | None = None
    """How often to read it; None for what only a person starts, such as the import of a file."""


@dataclass(frozen=True, slots=True)
class Place:
    """A further place where the same help is offered, as the publisher writes it."""

    name: str | None = None
    street: str | None = None
    city: str | None = None
    county: str | None = None
    state: str | None = None
    postal_code: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    time_zone: str | None = None
    """An IANA name, where the publisher gives one."""


@dataclass(frozen=True, slots=True)
class Record:
    """One resource as its publisher writes it; identity is (source, record_id). Nothing is normalised yet."""

    line: int
    """Where it stands in what was read, from 1: no two items of a reading share it."""
    source: str
    record_id: str
    title: str
    organization: str
    scope: str
    categories: tuple[str, ...]
    summary: str | None = None
    """What a person has to know first, such as "Closed for repairs"."""
    description: str = ""
    how_to_apply: str | None = None
    cost: str | None = None
    tags: tuple[str, ...] = ()
    eligibility: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    """States that it serves; any other text is an error of the publisher's."""
    areas: tuple[str, ...] = ()
    """Areas that it serves, by any name; those that are states count as such."""
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
    time_zone: str | None = None
    place_name: str | None = None
    other_places: tuple[Place, ...] = ()
    as_of: str | None = None
    source_url: str | None = None
    provenance: str | None = None
    content: str = ""
    """The text it was read from, for the quarantine."""

    @property
    def places(self) -> tuple[Place, ...]:
        """Every place, the first one first; one without a single fact is none."""
        first = Place(
            self.place_name,
            self.street,
            self.city,
            self.county,
            self.state,
            self.postal_code,
            self.latitude,
            self.longitude,
            self.time_zone,
        )
        return tuple(place for place in (first, *self.other_places) if place != Place(time_zone=place.time_zone))


@dataclass(frozen=True, slots=True)
class Rejection:
    """A line that holds no usable record, and why, in words for whoever corrects it."""

    line: int
    reason: str
    content: str
    source: str | None = None
    record_id: str | None = None
    duplicate_of: int | None = None
    """The line that says the same, where that is the reason."""


@dataclass(frozen=True, slots=True)
class Page:
    """What one step of reading yields: a page of an API, a stretch of a file."""

    items: Sequence[Record | Rejection]
    done: int
    """How many lines or records have been read so far, for the progress."""
    checkpoint: str | None = None
    """Where a later reading could go on; None where it has to begin anew."""


class Source(Protocol):
    """A place that records come from: one instance is one reading."""

    about: About
    subject: str
    """What exactly is read: a file's name, an address. Never a path, never a key."""
    complete: bool
    """Whether a reading to the end holds all that the publisher has, so that a record which is missing has vanished."""

    def total(self) -> int | None:
        """How many lines or records there are, as far as that is known now."""

    def pages(self) -> AsyncIterator[Page]:
        """Yield every record and every line that is none, in order.

        Ends only when all has been read: what stops it before is a SourceError or a FetchError, so that an
        incomplete reading is never mistaken for a publisher that has less than before.
        """

    def warnings(self) -> list[str]:
        """What was odd about the whole, once it has been read."""


@runtime_checkable
class Versioned(Protocol):
    """A source that knows, once it has been read, which version that was; asked for the same again it is Unmodified."""

    version: Version | None


@runtime_checkable
class Resumable(Source, Protocol):
    """A source whose checkpoints another reading can go on from."""

    def resume(self, checkpoint: str) -> None:
        """Let `pages` begin where a page had this checkpoint; lines and `done` go on as if it had not stopped.

        What no longer goes with the pages before it is a SourceError, and the reading then begins anew.
        """


def reasons(error: ValidationError) -> str:
    """Every broken rule as `field: rule`, without the rejected values."""
    return "; ".join(
        f"{'.'.join(map(str, problem['loc'])) or 'record'}: {problem['msg'].removeprefix('Value error, ')}"
        for problem in error.errors(include_url=False, include_context=False, include_input=False)[:20]
    )[:2000]


def excerpt(found: object) -> str:
    """What was read, as text for the quarantine."""
    return json.dumps(found, ensure_ascii=False)[:10_000]


def printable(text: str) -> str:
    """A name from outside, fit for a terminal, a log and a header: no control, no direction change (row G6)."""
    kept = (character for character in text if unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co", "Cn"})
    return "".join(kept).strip()[:200] or "unnamed"
