"""What staff send and receive about connectors."""

from vibe4vets.connectors.schemas.connectors import ConnectorRead, ConnectorSource, ConnectorUpdate, Health
from vibe4vets.connectors.schemas.runs import (
    QuarantinedRead,
    QuarantineQuery,
    RunCounts,
    RunQuery,
    RunRead,
    RunRequest,
    RunSummary,
)
from vibe4vets.connectors.schemas.uploads import ColumnRead, ImportRequest, MappingQuery, MappingRead

__all__ = [
    "ColumnRead",
    "ConnectorRead",
    "ConnectorSource",
    "ConnectorUpdate",
    "Health",
    "ImportRequest",
    "MappingQuery",
    "MappingRead",
    "QuarantineQuery",
    "QuarantinedRead",
    "RunCounts",
    "RunQuery",
    "RunRead",
    "RunRequest",
    "RunSummary",
]
