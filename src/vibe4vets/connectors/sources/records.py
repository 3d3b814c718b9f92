"""The record file: one JSON object a line, as `docs/record-file.md` describes it."""

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Final

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, SecretStr, ValidationError

from vibe4vets.connectors.base import (
    About,
    Fetcher,
    Page,
    Record,
    Rejection,
    SourceError,
    Unmodified,
    Version,
    printable,
    reasons,
)

LONGEST_LINE_BYTES = 1024 * 1024
# a page of HTML is somebody's sign-in; simple servers know no name for lines of JSON
_MEDIA_TYPES: Final = [
    "application/x-ndjson", "application/ndjson", "application/jsonl", "application/json", "application/octet-stream",
    "text/plain",
]  # fmt: skip
_PAGE = 1000
_Words = Annotated[tuple[str, ...], Field(max_length=200)]


class _Address(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")

    street: str | None = None
    city: str | None = None
    state: str | None = None
    zip: str | None = None


class _Line(BaseModel):
    """One line; strict, so that a number is no text and `true` no number."""

    model_config = ConfigDict(strict=True, extra="ignore", hide_input_in_errors=True)

    source: str
    source_record_id: str
    title: str
    organization: str
    scope: str
    categories: _Words
    description: str | None = None
    subcategories: _Words = ()
    tags: _Words = ()
    eligibility: _Words = ()
    phone: str | None = None
    email: str | None = None
    website: str | None = None
    hours: str | None = None
    address: _Address | None = None
    county: str | None = None
    latitude: FiniteFloat | None = None
    longitude: FiniteFloat | None = None
    states_served: _Words = ()
    languages: _Words = ()
    as_of: str | None = None
    provenance: str | None = None


class RecordFile:
    """Reads a record file from disk; a line that is not a record is told and passed over."""

    about = About("records", "Record files", None, tier=4)
    complete = False

    def __init__(self, path: Path, source: str | None = None) -> None:
        """Read `path`; lines that name no source are of `source`."""
        self._path, self._lines = path, _Lines(source)
        self.subject = printable(path.name)

    def total(self) -> int | None:
        """How many lines the file has."""
        with self._path.open("rb") as file:
            return _count_lines(file)

    async def pages(self) -> AsyncIterator[Page]:
        """Yield a record or a rejection for every line that is not blank."""
        with self._path.open("rb") as file:
            for page in self._lines.pages(file):
                yield page

    def warnings(self) -> list[str]:
        """Name the keys that were ignored."""
        return self._lines.warnings()


class RecordFeed:
    """Reads a record file from its publisher's server, whole: it has all that the publisher has, and only that."""

    complete = True

    def __init__(
        self,
        fetcher: Fetcher,
        url: str,
        about: About,
        *,
        secrets: Mapping[str, SecretStr] | None = None,
        known: Version | None = None,
    ) -> None:
        """Read `url`, unless its version is still the `known` one."""
        self.about, self._fetcher, self._url, self._secrets = about, fetcher, url, secrets
        self._known = known
        self._lines = _Lines(about.slug, is_alone=True)
        self._total: int | None = None
        self.subject = printable(url)
        self.version: Version | None = None
        """What was read, once it has been."""

    def total(self) -> int | None:
        """How many lines the file has, once it has come."""
        return self._total

    async def pages(self) -> AsyncIterator[Page]:
        """Yield a record or a rejection for every line; raise Unmodified, or SourceError unless the file is whole."""
        known = self._known.validators if self._known else None
        answer = await self._fetcher.get(self._url, accept=_MEDIA_TYPES, secrets=self._secrets, known=known)
        version = Version(answer.validators, answer.receipt.sha256)
        if answer.is_unmodified or (self._known and version.sha256 and version.sha256 == self._known.sha256):
            raise Unmodified
        self._require_whole(answer.body)
        self._total = _count_lines(BytesIO(answer.body))
        for page in self._lines.pages(BytesIO(answer.body)):
            yield page
        self.version = version

    def warnings(self) -> list[str]:
        """Name the keys that were ignored."""
        return self._lines.warnings()

    def _require_whole(self, body: bytes) -> None:
        """A file that ends within a record was cut off where its publisher writes it, which no server notices."""
        if not body.strip():
            message = f"{self.about.name}: the file is empty; nothing is concluded from that"
            raise SourceError(message)
        try:
            json.loads("{}" if body.endswith(b"\n") else body[body.rfind(b"\n") + 1 :])
        except (ValueError, RecursionError):
            message = f"{self.about.name}: the file ends within a record; nothing is concluded from that"
            raise SourceError(message) from None


def _count_lines(file: BinaryIO) -> int | None:
    return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b"")) or None


