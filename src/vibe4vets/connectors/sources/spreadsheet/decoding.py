"""From bytes to rows of cells: one encoding, one separator, no unfinished quote (rows G1 to G3).

A file is read as it comes, block by block and row by row, so that looking one through takes no memory to speak of.
"""

import codecs
import csv
import io
import os
import re
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO, Final

from vibe4vets.connectors.base import OtherKindError, SourceError

MOST_BYTES: Final = 10 * 1024 * 1024
MOST_ROWS: Final = 50_000
MOST_COLUMNS: Final = 64
LONGEST_CELL: Final = 32 * 1024
ENCODINGS: Final = ("utf-8", "cp1252")
_LONGEST_LINE: Final = MOST_COLUMNS * (2 * LONGEST_CELL + 3)
"""Every cell full, every character of it a quote, which is written twice."""
_BLOCK: Final = 64 * 1024
_SEPARATORS: Final = ",;\t|"
_SAVE_AS: Final = "save it as “CSV UTF-8” and import that"
_UNICODE_TEXT: Final = "UTF-16 (“Unicode text”)"
_OTHER_KINDS: Final = {
    b"PK\x03\x04": "an Excel workbook or another zip archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"%PDF": "a PDF",
    b"\xff\xfe": _UNICODE_TEXT,
    b"\xfe\xff": _UNICODE_TEXT,
}
_NOT_IN_CP1252: Final = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")


@dataclass(frozen=True, slots=True)
class Row:
    """A row with its number as spreadsheet programs count, from 1 for the first."""

    number: int
    cells: list[str]

    @property
    def filled(self) -> int:
        """How many cells hold something."""
        return sum(bool(cell.strip()) for cell in self.cells)


def check_kind(file: BinaryIO) -> None:
    """See that `file` is text and not too large; OtherKindError or SourceError with advice."""
    if file.seek(0, os.SEEK_END) > MOST_BYTES:
        message = f"The file is larger than {MOST_BYTES // 2**20} MiB: split it"
        raise SourceError(message)
    file.seek(0)
    head = file.read(4)
    for beginning, kind in _OTHER_KINDS.items():
        if head.startswith(beginning):
            error = SourceError if kind is _UNICODE_TEXT else OtherKindError
            message = f"The file is {kind}, not CSV: {_SAVE_AS}"
            raise error(message)
    if (line := _line_of_first(file, re.compile(b"\0"))) is not None:
        message = f"Line {line} holds a NUL character, so the file is damaged or is UTF-16: {_SAVE_AS}"
        raise SourceError(message)


