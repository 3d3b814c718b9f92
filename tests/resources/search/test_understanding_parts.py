"""The small parts of understanding: phrases, spelling, codes, tsqueries, the seed files."""

from collections import Counter

import pytest

from vibe4vets.resources.models import EntryKind
from vibe4vets.resources.service.search import codes, seeding
from vibe4vets.resources.service.search.lexicon import Lexicon, Meaning
from vibe4vets.resources.service.search.spelling import Speller, distance
from vibe4vets.resources.service.search.tsquery import Query, all_of, any_of, lexeme, phrase
from vibe4vets.resources.terms import tag_name, taxonomy

LEXICON = Lexicon(
    Meaning(phrase, EntryKind.NEED, {code: 1.0})
    for phrase, code in {
        "dental": "dental", "dental care": "dental", "free dental": "dental", "homeless shelter": "shelter",
        "vet center": "vet-center", "ride to appointment": "ride", "rent": "rent", "pay rent": "pay", "homeless": "h",
    }.items()
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("homeless shelters", [(0, 2, "shelter")]),
        ("homeless veteran shelter", [(0, 3, "shelter")]),
        ("veteran center", [(0, 2, "vet-center")]),
        ("need rides to my appointments", [(1, 5, "ride")]),
        ("free dental care", [(1, 3, "dental")]),
        ("pay rent and dental", [(0, 2, "pay"), (3, 4, "dental")]),
        ("the dental", [(1, 2, "dental")]),
        ("nothing known", []),
        ("", []),
    ],
)
def test_the_longest_and_most_telling_phrase_wins(text: str, found: list[tuple[int, int, str]]) -> None:
    matches = LEXICON.matches(text.split())
    assert [(match.start, match.end, *match.meaning.codes) for match in matches] == found


def test_words_that_are_taken_are_not_read_again() -> None:
    assert [match.start for match in LEXICON.matches(["rent", "dental"], taken={0})] == [1]


@pytest.mark.parametrize(
    ("wrong", "right"),
    [("homless", "homeless"), ("benifits", "benefits"), ("shleter", "shelter"), ("scolarships", "scholarships"),
     ("assistence", "assistance"), ("cemetary", "cemetery"), ("xqzzyw", None), ("rentt", "rent")],
)  # fmt: skip
def test_a_word_is_repaired_by_few_edits(wrong: str, right: str | None) -> None:
    words = ["homeless", "benefits", "shelter", "scholarships", "scholarship", "assistance", "cemetery", "rent"]
    assert Speller(dict.fromkeys(words, 1.0)).repair(wrong) == right


def test_what_stands_beside_a_slip_tells_what_was_meant() -> None:
    lexicon = Lexicon(Meaning(phrase, EntryKind.NEED, {"x": 1.0}) for phrase in ("suicide hotline", "veteran center"))
    speller = Speller({"suicide": 1.0, "lucie": 0.1, "veteran": 1.0})
    assert speller.repair("sucie") == "lucie"
    assert speller.repair("sucie", lexicon.beside("", "hotline")) == "suicide"
    assert speller.repair("vtran") is None
    assert speller.repair("vtran", lexicon.beside("", "center")) == "veteran"


def test_the_likelier_word_is_meant() -> None:
    assert Speller({"claim": 1.0, "claire": 0.1}).repair("clain") == "claim"


@pytest.mark.parametrize(
    ("one", "other", "edits"), [("rent", "rent", 0), ("rent", "tent", 1), ("form", "from", 1), ("", "abc", 3)]
)
def test_distance_counts_a_swap_as_one(one: str, other: str, edits: int) -> None:
    assert distance(one, other, 3) == edits


def test_distance_stops_counting() -> None:
    assert distance("abcdef", "uvwxyz", 2) == 3


def test_a_lexeme_is_quoted_whatever_it_holds() -> None:
    assert lexeme("o'neil\\").text == "'o''neil\\\\'"
    assert lexeme("rent", "AB").text == "'rent':AB"
    assert phrase(["swords", "", "plowshar"], "AB").text == "'swords':AB <2> 'plowshar':AB"


def test_a_query_holds_no_part_that_another_makes_needless() -> None:
    a, b, c = map(lexeme, "abc")
    assert not any_of([])
    assert not all_of([Query()])
    assert any_of([a, a]) == all_of([a, Query()]) == a
    assert any_of([any_of([a, b]), c]).text == "('a' | 'b' | 'c')"
    assert all_of([any_of([a, b]), any_of([b, c])]).text == "(('a' | 'b') & ('b' | 'c'))"
    assert any_of([a, all_of([a, b])]) == all_of([a, any_of([a, b])]) == a
    assert all_of([lexeme("a", "A"), a]).text == "('a':A & 'a')"
    assert all_of([lexeme("a", "A"), any_of([b, lexeme("c", "D")])]).anywhere().text == "('a' & ('b' | 'c'))"


def test_a_query_finds_at_most_what_its_rarest_part_does() -> None:
    a, b, c = map(lexeme, "abc")
    count = {"a": 3, "b": 4, "c": 5}.__getitem__
    assert any_of([a, b]).at_most(count) == 7
    assert all_of([any_of([a, b]), c]).at_most(count) == 5
    assert phrase(["b", "a"], "A").at_most(count) == 3


def test_the_squares_around_a_point_hold_its_neighbours() -> None:
    for parts in codes.GRIDS:
        around = codes.cells_around(39.99, -83.01, parts)
        assert len(set(around)) == 9
        assert {codes.cell(39.99 + step / parts, -83.01, parts) for step in (-1, 0, 1)} <= set(around)


def test_the_seed_files_agree_with_themselves() -> None:
    known, entries = taxonomy(), seeding.entries()
    assert all(term["parent"] is None or term["parent"] in known for term in known.values())
    used = {code for entry in entries for code in entry["codes"] if not code.startswith("e:")}
    assert used <= known.keys()
    assert [phrase for phrase, count in Counter(entry["phrase"] for entry in entries).items() if count > 1] == []
    assert {entry["language"] for entry in entries} == {"en", "es"}
    assert all(0 < weight <= 1 for entry in entries for weight in entry["codes"].values())
    assert len(entries) > 3000


def test_a_tag_of_the_taxonomy_has_its_name() -> None:
    assert tag_name("vre") == "Veteran Readiness and Employment"
    assert tag_name("no-such-term") == "No such term"
