"""Which source reads a file, and what is wrong with the options of who asks for it."""

from collections.abc import Sequence
from pathlib import Path

import typer

from vibe4vets.connectors.base import Source
from vibe4vets.connectors.models import Encoding, Format
from vibe4vets.connectors.service import files


def open_file(
    path: Path, source: str | None, kind: Format | None, encoding: Encoding | None, columns: Sequence[str]
) -> Source:
    """The source that reads `path`; what it is decides the content, never the name. Raises typer.BadParameter."""
    if source is not None and not files.is_slug(source):
        message = "a slug has lower-case letters and digits, with single _ or - between them"
        raise typer.BadParameter(message, param_hint="--source")
    if kind is None:
        with path.open("rb") as file:
            kind = files.format_of(file)
    if kind is not Format.CSV and (encoding or columns):
        message = f"only a spreadsheet has it; this file is read as {kind.value}"
        raise typer.BadParameter(message, param_hint="--column" if columns else "--encoding")
    if kind is not Format.NDJSON and source is None:
        message = (
            f"name the source that these records belong to, such as county_franklin ({kind.value} files name none)"
        )
        raise typer.BadParameter(message, param_hint="--source")
    return files.open_file(path, kind, source, encoding=encoding, columns=dict(map(_column, columns)))


def _column(text: str) -> tuple[str, str]:
    header, equals, field = text.rpartition("=")
    if not equals or not header.strip() or not field.strip():
        message = 'write it as "Header=field", such as "Agency=title"'
        raise typer.BadParameter(message, param_hint="--column")
    return " ".join(header.split()), field.strip()
