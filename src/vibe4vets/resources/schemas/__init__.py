"""The directory as received, as asked and as answered."""

from vibe4vets.resources.schemas.intake import LocationIntake, ResourceIntake, SourceIntake
from vibe4vets.resources.schemas.lexicon import LexiconEntryIntake
from vibe4vets.resources.schemas.query import (
    SEARCH_DEPTH,
    FacetName,
    OrganizationQuery,
    ResourceFilters,
    ResourceQuery,
    ResourceSort,
    SearchQuery,
)
from vibe4vets.resources.schemas.read import (
    ORGANIZATION_RESOURCES,
    CrisisRead,
    HoursRead,
    Interpretation,
    LocationRead,
    OrganizationDetail,
    OrganizationRead,
    OrganizationSummary,
    PlaceRead,
    ResourceRead,
    SearchHit,
    SearchPage,
    SourceRead,
    TermRead,
    TrustRead,
)

__all__ = [
    "ORGANIZATION_RESOURCES",
    "SEARCH_DEPTH",
    "CrisisRead",
    "FacetName",
    "HoursRead",
    "Interpretation",
    "LexiconEntryIntake",
    "LocationIntake",
    "LocationRead",
    "OrganizationDetail",
    "OrganizationQuery",
    "OrganizationRead",
    "OrganizationSummary",
    "PlaceRead",
    "ResourceFilters",
    "ResourceIntake",
    "ResourceQuery",
    "ResourceRead",
    "ResourceSort",
    "SearchHit",
    "SearchPage",
    "SearchQuery",
    "SourceIntake",
    "SourceRead",
    "TermRead",
    "TrustRead",
]
