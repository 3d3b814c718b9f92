"""Files of records: what one is, whether it can be read, and the source that reads it."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO, Final

from vibe4vets.connectors.base import Source, SourceError
from vibe4vets.connectors.known_sources import describe_source
from vibe4vets.connectors.models import Encoding, Format
from vibe4vets.connectors.sources.hsds import HSDSFile
from vibe4vets.connectors.sources.records import RecordFile
from vibe4vets.connectors.sources.spreadsheet import Spreadsheet, check_sheet
from vibe4vets.connectors.sources.spreadsheet.columns import Columns
from vibe4vets.connectors.sources.spreadsheet.decoding import MOST_ROWS, check_kind, first_line_not_utf8

_SLUG: Final = re.compile(r"(?=.{1,64}$)[a-z0-9]+(?:[_-][a-z0-9]+)*")
_LOOKED_AT: Final = 64 * 1024
_BLOCK: Final = 1024 * 1024


def is_slug(text: str) -> bool:
    """Whether a source may go by this name."""
    return _SLUG.fullmatch(text) is not None


def format_of(file: BinaryIO) -> Format:
    """What a file is, by its content: its name says nothing (row G3)."""
    file.seek(0)
    head = file.read(_LOOKED_AT).removeprefix(b"\xef\xbb\xbf").lstrip()
    if head.startswith(b"["):
        return Format.HSDS
    if not head.startswith(b"{"):
        return Format.CSV
    return Format.HSDS if b'"contents"' in head and b'"source_record_id"' not in head else Format.NDJSON


def open_file(
    path: Path,
    kind: Format,
    source: str | None,
    *,
    encoding: Encoding | None = None,
    columns: Mapping[str, str] | None = None,
) -> Source:
    """The source that reads `path`. Only a record file may do without `source`, for its lines name theirs."""
    if kind is Format.NDJSON:
        return RecordFile(path, source)
    if source is None:
        message = f"Name the source of these records, such as county_franklin: {kind.value} files name none"
        raise SourceError(message)
    about = describe_source(source)
    if kind is Format.HSDS:
        return HSDSFile(path, about)
    return Spreadsheet(path, about, encoding=encoding and encoding.value, columns=columns)


def check_spreadsheet(
    file: BinaryIO, encoding: Encoding | None, *, chosen: Mapping[str, str], saved: Mapping[str, str]
) -> Columns:
    """Look through a whole spreadsheet, and find its columns; SourceError with advice, the line or the row."""
    return check_sheet(file, encoding=encoding and encoding.value, chosen=chosen, saved=saved)


def check_documents(file: BinaryIO, kind: Format) -> None:
    """See that a file of JSON is text, in UTF-8, and not too long. Its documents are read by the run alone."""
    check_kind(file)
    if (line := first_line_not_utf8(file)) is not None:
        message = f"Line {line} is not UTF-8: save the file as UTF-8"
        raise SourceError(message)
    if format_of(file) is Format.CSV:
        message = f"The file begins with neither {{ nor [, so it is not {kind.value}: leave the format out"
        raise SourceError(message)
    file.seek(0)
    ends = sum(block.count(b"\n") for block in iter(lambda: file.read(_BLOCK), b""))
    if kind is Format.NDJSON and ends > MOST_ROWS:
        message = f"The file has more than {MOST_ROWS:,} lines: split it"
        raise SourceError(message)
