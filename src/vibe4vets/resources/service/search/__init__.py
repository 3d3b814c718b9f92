"""Search: a query is understood, candidates are found and ranked, and the answer tells how it came about."""

from vibe4vets.resources.service.search.indexing import count_words, index_resources
from vibe4vets.resources.service.search.knowledge import SearchKnowledge
from vibe4vets.resources.service.search.learning import Listener, SearchLearning
from vibe4vets.resources.service.search.searching import search
from vibe4vets.resources.service.search.seeding import seed_lexicon

__all__ = [
    "Listener",
    "SearchKnowledge",
    "SearchLearning",
    "count_words",
    "index_resources",
    "search",
    "seed_lexicon",
]
