"""What is sent with a file, and what the columns of spreadsheets are."""

from typing import Annotated

from pydantic import Field

from vibe4vets.connectors.models import Encoding, Format
from vibe4vets.core.schemas import Input, Line, Output, Slug

Header = Annotated[Line, Field(min_length=1, max_length=300)]
FieldName = Annotated[str, Field(pattern=r"^[a-z_]{1,64}$")]


class ImportRequest(Input):
    """The fields beside the file."""

    source: Slug | None = Field(
        default=None,
        description="The source that the records belong to; record files name their own.",
        examples=["county_franklin"],
    )
    format: Format | None = Field(default=None, description="Left out: what the content looks like.", examples=["csv"])
    encoding: Encoding | None = Field(
        default=None, description="Of a spreadsheet that is not UTF-8: cp1252 is converted.", examples=["cp1252"]
    )
    columns: Annotated[dict[Header, FieldName], Field(max_length=64)] = Field(
        default={},
        description="The field of a header where the suggestion is wrong, or `ignore`. It is kept for the next file of"
        " the source.",
        examples=[{"Agency": "title"}],
    )
    publish: bool = Field(
        default=False,
        description="Publish at once; left out, what is risky or new becomes a proposal.",
        examples=[True],
    )
    dry_run: bool = Field(
        default=False,
        description="Only read and plan: the run ends with its plan, and nothing changes.",
        examples=[True],
    )


class MappingQuery(Input):
    """The headers of a file that is still to be sent."""

    header: Annotated[list[Header], Field(max_length=64)] = Field(
        default=[], description="A header of the spreadsheet, in its order.", examples=[["Agency Name", "Phone #"]]
    )


class ColumnRead(Output):
    """A header, and the field that it is read as: what is saved, else what is suggested, else none."""

    header: str
    suggested: str | None
    saved: str | None


class MappingRead(Output):
    """What the columns of a source's spreadsheets are."""

    source: str
    columns: list[ColumnRead] = Field(description="The headers asked for, then those that are saved.")
    fields: list[str] = Field(description="What a column can be.")
