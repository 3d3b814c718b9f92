"""Which source reads a file."""

import re
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

import typer

from vibe4vets.connectors.base import Source
from vibe4vets.connectors.known_sources import describe_source
from vibe4vets.connectors.sources.hsds import HSDSFile
from vibe4vets.connectors.sources.records import RecordFile
from vibe4vets.connectors.sources.spreadsheet import Spreadsheet

_SLUG = re.compile(r"(?=.{1,64}$)[a-z0-9]+(?:[_-][a-z0-9]+)*")
_LOOKED_AT = 64 * 1024


class Format(StrEnum):
    NDJSON = "ndjson"
    CSV = "csv"
    HSDS = "hsds"


class Encoding(StrEnum):
    UTF_8 = "utf-8"
    CP1252 = "cp1252"


def open_file(
    path: Path, source: str | None, kind: Format | None, encoding: Encoding | None, columns: Sequence[str]
) -> Source:
    """The source that reads `path`; what it is decides the content, never the name. Raises typer.BadParameter."""
    if source is not None and not _SLUG.fullmatch(source):
        message = "a slug has lower-case letters and digits, with single _ or - between them"
        raise typer.BadParameter(message, param_hint="--source")
    kind = kind or _kind_of(path)
    if kind is not Format.CSV and (encoding or columns):
        message = f"only a spreadsheet has it; this file is read as {kind.value}"
        raise typer.BadParameter(message, param_hint="--column" if columns else "--encoding")
    if kind is Format.NDJSON:
        return RecordFile(path, source)
    if source is None:
        message = (
            f"name the source that these records belong to, such as county_franklin ({kind.value} files name none)"
        )
        raise typer.BadParameter(message, param_hint="--source")
    about = describe_source(source)
    if kind is Format.HSDS:
        return HSDSFile(path, about)
    return Spreadsheet(path, about, encoding=encoding and encoding.value, columns=dict(map(_column, columns)))


def _kind_of(path: Path) -> Format:
    with path.open("rb") as file:
        head = file.read(_LOOKED_AT).removeprefix(b"\xef\xbb\xbf").lstrip()
    if head.startswith(b"["):
        return Format.HSDS
    if not head.startswith(b"{"):
        return Format.CSV
    return Format.HSDS if b'"contents"' in head and b'"source_record_id"' not in head else Format.NDJSON


def _column(text: str) -> tuple[str, str]:
    header, equals, field = text.rpartition("=")
    if not equals or not header.strip() or not field.strip():
        message = 'write it as "Header=field", such as "Agency=title"'
        raise typer.BadParameter(message, param_hint="--column")
    return " ".join(header.split()), field.strip()
