"""What every request and response body shares: strict in, exact out."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, cast
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    StringConstraints,
)
from pydantic_core import CoreSchema, PydanticCustomError

# C0 and C1 controls (but line feed and tab), bidirectional overrides and isolates, lone surrogates
_UNSAFE_IN_LONG_TEXT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_UNSAFE_IN_LINE = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_DIGITS = re.compile(r"-?[0-9]{1,18}")
_DECIMAL = re.compile(r"-?[0-9]{1,6}(?:\.[0-9]{1,15})?")
_NUMBER = re.compile(r"\s*[-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?\s*")
COMMA_SEPARATED = "x-comma-separated"
"""Marks a list in a query whose values share one parameter: `facets=category,state`."""


class Input(BaseModel):
    """A request body or query. Unknown keys are errors: a misspelt filter must not widen a search."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, hide_input_in_errors=True)


class Output(BaseModel):
    """A response body, read from attributes. Fields have no defaults, so clients see them as required."""

    model_config = ConfigDict(from_attributes=True)


class Identified(Output):
    """A response body of something that has an address of its own."""

    id: UUID


@dataclass(frozen=True, slots=True)
class Either:
    """Annotates a union: what fits none of its types is one violation, at the field's own pointer and in our words."""

    code: str
    message: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:  # noqa: ANN401
        union: dict[str, Any] = {**handler(source)}
        return cast("CoreSchema", union | {"custom_error_type": self.code, "custom_error_message": self.message})


def _line(text: str) -> str:
    if _UNSAFE_IN_LINE.search(text):
        raise PydanticCustomError("unsafe_text", "Control and direction-changing characters are not allowed")
    return unicodedata.normalize("NFC", text)


def _long_text(text: str) -> str:
    if _UNSAFE_IN_LONG_TEXT.search(text):
        raise PydanticCustomError(
            "unsafe_text", "Control characters (but tab and line feed) and direction changes are not allowed"
        )
    return unicodedata.normalize("NFC", text)


def _plain_digits(value: object) -> object:
    """Pydantic reads `1_0`, ` 1`, `+1` and `1.0` as integers; a query says what it means."""
    if isinstance(value, str) and not _DIGITS.fullmatch(value):
        raise PydanticCustomError("int_parsing", "Input should be a whole number in plain digits")
    return value


def plain_number(value: object) -> object:
    """Pydantic reads `1_0`, ` 1`, `1e3`, `nan` and `inf` as numbers; a query has plain decimals."""
    if isinstance(value, str) and not _DECIMAL.fullmatch(value):
        raise PydanticCustomError("float_parsing", "Input should be a number in plain digits, such as 39.96")
    return value


def _not_a_number(value: object) -> object:
    """Pydantic reads a bare number as seconds since 1970; an instant is RFC 3339."""
    if isinstance(value, int | float) or (isinstance(value, str) and _NUMBER.fullmatch(value)):
        raise PydanticCustomError("datetime_parsing", "Input should be an instant such as 2026-11-01T00:00:00Z")
    return value


def _utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise PydanticCustomError("datetime_range", "Input should lie between the years 1 and 9999") from None


def _one_per_name(values: list[Any]) -> list[Any]:
    return list(dict.fromkeys(values))


Line = Annotated[str, AfterValidator(_line)]
LineAsTyped = Annotated[str, StringConstraints(strip_whitespace=False), AfterValidator(_line)]
"""A line that keeps a space at either end, where an `Input` would take it away."""
LongText = Annotated[str, AfterValidator(_long_text)]
PlainInt = Annotated[int, BeforeValidator(_plain_digits)]
StrictFloat = Annotated[float, Field(strict=True, allow_inf_nan=False)]
"""A number of a body: no text, no boolean, neither NaN nor infinite; beside Pydantic's StrictInt and StrictBool."""
Instant = Annotated[AwareDatetime, BeforeValidator(_not_a_number), AfterValidator(_utc)]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9]+(?:[_-][a-z0-9]+)*$", min_length=1, max_length=64)]
unique = AfterValidator(_one_per_name)