class _Lines:
    """Reads lines, whatever they come from."""

    def __init__(self, source: str | None, *, is_alone: bool = False) -> None:
        """Lines that name no source are of `source`; when it is alone, no line may name another."""
        self._source, self._is_alone = source, is_alone
        self._unknown: set[str] = set()

    def pages(self, file: BinaryIO) -> Iterator[Page]:
        """Yield a record or a rejection for every line that is not blank."""
        items: list[Record | Rejection] = []
        number = 0
        for number, item in enumerate(self._items(file), start=1):
            if item is not None:
                items.append(item)
            if len(items) == _PAGE:
                yield Page(items, number)
                items = []
        yield Page(items, number)

    def _items(self, file: BinaryIO) -> Iterator[Record | Rejection | None]:
        """Yield what each line holds; nothing for a blank one."""
        for number in count(1):
            raw = file.readline(LONGEST_LINE_BYTES)
            if not raw:
                return
            if len(raw) == LONGEST_LINE_BYTES and not raw.endswith(b"\n"):
                while (rest := file.readline(LONGEST_LINE_BYTES)) and not rest.endswith(b"\n"):
                    pass
                yield Rejection(number, "line: longer than 1 MiB", raw[:1000].decode(errors="replace"))
            else:
                yield self._parse(number, raw) if raw.strip() else None

    def warnings(self) -> list[str]:
        """Name the keys that were ignored."""
        if not self._unknown:
            return []
        return [f"Ignored keys that a record does not have: {', '.join(sorted(self._unknown)[:20])}"]

    def _parse(self, number: int, raw: bytes) -> Record | Rejection:
        try:
            text = raw.decode().strip()
        except UnicodeDecodeError:
            return Rejection(number, "line: not UTF-8; save the file as UTF-8", raw.decode(errors="replace"))
        try:
            found = json.loads(text, object_pairs_hook=_once, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            return Rejection(number, f"line: not a JSON object ({_brief(error)})", text)
        if not isinstance(found, dict):
            return Rejection(number, "line: not a JSON object", text)
        if self._source is not None:
            found.setdefault("source", self._source)
        if self._is_alone and found["source"] != self._source:
            reason = f"source: this feed is of {self._source}, and speaks for no other source"
            return Rejection(number, reason, text, self._source, _text(found, "source_record_id"))
        self._unknown.update(found.keys() - _Line.model_fields.keys())
        try:
            line = _Line.model_validate(_with_tuples(found))
        except ValidationError as error:
            return Rejection(number, reasons(error), text, _text(found, "source"), _text(found, "source_record_id"))
        return _record(number, line, text)


def _record(number: int, line: _Line, text: str) -> Record:
    address = line.address or _Address()
    return Record(
        line=number,
        source=line.source,
        record_id=line.source_record_id,
        title=line.title,
        organization=line.organization,
        scope=line.scope,
        categories=line.categories,
        description=line.description or "",
        tags=line.subcategories + line.tags,
        eligibility=line.eligibility,
        languages=line.languages,
        states=line.states_served,
        phone=line.phone,
        email=line.email,
        website=line.website,
        hours=line.hours,
        street=address.street,
        city=address.city,
        county=line.county,
        state=address.state,
        postal_code=address.zip,
        latitude=line.latitude,
        longitude=line.longitude,
        as_of=line.as_of,
        provenance=line.provenance,
        content=text,
    )


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        message = "a key stands twice"
        raise ValueError(message)
    return found


def _refuse_constant(name: str) -> None:
    message = f"{name} is no JSON number"
    raise ValueError(message)


def _brief(error: Exception) -> str:
    return error.msg if isinstance(error, json.JSONDecodeError) else str(error)[:100]


def _with_tuples(found: dict[str, Any]) -> dict[str, Any]:
    """JSON has lists where the record has tuples, which strict validation keeps apart; null is an empty one."""
    return {
        key: tuple(value) if isinstance(value, list) else value for key, value in found.items() if value is not None
    }


def _text(found: dict[str, Any], key: str) -> str | None:
    value = found.get(key)
    return value if isinstance(value, str) else None
