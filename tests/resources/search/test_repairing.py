"""Spelling in context, and the words of a story: over a small directory made here."""

from uuid import uuid4

import pytest

from vibe4vets.resources.models import EntryKind
from vibe4vets.resources.service.places import Columns, Gazetteer
from vibe4vets.resources.service.search.knowledge import Knowledge
from vibe4vets.resources.service.search.lexicon import Lexicon, Meaning
from vibe4vets.resources.service.search.repairing import repair, rewrite, unknown_words
from vibe4vets.resources.service.search.stored import Versions, Vocabulary
from vibe4vets.resources.service.search.understanding import understand

PHRASES = (
    "homeless", "homeless shelter", "legal aid", "state veterans commission", "vet center", "housing", "groceries",
    "have to be out by", "food pantry", "homeless veteran", "10 10ez", "my dad", "rent",
)  # fmt: skip
# words of records and how many have them; those of one are the slips of a record
WORDS = {
    "homeless": 900, "shelter": 300, "housing": 5000, "housng": 1, "commission": 80, "commision": 2, "center": 900,
    "brown": 40, "food": 800, "pantry": 300, "post": 200, "44": 1, "10": 3, "kling": 1, "king": 50, "navy": 60,
    "67": 1, "202": 1, "555": 1, "0144": 1,
}  # fmt: skip
STEMS = {"centr", "groceris"}


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    cities = Columns(["boise", "bronx", "san diego"], ["Boise", "Bronx", "San Diego"], ["ID", "NY", "CA"],
                     [None] * 3, [40.0] * 3, [-80.0] * 3, [15, 27, 60])  # fmt: skip
    lexicon = Lexicon(Meaning(phrase, EntryKind.NEED, {phrase.replace(" ", "-"): 1.0}) for phrase in PHRASES)
    words = dict(WORDS)
    codes = {f"#{phrase.replace(' ', '-')}": 100 for phrase in PHRASES}
    vocabulary = Vocabulary(words, {word: word for word in words}, words | codes)
    gazetteer = Gazetteer(cities=cities, complete=True)
    return Knowledge(Versions(uuid4(), uuid4(), 10_000), lexicon, vocabulary, gazetteer, {})


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("home less vet", "homeless vet"),
        ("#homelessshelter", "#homeless shelter"),
        ("legalaid", "legal aid"),
        ("vet centr", "vet center"),
        ("groceris", "groceries"),
        ("state veterans commision", "state veterans commission"),
        ("housng", "housing"),
        ("food pantry Browx NY", "food pantry bronx NY"),
        ("food pantry bose idaho", "food pantry boise idaho"),
        ("food san deigo", "food san diego"),
        ("homles veteren", "homeless veteran"),
        ("legal ade", "legal ade"),
        ("lgal aid", "legal aid"),
        ("kling", "kling"),
        ("ayuda con browm", "ayuda con browm"),
        ("food los browm", "food los brown"),
        ("the rapist", "the rapist"),
        ("cert", "cert"),
    ],
)
def test_what_stands_beside_a_word_tells_what_was_meant(knowledge: Knowledge, typed: str, meant: str) -> None:
    repairs = repair(knowledge, typed, unknown_words(knowledge, typed), STEMS)
    assert rewrite(knowledge, typed, repairs) == meant


@pytest.mark.parametrize(
    ("query", "fillers"),
    [
        ("post 44", []),
        ("navy 67 food", ["67"]),
        ("10 post 44", ["10"]),
        ("(202) 555-0144", ["202", "555", "0144"]),
        ("i was in the navy for years and then lost my place and need rent", ["navy", "years", "lost", "place"]),
    ],
)
def test_numbers_and_the_words_of_a_story_decide_nothing(knowledge: Knowledge, query: str, fillers: list[str]) -> None:
    stems = {word: word for word in query.replace("(", "").replace(")", "").replace("-", " ").split()}
    concepts = understand(knowledge, query, {}, stems).concepts
    assert set(fillers) <= {word for concept in concepts if concept.is_filler for word in concept.words}
    assert not {"44", "rent"} & {word for concept in concepts if concept.is_filler for word in concept.words}


def test_a_form_that_no_record_names_is_not_its_number(knowledge: Knowledge) -> None:
    (concept,) = understand(knowledge, "10-10EZ", {}, {}).concepts
    assert concept.primary == ["10-10ez"]
    assert concept.lexemes == ()


def test_a_phrase_is_no_entry_for_its_one_common_word(knowledge: Knowledge) -> None:
    assert knowledge.lexicon.matches(["i", "have", "to", "be", "out", "by"])
    assert not knowledge.lexicon.matches(["help", "me", "out"])
    assert knowledge.lexicon.matches(["my", "dads"])
