"""What can be done with the directory. Functions flush, never commit: the request owns the transaction."""

from vibe4vets.resources.service.deciding import (
    Decider,
    approve_proposal,
    get_proposal,
    lock_proposal,
    read_proposals,
    reject_proposal,
)
from vibe4vets.resources.service.directory import (
    get_organization,
    get_resource,
    list_categories,
    list_organizations,
    list_resources,
    list_states,
    list_tags,
)
from vibe4vets.resources.service.editing import (
    archive_resource,
    create_resource,
    get_working,
    publish_resource,
    restore_resource,
    roll_back_resource,
    update_resource,
    verify_resource,
    version_etag,
)
from vibe4vets.resources.service.history import (
    Deed,
    compare_revisions,
    get_revision,
    list_revisions,
    record_revisions,
)
from vibe4vets.resources.service.intake import upsert_resources, upsert_sources
from vibe4vets.resources.service.proposing import (
    Draft,
    Submitter,
    erase_contacts,
    get_suggestion,
    propose,
    propose_as_partner,
    report,
    suggest,
)
from vibe4vets.resources.service.publishing import (
    count_published,
    publish_resources,
    reindex_batch,
    remove_strays,
    withdraw_resources,
)
from vibe4vets.resources.service.search import search
from vibe4vets.resources.service.working import list_working

__all__ = [
    "Decider",
    "Deed",
    "Draft",
    "Submitter",
    "approve_proposal",
    "archive_resource",
    "compare_revisions",
    "count_published",
    "create_resource",
    "erase_contacts",
    "get_organization",
    "get_proposal",
    "get_resource",
    "get_revision",
    "get_suggestion",
    "get_working",
    "list_categories",
    "list_organizations",
    "list_resources",
    "list_revisions",
    "list_states",
    "list_tags",
    "list_working",
    "lock_proposal",
    "propose",
    "propose_as_partner",
    "publish_resource",
    "publish_resources",
    "read_proposals",
    "record_revisions",
    "reindex_batch",
    "reject_proposal",
    "remove_strays",
    "report",
    "restore_resource",
    "roll_back_resource",
    "search",
    "suggest",
    "update_resource",
    "upsert_resources",
    "upsert_sources",
    "verify_resource",
    "version_etag",
    "withdraw_resources",
]
