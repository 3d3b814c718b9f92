"""The health of links: which web sites of what is published still answer, and what reviewers are told of it."""

from vibe4vets.connectors.service.links.checking import check_links
from vibe4vets.connectors.service.links.listing import FLAGGED_RESOURCES, flagged_resources, list_links

__all__ = ["FLAGGED_RESOURCES", "check_links", "flagged_resources", "list_links"]
