"""VA facilities: health, benefits, cemeteries and Vet Centers, from the VA Lighthouse Facilities API v1."""

from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import count
from typing import Any, Final

from pydantic import SecretStr, ValidationError

from vibe4vets.connectors.base import About, Fetcher, Page, Record, Rejection, SourceError, excerpt, reasons
from vibe4vets.connectors.sources.va_facilities.answers import Facility
from vibe4vets.connectors.sources.va_facilities.facility import record_of

ABOUT: Final = About(
    slug="va_facilities",
    name="VA facilities",
    publisher="U.S. Department of Veterans Affairs",
    tier=1,
    licence="US Government work (public domain)",
    url="https://www.va.gov/",
    schedule=timedelta(days=1),
)
BASE_URL: Final = "https://api.va.gov/services/va_facilities/v1"
_PER_PAGE: Final = 1000


class VAFacilities:
    """Reads every facility, page by page; a count that does not come out is an incomplete reading."""

    about = ABOUT
    complete = True

    def __init__(self, fetcher: Fetcher, key: SecretStr, base_url: str = BASE_URL) -> None:
        self._fetcher, self._key, self._base_url = fetcher, key, base_url.rstrip("/")
        self._total: int | None = None
        self._begin = (1, 0)
        self.subject = self._base_url

    def total(self) -> int | None:
        """How many facilities the API says it has, once it has been asked."""
        return self._total

    def warnings(self) -> list[str]:
        """Nothing: what is odd about a facility stands in its description."""
        return []

    def resume(self, checkpoint: str) -> None:
        """Begin with the page after the one that had this checkpoint; the API must still say the same total."""
        number, done, self._total = map(int, checkpoint.split())
        self._begin = (number, done)

    async def pages(self) -> AsyncIterator[Page]:
        """Yield the facilities; SourceError when the API has another number of them than it says."""
        first, done = self._begin
        for number in count(first):
            found, last = await self._page(number)
            items = [_item(done + place, facility) for place, facility in enumerate(found, start=1)]
            done += len(items)
            yield Page(items, done, checkpoint=None if number >= last else f"{number + 1} {done} {self._total}")
            if number >= last or not items:
                break
        if done != self._total or not done:
            message = f"{ABOUT.name}: {done:,} of {self._total or 0:,} facilities came; nothing is concluded from that"
            raise SourceError(message)

    async def _page(self, number: int) -> tuple[list[Any], int]:
        answer = await self._fetcher.get(
            f"{self._base_url}/facilities?page={number}&per_page={_PER_PAGE}",
            accept=["application/json"],
            secrets={"apikey": self._key},
        )
        try:
            document = answer.json()
            pagination = document["meta"]["pagination"]
            current, last, total = (int(pagination[key]) for key in ("currentPage", "totalPages", "totalEntries"))
            found = document["data"]
        except (KeyError, TypeError, ValueError):
            message = f"{ABOUT.name}: page {number} is not a page of the Facilities API v1"
            raise SourceError(message) from None
        # what it does not know, the API passes over in silence: asked for page 2 it could answer with page 1
        if current != number or not isinstance(found, list) or self._total not in {None, total}:
            message = f"{ABOUT.name}: page {number} does not go with the pages before it; run it again"
            raise SourceError(message)
        self._total = total
        return found, last


def _item(line: int, found: Any) -> Record | Rejection:  # noqa: ANN401  JSON is anything
    content = excerpt(found)
    try:
        facility = Facility.model_validate(found)
    except ValidationError as error:
        known = found.get("id") if isinstance(found, dict) else None
        return Rejection(line, reasons(error), content, ABOUT.slug, known if isinstance(known, str) else None)
    return record_of(line, ABOUT.slug, facility, content)
