"""Search: a query is understood, candidates are found and ranked, and the answer tells how it came about."""

from vibe4vets.resources.service.search.indexing import Indexed, count_words, index_resources
from vibe4vets.resources.service.search.knowledge import SearchKnowledge
from vibe4vets.resources.service.search.learning import Listener, SearchLearning
from vibe4vets.resources.service.search.ordering import order_rows
from vibe4vets.resources.service.search.searching import search
from vibe4vets.resources.service.search.seeding import seed_lexicon
from vibe4vets.resources.service.search.stored import load_lexicon

__all__ = [
    "Indexed",
    "Listener",
    "SearchKnowledge",
    "SearchLearning",
    "count_words",
    "index_resources",
    "load_lexicon",
    "order_rows",
    "search",
    "seed_lexicon",
]
