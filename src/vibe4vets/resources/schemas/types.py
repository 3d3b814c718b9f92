"""The directory's own kinds of text and numbers; each is no wider than its column."""

from typing import Annotated

from pydantic import Field, StringConstraints

from vibe4vets.core.schemas import Line, StrictFloat
from vibe4vets.resources.models import STATE_CODES

Tag = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=64)]
StateCode = Annotated[str, StringConstraints(pattern=f"^({STATE_CODES.replace(',', '|')})$", max_length=2)]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$", max_length=3)]
Email = Annotated[Line, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", max_length=320)]
Latitude = Annotated[StrictFloat, Field(ge=-90, le=90)]
Longitude = Annotated[StrictFloat, Field(ge=-180, le=180)]
Hours = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-4]):[0-5][0-9]$", max_length=5)]
Day = Annotated[list[tuple[Hours, Hours]], Field(max_length=24)]
Week = Annotated[list[Day], Field(min_length=7, max_length=7)]
