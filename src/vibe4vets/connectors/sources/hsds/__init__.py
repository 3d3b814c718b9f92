"""HSDS 3.x, the standard of human services directories: an API or a file, one instance per publisher."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any, Final, TypeAlias
from urllib.parse import quote, urlencode

from pydantic import SecretStr, ValidationError

from vibe4vets.connectors.base import (
    About,
    Fetcher,
    Page,
    Record,
    Rejection,
    SourceError,
    excerpt,
    printable,
    reasons,
)
from vibe4vets.connectors.sources.hsds.answers import Service
from vibe4vets.connectors.sources.hsds.service import record_of

__all__ = ["Endpoint", "HSDSFeed", "HSDSFile"]

_Item: TypeAlias = Record | Rejection

_PER_PAGE: Final = 100
_MOST_BYTES: Final = 100 * 1024 * 1024
_GONE: Final = {"inactive", "defunct"}
_NESTED: Final = {"service_at_locations", "phones", "schedules", "attributes", "service_areas"}
_NDJSON: Final = ["application/x-ndjson", "application/ndjson", "application/jsonl", "application/json"]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where an API is, and how to ask it."""

    base_url: str
    """What `/services` is appended to."""
    secrets: Mapping[str, SecretStr] | None = None
    modified_after: datetime | None = None
    """Only what has changed since: such a reading tells nothing of what has vanished."""
    stream: bool = False
    """Whether it can send everything at once (format=ndjson)."""


class _Services:
    """Turns services into records, and counts those that their publisher no longer offers."""

    def __init__(self, about: About) -> None:
        self._about = about
        self.gone = 0

    def warnings(self) -> list[str]:
        """How many services were passed over."""
        return [f"{self.gone:,} services are inactive or defunct at their publisher"] if self.gone else []

    def items(self, found: Iterable[tuple[int, Any]]) -> list[_Item]:
        """A record or a rejection for every numbered service but those that are gone."""
        read = (self._item(line, service) for line, service in found)
        return [item for item in read if item is not None]

    def _item(self, line: int, found: Any) -> _Item | None:  # noqa: ANN401  JSON is anything
        content = excerpt(found)
        try:
            service = Service.model_validate(found)
        except ValidationError as error:
            known = found.get("id") if isinstance(found, dict) else None
            return Rejection(line, reasons(error), content, self._about.slug, known if isinstance(known, str) else None)
        if service.status in _GONE:
            self.gone += 1
            return None
        return record_of(line, self._about.slug, service, content)


