"""County spreadsheets: CSV as people keep it, with columns of any name and rows of any kind."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import BinaryIO

from vibe4vets.connectors.base import About, Page, Record, Rejection, SourceError, printable
from vibe4vets.connectors.sources.spreadsheet.columns import LOOKED_AT, Columns, find_columns
from vibe4vets.connectors.sources.spreadsheet.decoding import LONGEST_CELL, Row, read_rows
from vibe4vets.connectors.sources.spreadsheet.identity import identify
from vibe4vets.connectors.sources.spreadsheet.rows import RowReader

__all__ = ["Spreadsheet", "check_sheet"]

_PAGE = 1000


class Spreadsheet:
    """Reads a CSV file; a row that holds no resource is told with its number, as spreadsheet programs count."""

    complete = False  # a file adds and changes, it never removes

    def __init__(
        self,
        path: Path,
        about: About,
        *,
        encoding: str | None = None,
        columns: Mapping[str, str] | None = None,
    ) -> None:
        """Read `path` as records of `about`. `columns` names the field of a header where the suggestion is wrong.

        The file is UTF-8 unless `encoding` says cp1252: nothing is guessed, since a wrong guess is a wrong name.
        """
        self.about, self._path, self._encoding, self.chosen = about, path, encoding, columns or {}
        self.saved: Mapping[str, str] = {}
        """The fields of headers that somebody has named for earlier files; those that are chosen now come first."""
        self.subject = printable(path.name)
        self._total: int | None = None
        self._warnings: list[str] = []

    def total(self) -> int | None:
        """How many rows the file has, once it is open."""
        return self._total

    def warnings(self) -> list[str]:
        """How the columns were read, and what was passed over."""
        return self._warnings

    async def pages(self) -> AsyncIterator[Page]:
        """Yield a record or a rejection for every row below the header; SourceError if it is no such file."""
        items = await asyncio.to_thread(self._read)
        for start in range(0, len(items), _PAGE):
            page = items[start : start + _PAGE]
            yield Page(page, page[-1].line)

    def _read(self) -> list[Record | Rejection]:
        with self._path.open("rb") as file:
            rows = list(read_rows(file, self._encoding))
        columns = find_columns(rows, self.chosen, self.saved)
        reader = RowReader(self.about.slug, columns)
        self._total = rows[-1].number
        items = identify([reader.read(row) for row in rows if row.number > columns.row])
        self._warnings = [*_told(columns), *reader.warnings(), *_repeated(items)]
        return items


def check_sheet(
    file: BinaryIO, *, encoding: str | None, chosen: Mapping[str, str], saved: Mapping[str, str]
) -> Columns:
    """Look a whole sheet through, a row at a time, and find its columns; SourceError with the line or the row."""
    first: list[Row] = []
    too_long: int | None = None
    for row in read_rows(file, encoding):
        if len(first) < LOOKED_AT:
            first.append(row)
        if too_long is None and row.cells and max(map(len, row.cells)) > LONGEST_CELL:
            too_long = row.number  # told at the end, for its cause may be a quote that never ends
    if too_long is not None:
        message = f"Row {too_long} has a cell of more than {LONGEST_CELL // 1024} KiB: shorten it"
        raise SourceError(message)
    return find_columns(first, chosen, saved)


def _told(columns: Columns) -> list[str]:
    read = ", ".join(f"{printable(header)} = {field}" for header, field in columns.named)
    told = [f"Columns read as: {read}"]
    if columns.ignored:
        told.append(f"Columns passed over: {', '.join(map(printable, columns.ignored))}")
    return told


def _repeated(items: list[Record | Rejection]) -> list[str]:
    count = sum(isinstance(item, Rejection) and item.duplicate_of is not None for item in items)
    return [f"{count} rows repeat an earlier one (same name, street and city), and were passed over"] if count else []
