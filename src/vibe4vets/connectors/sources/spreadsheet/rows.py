"""From a row to a record, or to the reason why it is none."""

import re
from collections.abc import Iterator
from datetime import date, datetime
from typing import Final

from vibe4vets.connectors.base import Record, Rejection, excerpt
from vibe4vets.connectors.categories import FALLBACK, categories_in
from vibe4vets.connectors.sources.spreadsheet.columns import Columns
from vibe4vets.connectors.sources.spreadsheet.decoding import LONGEST_CELL, Row

_NOTHING: Final = {"-", "--", "n/a", "na", "none", "unknown", "tbd", "tba", "see website", "same", "?"}
_LETTER: Final = re.compile(r"[^\W\d_]")
_PLACE: Final = re.compile(
    r"(?P<city>.*?)[,\s]\s*(?P<state>[A-Z]{2}|(?<=,)\s*[A-Za-z. ]{4,}?|(?<=, )[A-Za-z. ]{4,}?)\.?"
    r"(?:[,\s]+(?P<zip>\d{5}(?:-\d{4})?))?"
)
_DATES: Final = ("%m/%d/%Y", "%m-%d-%Y", "%m/%d/%y", "%m-%d-%y", "%B %d, %Y", "%b %d, %Y")
_MONTHS: Final = ("%b %Y", "%B %Y", "%m/%Y")
_MOST_TOLD: Final = 10


class RowReader:
    """Reads the rows of one sheet, and remembers the kinds of help that have no known name."""

    def __init__(self, source: str, columns: Columns) -> None:
        self._source, self._columns = source, columns
        self._unknown: dict[str, None] = {}

    def warnings(self) -> list[str]:
        """Name the kinds of help that became tags."""
        if not self._unknown:
            return []
        return [f"Kinds of help that are no category, kept as tags: {', '.join(list(self._unknown)[:_MOST_TOLD])}"]

    def read(self, row: Row) -> Record | Rejection:
        """The record of a row. Its record_id is empty unless the sheet has one: the rows together decide it."""
        content = excerpt(row.cells)
        cells = {
            field: "" if (text := _cell(row, at)).lower() in _NOTHING else text
            for at, field in self._columns.field_at.items()
        }
        reason = next(self._faults(row, cells), None)
        if reason is not None:
            return Rejection(row.number, reason, content, self._source)
        return self._record(row.number, cells, content)

    def _faults(self, row: Row, cells: dict[str, str]) -> Iterator[str]:
        headers = self._columns.headers
        if not row.filled:
            yield "row: empty"
        if any(cell.strip() for cell in row.cells[len(headers) :]):
            yield f"row: {len(row.cells)} cells under {len(headers)} headers; quote a cell that holds the separator"
        repeated = sum(
            " ".join(cell.split()) == header for cell, header in zip(row.cells, headers, strict=False) if cell
        )
        if repeated * 2 > row.filled:
            yield "row: the header once more"
        if row.filled == 1:
            yield "row: a single cell, so a heading, a total or a note, and no resource"
        if any(cell.lstrip().startswith("=") for cell in row.cells):
            yield "row: a formula; write its result"
        if max(map(len, row.cells)) > LONGEST_CELL:
            yield f"row: a cell of more than {LONGEST_CELL // 1024} KiB"
        if not cells["title"]:
            yield "title: missing"
        if not _LETTER.search(cells["title"]):
            yield "title: has no letter; are the cells of this row shifted?"

    def _record(self, number: int, cells: dict[str, str], content: str) -> Record:
        kinds = [kind.strip() for kind in re.split(r"[;/,|]", cells.get("categories", "")) if kind.strip()]
        unknown = [kind for kind in kinds if not categories_in([kind])]
        self._unknown |= dict.fromkeys(unknown)
        city, state, postal_code = _place(cells)
        return Record(
            line=number,
            source=self._source,
            record_id=cells.get("record_id", ""),
            title=cells["title"],
            organization=cells.get("organization") or cells["title"],
            scope="local",
            categories=categories_in(kinds) or (FALLBACK,),
            description=cells.get("description", ""),
            how_to_apply=cells.get("how_to_apply"),
            cost=cells.get("cost"),
            tags=tuple(unknown),
            eligibility=tuple(text.strip() for text in cells.get("eligibility", "").split(";") if text.strip()),
            languages=tuple(code for code in re.split(r"[;/,\s]+", cells.get("languages", "")) if code),
            states=(state,) if state else (),
            phone=cells.get("phone"),
            email=cells.get("email"),
            website=_website(cells.get("website", "")),
            hours=cells.get("hours"),
            street=cells.get("street"),
            city=city,
            county=cells.get("county"),
            state=state,
            postal_code=postal_code,
            latitude=_number(cells.get("latitude", "")),
            longitude=_number(cells.get("longitude", "")),
            as_of=_day(cells.get("as_of", "")),
            content=content,
        )


def _cell(row: Row, at: int) -> str:
    return " ".join(row.cells[at].split()) if at < len(row.cells) else ""


def _place(cells: dict[str, str]) -> tuple[str | None, str | None, str | None]:
    """City, state and ZIP: "Hamilton, OH 45011", "Springfield OH" or columns of their own, which win."""
    match = _PLACE.fullmatch(cells.get("place", "")[:300])
    together = match.group("city", "state", "zip") if match else (cells.get("place"), None, None)
    apart = (cells.get("city"), cells.get("state"), cells.get("zip"))
    city, state, postal_code = (
        own or (part or "").strip(" ,") or None for own, part in zip(apart, together, strict=True)
    )
    return city, state, postal_code


def _website(text: str) -> str | None:
    """An address without its scheme is a web address all the same; a word is left for its owner to correct."""
    if not text:
        return None
    return text if "://" in text or " " in text or "." not in text else f"https://{text}"


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _day(text: str) -> str | None:
    """A date as offices write it, month first, in the spelling of record files; others as they are."""
    for spelling in _DATES:
        if (day := _parse(text, spelling)) is not None:
            return day.isoformat()
    for spelling in _MONTHS:
        if (day := _parse(text, spelling)) is not None:
            return f"{day:%Y-%m}"
    return text or None


def _parse(text: str, spelling: str) -> date | None:
    try:
        return datetime.strptime(text, spelling).date()  # noqa: DTZ007  a day has no time zone
    except ValueError:
        return None
