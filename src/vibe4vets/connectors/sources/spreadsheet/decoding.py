"""From bytes to rows of cells: one encoding, one separator, no unfinished quote (rows G1 to G3)."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from vibe4vets.connectors.base import SourceError

MOST_BYTES: Final = 10 * 1024 * 1024
MOST_ROWS: Final = 50_000
MOST_COLUMNS: Final = 64
LONGEST_CELL: Final = 32 * 1024
ENCODINGS: Final = ("utf-8", "cp1252")
_SEPARATORS: Final = ",;\t|"
_SAVE_AS: Final = "save it as “CSV UTF-8” and import that"
_OTHER_KINDS: Final = {
    b"PK\x03\x04": "an Excel workbook or another zip archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"%PDF": "a PDF",
    b"\xff\xfe": "UTF-16 (“Unicode text”)",
    b"\xfe\xff": "UTF-16 (“Unicode text”)",
}


@dataclass(frozen=True, slots=True)
class Row:
    """A row with its number as spreadsheet programs count, from 1 for the first."""

    number: int
    cells: list[str]

    @property
    def filled(self) -> int:
        """How many cells hold something."""
        return sum(bool(cell.strip()) for cell in self.cells)


def decode(path: Path, encoding: str | None) -> str:
    """The text of a file; SourceError with advice when it is another kind of file or another encoding."""
    with path.open("rb") as file:
        raw = file.read(MOST_BYTES + 1)
    if len(raw) > MOST_BYTES:
        message = f"The file is larger than {MOST_BYTES // 2**20} MiB: split it"
        raise SourceError(message)
    for beginning, kind in _OTHER_KINDS.items():
        if raw.startswith(beginning):
            message = f"The file is {kind}, not CSV: {_SAVE_AS}"
            raise SourceError(message)
    if (at := raw.find(b"\0")) >= 0:
        message = f"Line {_line_of(raw, at)} holds a NUL character, so the file is damaged or is UTF-16: {_SAVE_AS}"
        raise SourceError(message)
    return _as_cp1252(raw) if encoding == "cp1252" else _as_utf8(raw)


def _as_utf8(raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = _line_of(raw, error.start)
    try:
        raw.decode("cp1252")
    except UnicodeDecodeError:
        message = f"Line {line} is not UTF-8: {_SAVE_AS}"
        raise SourceError(message) from None
    message = (
        f"Line {line} is not UTF-8; the file looks like Windows-1252, as older spreadsheet programs save: {_SAVE_AS},"
        " or import this one with --encoding cp1252 and look whether accents and dashes come out right"
    )
    raise SourceError(message)


def _as_cp1252(raw: bytes) -> str:
    if not raw.isascii():
        try:
            raw.decode("utf-8-sig")
        except UnicodeDecodeError:
            pass
        else:
            message = "The file is UTF-8, not Windows-1252: leave out --encoding"
            raise SourceError(message)
    try:
        return raw.decode("cp1252")
    except UnicodeDecodeError as error:
        message = f"Line {_line_of(raw, error.start)} is not Windows-1252 either: {_SAVE_AS}"
        raise SourceError(message) from None


def _line_of(raw: bytes, at: int) -> int:
    return len((raw[:at] + b".").splitlines())


def read_rows(text: str) -> list[Row]:
    """Every row, the empty ones at the end left out; line ends may be LF, CRLF or CR."""
    rows: list[Row] = []
    for number, cells in enumerate(_cells(text), start=1):
        if len(cells) > MOST_COLUMNS:
            message = f"Row {number} has more than {MOST_COLUMNS} columns: is the separator right, is a quote missing?"
            raise SourceError(message)
        if number > MOST_ROWS + 1:
            message = f"The file has more than {MOST_ROWS:,} rows: split it"
            raise SourceError(message)
        rows.append(Row(number, cells))
    while rows and not rows[-1].cells:
        rows.pop()
    if not rows:
        message = "The file is empty"
        raise SourceError(message)
    return rows


def _cells(text: str) -> Iterator[list[str]]:
    lines = io.StringIO(text, newline="")
    separator = _separator(text)
    reader = csv.reader(lines, delimiter=separator)
    begun, last = 1, 1
    try:
        for cells in reader:
            yield cells
            begun, last = last, reader.line_num + 1
    except csv.Error:  # a cell beyond the module's own limit: most of the file within one quote
        raise _unfinished(last) from None
    _check_last_quote(text, separator, begun)


def _check_last_quote(text: str, separator: str, begun: int) -> None:
    """The csv module ends an unfinished quote with the file, and tells so only when it is strict."""
    tail = "".join(io.StringIO(text, newline="").readlines()[begun - 1 :])
    try:
        list(csv.reader(io.StringIO(tail, newline=""), delimiter=separator, strict=True))
    except csv.Error as error:
        if "unexpected end" in str(error):
            raise _unfinished(begun) from None


def _unfinished(line: int) -> SourceError:
    return SourceError(f"Line {line} begins a quoted cell that never ends: close the quote, or double it inside a cell")


def _separator(text: str) -> str:
    """The separator that gives the first line with anything in it the most columns."""
    first = next((line for line in text.splitlines() if line.strip(_SEPARATORS + " ")), "")
    return max(_SEPARATORS, key=lambda separator: len(next(csv.reader([first], delimiter=separator), [])))
