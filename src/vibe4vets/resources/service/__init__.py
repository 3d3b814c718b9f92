"""What can be done with the directory. Functions flush, never commit: the request owns the transaction."""

from vibe4vets.resources.service.aging import refresh_trust
from vibe4vets.resources.service.changes import list_changes
from vibe4vets.resources.service.content import (
    FIELDS,
    Content,
    content_of_document,
    content_of_intake,
    intake_of,
    is_empty,
    is_same,
)
from vibe4vets.resources.service.crisis import CRISIS_PHONES, CRISIS_TAGS
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
from vibe4vets.resources.service.duplicates import (
    dismiss_duplicate,
    find_duplicates,
    list_duplicates,
    merge_resources,
    undo_merge,
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
from vibe4vets.resources.service.exporting import CSV, GEOJSON, NDJSON, Exports
from vibe4vets.resources.service.history import Deed, compare_revisions, get_revision, list_revisions, record_revisions
from vibe4vets.resources.service.intake import upsert_resources, upsert_sources
from vibe4vets.resources.service.places import learn_places, load_places
from vibe4vets.resources.service.proposing import (
    Draft,
    Submitter,
    erase_contact,
    erase_contacts,
    get_own_proposal,
    get_suggestion,
    list_own_proposals,
    propose,
    propose_as_partner,
    report,
    take_suggestion,
)
from vibe4vets.resources.service.provenance import get_provenance
from vibe4vets.resources.service.publishing import (
    count_published,
    publish_resources,
    reindex_batch,
    remove_strays,
    withdraw_resources,
)
from vibe4vets.resources.service.retiring import retire_resources, revive_resources
from vibe4vets.resources.service.risk import is_crisis_line, risk_of
from vibe4vets.resources.service.search import (
    Listener,
    SearchKnowledge,
    SearchLearning,
    count_words,
    search,
    seed_lexicon,
)
from vibe4vets.resources.service.search.editing import create_entry, delete_entry, get_entry, list_entries, update_entry
from vibe4vets.resources.service.search.heard import list_searches
from vibe4vets.resources.service.source_proposals import (
    OpenProposal,
    SourceProposal,
    close_source_proposals,
    put_source_proposals,
    read_source_proposals,
)
from vibe4vets.resources.service.suggesting import suggest
from vibe4vets.resources.service.views import Views, forget_views
from vibe4vets.resources.service.working import Working, list_working, read_working

__all__ = [
    "CRISIS_PHONES",
    "CRISIS_TAGS",
    "CSV",
    "FIELDS",
    "GEOJSON",
    "NDJSON",
    "Content",
    "Decider",
    "Deed",
    "Draft",
    "Exports",
    "Listener",
    "OpenProposal",
    "SearchKnowledge",
    "SearchLearning",
    "SourceProposal",
    "Submitter",
    "Views",
    "Working",
    "approve_proposal",
    "archive_resource",
    "close_source_proposals",
    "compare_revisions",
    "content_of_document",
    "content_of_intake",
    "count_published",
    "count_words",
    "create_entry",
    "create_resource",
    "delete_entry",
    "dismiss_duplicate",
    "erase_contact",
    "erase_contacts",
    "find_duplicates",
    "forget_views",
    "get_entry",
    "get_organization",
    "get_own_proposal",
    "get_proposal",
    "get_provenance",
    "get_resource",
    "get_revision",
    "get_suggestion",
    "get_working",
    "intake_of",
    "is_crisis_line",
    "is_empty",
    "is_same",
    "learn_places",
    "list_categories",
    "list_changes",
    "list_duplicates",
    "list_entries",
    "list_organizations",
    "list_own_proposals",
    "list_resources",
    "list_revisions",
    "list_searches",
    "list_states",
    "list_tags",
    "list_working",
    "load_places",
    "lock_proposal",
    "merge_resources",
    "propose",
    "propose_as_partner",
    "publish_resource",
    "publish_resources",
    "put_source_proposals",
    "read_proposals",
    "read_source_proposals",
    "read_working",
    "record_revisions",
    "refresh_trust",
    "reindex_batch",
    "reject_proposal",
    "remove_strays",
    "report",
    "restore_resource",
    "retire_resources",
    "revive_resources",
    "risk_of",
    "roll_back_resource",
    "search",
    "seed_lexicon",
    "suggest",
    "take_suggestion",
    "undo_merge",
    "update_entry",
    "update_resource",
    "upsert_resources",
    "upsert_sources",
    "verify_resource",
    "version_etag",
    "withdraw_resources",
]
