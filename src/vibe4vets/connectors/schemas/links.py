"""Links as reviewers read them."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from vibe4vets.connectors.link_models import Finding, Suspicion
from vibe4vets.core.pagination import PageQuery
from vibe4vets.core.schemas import Output, Slug

MOST_USES = 20


class LinkFlag(StrEnum):
    """What is wrong with a link."""

    BROKEN = "broken"
    SUSPECT = "suspect"


class LinkQuery(PageQuery):
    """Repeated names are OR, different names are AND."""

    flag: Annotated[
        list[LinkFlag],
        Field(
            max_length=2,
            description="`broken`: three failures or more over at least 48 hours. `suspect`: a page is there, and may"
            " not be the one that was meant.",
            examples=[["broken"]],
        ),
    ] = []
    finding: Annotated[
        list[Finding],
        Field(max_length=20, description="What the last check found.", examples=[["name-unknown", "missing"]]),
    ] = []
    source: Annotated[
        list[Slug],
        Field(max_length=20, description="The source of a resource that names it.", examples=[["va_facilities"]]),
    ] = []
    resource_id: UUID | None = Field(
        default=None,
        description="A resource that names it, or whose organization does.",
        examples=["7b0b2f5e-3c35-4f0c-9f9c-0d6c1a7f2f11"],
    )


class LinkUse(Output):
    """A published resource that names a link."""

    id: UUID
    title: str
    organization: str
    field: Literal["website", "organization.website"] = Field(description="Where it stands in the resource.")


class LinkRead(Output):
    """A link that is flagged. It hides nothing by itself: verify the resources, correct them or archive them."""

    url: str
    broken_at: datetime | None = Field(description="When the failures were three over 48 hours; null unless broken.")
    failures: int = Field(ge=0, description="How often it failed since it worked last.")
    first_failed_at: datetime | None = Field(description="The first of those failures.")
    suspicion: Suspicion | None = Field(
        description="Why the page may not be the one that was meant: it says that it was not found, a deep address"
        " leads to a home page, or the domain is parked or for sale."
    )
    suspected_at: datetime | None
    checked_at: datetime
    finding: Finding = Field(description="What the last check found.")
    status: int | None = Field(description="The last status; null when no answer came.")
    final_url: str | None = Field(description="Where redirects led to.")
    resource_count: int = Field(ge=0, description="How many published resources name it.")
    resources: list[LinkUse] = Field(description=f"The first {MOST_USES} of them by title.")


_USE = {
    "id": "7b0b2f5e-3c35-4f0c-9f9c-0d6c1a7f2f11",
    "title": "Emergency rent for Veterans",
    "organization": "Example County Veterans Service Office",
    "field": "website",
}
LINKS_EXAMPLE = {
    "items": [
        {
            "url": "https://www.example.org/veterans/rent",
            "broken_at": "2026-11-20T09:30:00Z",
            "failures": 4,
            "first_failed_at": "2026-11-18T09:20:00Z",
            "suspicion": None,
            "suspected_at": None,
            "checked_at": "2026-11-21T09:31:00Z",
            "finding": "missing",
            "status": 404,
            "final_url": "https://www.example.org/veterans/rent",
            "resource_count": 1,
            "resources": [_USE],
        }
    ],
    "total": 1,
    "total_is_exact": True,
    "next_cursor": None,
}
