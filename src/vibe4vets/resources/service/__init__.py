"""What can be done with the directory. Functions flush, never commit: the request owns the transaction."""

from vibe4vets.resources.service.changes import list_changes
from vibe4vets.resources.service.directory import (
    get_organization,
    get_resource,
    list_categories,
    list_organizations,
    list_resources,
    list_states,
    list_tags,
)
from vibe4vets.resources.service.intake import upsert_resources, upsert_sources
from vibe4vets.resources.service.places import learn_places, load_places
from vibe4vets.resources.service.publishing import (
    count_published,
    publish_resources,
    reindex_batch,
    remove_strays,
    withdraw_resources,
)
from vibe4vets.resources.service.search import SearchKnowledge, count_words, search, seed_lexicon
from vibe4vets.resources.service.suggesting import suggest

__all__ = [
    "SearchKnowledge",
    "count_published",
    "count_words",
    "get_organization",
    "get_resource",
    "learn_places",
    "list_categories",
    "list_changes",
    "list_organizations",
    "list_resources",
    "list_states",
    "list_tags",
    "load_places",
    "publish_resources",
    "reindex_batch",
    "remove_strays",
    "search",
    "seed_lexicon",
    "suggest",
    "upsert_resources",
    "upsert_sources",
    "withdraw_resources",
]