class HSDSFeed:
    """Reads the services of an API, by pages or as one stream."""

    def __init__(self, fetcher: Fetcher, endpoint: Endpoint, about: About) -> None:
        self.about, self._fetcher, self._endpoint = about, fetcher, endpoint
        since = endpoint.modified_after
        self._since = {"modified_after": since.isoformat()} if since else {}
        self._services = _Services(about)
        self._total: int | None = None
        self._begin = (1, 0)
        self.subject = printable(endpoint.base_url)
        self.complete = since is None

    def total(self) -> int | None:
        """How many services the API says it has, once it has been asked."""
        return self._total

    def warnings(self) -> list[str]:
        """How many services were passed over."""
        return self._services.warnings()

    def resume(self, checkpoint: str) -> None:
        """Begin with the page after the one that had this checkpoint; the API must still say the same total."""
        number, done, self._total, self._services.gone = map(int, checkpoint.split())
        self._begin = (number, done)

    async def pages(self) -> AsyncIterator[Page]:
        """Yield the services; SourceError when the API has another number of them than it says."""
        if self._endpoint.stream:
            yield await self._everything()
            return
        first, done = self._begin
        for number in count(first):
            found, last = await self._page(number)
            items = self._services.items(enumerate([await self._whole(one) for one in found], start=done + 1))
            done += len(found)
            where = f"{number + 1} {done} {self._total} {self._services.gone}"
            yield Page(items, done, checkpoint=None if number >= last else where)
            if number >= last or not found:
                break
        if done != self._total or (self.complete and not done):
            came = f"{done:,} of {self._total or 0:,} services"
            message = f"{self.about.name}: {came} came; nothing is concluded from that"
            raise SourceError(message)

    async def _everything(self) -> Page:
        query = urlencode({"format": "ndjson", "full": "true", **self._since})
        url = f"{self._endpoint.base_url}/services?{query}"
        answer = await self._fetcher.get(url, accept=_NDJSON, secrets=self._endpoint.secrets)
        try:
            found = _numbered(answer.body.decode("utf-8-sig")) if answer.body.strip() else []
        except (ValueError, RecursionError):
            found = []
        if not found and (self.complete or answer.body.strip()):
            message = f"{self.about.name}: the stream is empty, was cut off or is not one JSON object a line"
            raise SourceError(message)
        self._total = len(found)
        return Page(self._services.items(found), self._total)

    async def _page(self, number: int) -> tuple[list[Any], int]:
        query = urlencode({"page": number, "per_page": _PER_PAGE, "full": "true", **self._since})
        document = await self._ask(f"/services?{query}")
        try:
            current, last, total = (int(document[key]) for key in ("page_number", "total_pages", "total_items"))
            found = document["contents"]
        except (KeyError, TypeError, ValueError):
            message = f"{self.about.name}: page {number} is not a page of HSDS 3.x services"
            raise SourceError(message) from None
        if (current != number and total) or not isinstance(found, list) or self._total not in {None, total}:
            message = f"{self.about.name}: page {number} does not go with the pages before it; run it again"
            raise SourceError(message)
        self._total = total
        return found, last

    async def _whole(self, service: Any) -> Any:  # noqa: ANN401  JSON is anything
        """The service with its parts: in a list the standard asks for no more than its own fields."""
        if not isinstance(service, dict) or service.keys() & _NESTED or not isinstance(service.get("id"), str):
            return service
        return await self._ask(f"/services/{quote(service['id'], safe='')}")

    async def _ask(self, path: str) -> Any:  # noqa: ANN401  JSON is anything
        answer = await self._fetcher.get(
            self._endpoint.base_url + path, accept=["application/json"], secrets=self._endpoint.secrets
        )
        return answer.json()


class HSDSFile:
    """Reads a file of services: an array, a page of an API, or one a line."""

    complete = False  # a file adds and changes, it never removes

    def __init__(self, path: Path, about: About) -> None:
        self.about, self._path = about, path
        self._services = _Services(about)
        self._total: int | None = None
        self.subject = printable(path.name)

    def total(self) -> int | None:
        """How many services the file has, once it is open."""
        return self._total

    def warnings(self) -> list[str]:
        """How many services were passed over."""
        return self._services.warnings()

    async def pages(self) -> AsyncIterator[Page]:
        """Yield the services; SourceError when the file is none of HSDS."""
        found = await asyncio.to_thread(self._read)
        self._total = len(found)
        for start in range(0, len(found), _PER_PAGE):
            page = found[start : start + _PER_PAGE]
            yield Page(self._services.items(page), start + len(page))

    def _read(self) -> list[tuple[int, Any]]:
        with self._path.open("rb") as file:
            raw = file.read(_MOST_BYTES + 1)
        if len(raw) > _MOST_BYTES:
            message = f"The file is larger than {_MOST_BYTES // 2**20} MiB: split it"
            raise SourceError(message)
        try:
            return _numbered(raw.decode("utf-8-sig"))
        except (ValueError, RecursionError):
            message = "The file is not JSON in UTF-8: give an HSDS 3.x list of services, or one service a line"
            raise SourceError(message) from None


def _numbered(text: str) -> list[tuple[int, Any]]:
    """Every service with its place from 1: its line where there is one a line, else its place in the list."""
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        if error.msg != "Extra data":
            raise
        lines = enumerate(text.split("\n"), start=1)
        return [(number, json.loads(line)) for number, line in lines if line.strip()]
    if isinstance(document, dict):
        document = document.get("contents", [document])
    if not isinstance(document, list):
        message = "not a list"
        raise ValueError(message)  # noqa: TRY004  told like every other file that is none
    return list(enumerate(document, start=1))
