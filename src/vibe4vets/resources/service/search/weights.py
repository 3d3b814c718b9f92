"""Every number of the ranking, in one place; `bench/relevance.py` shows what a change of one does.

score = (topic * gate + title + national) * place + completeness
topic = sum(weight * match) / sum(weight) over the concepts: what matches none of the words costs its weight
"""

from typing import Final

# -- a word by the field it stands in: {D, C, B, A} = place and eligibility, description, organization and tags, title
FIELDS: Final = [0.2, 0.4, 0.6, 1.0]
RANK_OF_ONE: Final = 0.608
"""What ts_rank gives for a single word of weight 1."""

# -- how well one concept is matched
WORDS_OF_CONCEPT: Final = 0.2
"""The part of its words, beside its codes."""
WORDS_FOR_CODES: Final = 0.5
"""What its words alone are worth where no code matches."""
ALL_CODES: Final = 0.25
"""The part of having all of its codes, beside the best one."""
DERIVED: Final = 0.4
"""A code that the text earns but the source does not give."""

# -- what one concept counts for
CONVERSATION: Final = 0.15
PLAIN: Final = 0.4
"""A word that English has often and the lexicon not: "winter"."""
BESIDE_NEEDS: Final = 0.7
"""Any word of English or Spanish beside a need that the lexicon knows: what is needed tells more."""
AUDIENCE: Final = 0.5
"""Who asks, beside what is asked for: "widow", "disabled"."""
WEEKDAY: Final = 1.0
SYNONYM: Final = 0.9
UNSURE_PLACE: Final = 0.25
"""The words of a place that may be none."""

# -- the gate: a record that is about none of the needs counts half
CLOSED_GATE: Final = 0.5
RARE: Final = 0.003
"""A word in fewer of the resources than this opens the gate from the title or organization."""

# -- the title
NAME: Final = 0.9
"""What a title or organization that has all the words as one phrase is worth, whatever else they may mean."""
SIMILAR_TITLE: Final = 0.3
ALL_WORDS: Final = 0.105
PHRASE: Final = 0.105
EQUAL: Final = 0.12
BEGINS: Final = 0.045

# -- beside the words
NATIONAL: Final = 0.06
"""For national programs where no place is asked for."""
COMPLETENESS: Final = 0.01

# -- the place
NATIONAL_SOMEWHERE: Final = 0.25
ELSEWHERE: Final = 0.03
NEAR: Final = 0.92
FREE_MILES, MILES = 3.0, 15.0
COUNTY_MILES: Final = 22.5
STATE_WIDE: Final = 0.5
IN_STATE, IN_STATE_NEAR, IN_STATE_MILES = 0.30, 0.05, 100.0
ALL_OF_STATE, SOMEWHERE_IN_STATE = 1.0, 0.97
DOUBT: Final = 0.6
"""How much of an unsure place is ignored."""
SURE_PLACE: Final = 0.8

# -- how many are looked at
BRANCH: Final = 200
BRANCH_OF_MANY: Final = 220
"""The same in a large directory, where more are cut off."""
SAMPLED_FROM: Final = 100_000
"""From so many resources on totals may be estimates, and what is common is looked for in the sample first."""
SAMPLED: Final = 32
"""`search_sample` has one resource in so many."""
COMMON: Final = 10_000
"""What so many may have is looked for in the sample first: there it may fill a branch."""
COUNTED: Final = 1_500
"""What so many have at most is counted one by one in a directory of any size."""
TELLING_SAMPLE: Final = 40
"""Who finds so many in the sample knows within a sixth or so how many there are."""
LOOKED_THROUGH: Final = 5_000
"""Among so many rows that have its words a query of certain fields is looked for."""
RANKED: Final = 300
COMPARED: Final = 60
"""The best of them, whose titles are compared by trigrams."""
