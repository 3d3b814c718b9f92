"""Connectors as staff see them, and what admins may change."""

import re
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Final

from pydantic import MISSING, BeforeValidator, Field, StrictBool
from pydantic_core import PydanticCustomError

from vibe4vets.connectors.schemas.runs import RunSummary
from vibe4vets.core.schemas import Input, Output

SHORTEST: Final = timedelta(minutes=5)
LONGEST: Final = timedelta(days=366)
_DURATION: Final = re.compile(r"P(?=\d|T\d)(?:\d{1,4}W)?(?:\d{1,4}D)?(?:T(?:\d{1,5}H)?(?:\d{1,6}M)?(?:\d{1,8}S)?)?")


class Health(StrEnum):
    OK = "ok"
    FAILING = "failing"
    STALE = "stale"
    """Its last success is two schedules ago, or more."""
    NEVER_RUN = "never_run"
    OFF = "off"


def _duration(value: object) -> object:
    """Seconds, or a duration in weeks, days, hours, minutes, seconds: Pydantic would take years and `1:00` too."""
    if isinstance(value, bool) or not (
        isinstance(value, int) or (isinstance(value, str) and _DURATION.fullmatch(value))
    ):
        raise PydanticCustomError("time_delta_parsing", "Input should be seconds, or an ISO 8601 duration such as P1D")
    return min(value, 10**9) if isinstance(value, int) else value


Every = Annotated[
    timedelta,
    BeforeValidator(_duration, json_schema_input_type=int | Annotated[str, Field(max_length=40)]),
    Field(ge=SHORTEST, le=LONGEST),
]


class ConnectorUpdate(Input):
    """A field left out stays as it is."""

    enabled: StrictBool | MISSING = Field(
        default=MISSING, description="Whether it runs by its schedule and when it is asked to.", examples=[False]
    )
    schedule: Every | MISSING | None = Field(
        default=MISSING,
        description="How often it runs: whole seconds, or an ISO 8601 duration, from 5 minutes to 366 days;"
        " null for what the source itself has.",
        examples=["PT12H"],
    )


class ConnectorSource(Output):
    """What is known of the source that it reads."""

    name: str
    publisher: str | None
    tier: int = Field(description="How far to rely on it: 1 official, 2 national organization, 3 state, 4 community.")
    licence: str | None
    url: str | None


class ConnectorRead(Output):
    """A connector, how it is set and how it does."""

    name: str = Field(description="Its name: the slug of its source.")
    source: ConnectorSource
    enabled: bool = Field(description="Whether it may run; false also when a setting of the environment says so.")
    obstacle: str | None = Field(description="Why it cannot run, with the remedy.")
    schedule: timedelta | None = Field(
        description="How often it runs, as an ISO 8601 duration; null for what only a person starts."
    )
    health: Health
    reason: str = Field(description="Why the health is what it is, in words.")
    last_run: RunSummary | None
    last_success_at: datetime | None
    due_at: datetime | None = Field(description="When it runs next; null when it does not run by itself.")