def first_line_not_utf8(file: BinaryIO) -> int | None:
    """The number of the first line that is not UTF-8; None when all are."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    done = 0
    try:
        for block in _blocks(file):
            decoder.decode(block)
            done += len(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        pending = len(decoder.getstate()[0])
        return _line_at(file, max(done - pending + error.start, 0))
    return None


def read_rows(file: BinaryIO, encoding: str | None) -> Iterator[Row]:
    """Yield every row, the empty ones at the end left out; line ends may be LF, CRLF or CR.

    The file is UTF-8 unless `encoding` says cp1252. Raises SourceError with advice, the line or the row.
    """
    check_kind(file)
    codec = _codec(file, encoding)
    empty: list[Row] = []
    is_empty = True
    for number, cells in enumerate(_cells(file, codec), start=1):
        if len(cells) > MOST_COLUMNS:
            message = f"Row {number} has more than {MOST_COLUMNS} columns: is the separator right, is a quote missing?"
            raise SourceError(message)
        if number > MOST_ROWS + 1:
            message = f"The file has more than {MOST_ROWS:,} rows: split it"
            raise SourceError(message)
        empty.append(Row(number, cells))
        if cells:
            yield from empty
            empty.clear()
            is_empty = False
    if is_empty:
        message = "The file is empty"
        raise SourceError(message)


def _codec(file: BinaryIO, encoding: str | None) -> str:
    """How to decode, once it is sure that all of it can be."""
    line = first_line_not_utf8(file)
    if encoding != "cp1252":
        if line is not None:
            raise SourceError(_advice(file, line))
        return "utf-8-sig"
    if line is None and not all(map(bytes.isascii, _blocks(file))):
        message = "The file is UTF-8, not Windows-1252: leave the encoding out"
        raise SourceError(message)
    if (line := _line_of_first(file, _NOT_IN_CP1252)) is not None:
        message = f"Line {line} is not Windows-1252 either: {_SAVE_AS}"
        raise SourceError(message)
    return "cp1252"


def _advice(file: BinaryIO, line: int) -> str:
    if _line_of_first(file, _NOT_IN_CP1252) is not None:
        return f"Line {line} is not UTF-8: {_SAVE_AS}"
    return (
        f"Line {line} is not UTF-8; the file looks like Windows-1252, as older spreadsheet programs save: {_SAVE_AS},"
        " or import this one with encoding=cp1252 (on the command line: --encoding cp1252) and look whether accents and"
        " dashes come out right"
    )


def _blocks(file: BinaryIO) -> Iterator[bytes]:
    file.seek(0)
    return iter(lambda: file.read(_BLOCK), b"")


def _line_of_first(file: BinaryIO, pattern: re.Pattern[bytes]) -> int | None:
    """The line of the first byte that matches."""
    done = 0
    for block in _blocks(file):
        if match := pattern.search(block):
            return _line_at(file, done + match.start())
        done += len(block)
    return None


def _line_at(file: BinaryIO, at: int) -> int:
    file.seek(0)
    before = file.read(at)
    return before.count(b"\n") + before.count(b"\r") - before.count(b"\r\n") + 1


def _lines(file: BinaryIO, codec: str) -> Generator[str, None, None]:
    """Every line with its end; a file may be read by one of these at a time."""
    file.seek(0)
    text = io.TextIOWrapper(file, encoding=codec, newline="")
    try:
        for number, line in enumerate(iter(lambda: text.readline(_LONGEST_LINE), ""), start=1):
            if len(line) == _LONGEST_LINE:
                message = f"Line {number} is longer than {MOST_COLUMNS} full cells: is this CSV, with line ends?"
                raise SourceError(message)
            yield line
    finally:
        text.detach()  # it would close the file


def _cells(file: BinaryIO, codec: str) -> Iterator[list[str]]:
    separator = _separator(file, codec)
    begun, last = 1, 1
    with closing(_lines(file, codec)) as lines:
        reader = csv.reader(lines, delimiter=separator)
        try:
            for cells in reader:
                yield cells
                begun, last = last, reader.line_num + 1
        except csv.Error:  # a cell beyond the module's own limit: most of the file within one quote
            raise _unfinished(last) from None
    _check_last_quote(file, codec, separator, begun)


def _check_last_quote(file: BinaryIO, codec: str, separator: str, begun: int) -> None:
    """The csv module ends an unfinished quote with the file, and tells so only when it is strict."""
    with closing(_lines(file, codec)) as lines:
        try:
            for _ in csv.reader(islice(lines, begun - 1, None), delimiter=separator, strict=True):
                pass
        except csv.Error as error:
            if "unexpected end" in str(error):
                raise _unfinished(begun) from None


def _unfinished(line: int) -> SourceError:
    return SourceError(f"Line {line} begins a quoted cell that never ends: close the quote, or double it inside a cell")


def _separator(file: BinaryIO, codec: str) -> str:
    """The separator that gives the first line with anything in it the most columns."""
    with closing(_lines(file, codec)) as lines:
        first = next((line for line in lines if line.strip(_SEPARATORS + " \r\n")), "")
    return max(_SEPARATORS, key=lambda separator: _columns(first, separator))


def _columns(line: str, separator: str) -> int:
    rows: Iterable[list[str]] = csv.reader([line], delimiter=separator)
    try:
        return len(next(iter(rows), []))
    except csv.Error:
        return 0
