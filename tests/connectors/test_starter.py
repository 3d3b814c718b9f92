"""The directory that ships with the product keeps its promises."""

import json
import re
from collections import Counter
from typing import Any

import pytest

from tests.conftest import STARTER
from vibe4vets.connectors.known_sources import known_sources
from vibe4vets.resources.geography import STATES
from vibe4vets.resources.models import Category


@pytest.fixture(scope="module")
def records() -> list[dict[str, Any]]:
    """Every record of the starter directory."""
    return [json.loads(line) for line in STARTER.read_text(encoding="utf-8").splitlines()]


def test_it_covers_every_category_state_and_territory(records: list[dict[str, Any]]) -> None:
    assert 950 <= len(records) <= 1200
    assert {category for record in records for category in record["categories"]} == {kind.value for kind in Category}
    assert {state for record in records for state in record["states_served"]} == set(STATES)
    assert {record["scope"] for record in records} == {"national", "state", "local"}


def test_each_record_names_its_source_and_its_date(records: list[dict[str, Any]]) -> None:
    identities = Counter((record["source"], record["source_record_id"]) for record in records)
    assert max(identities.values()) == 1
    assert {record["source"] for record in records} <= set(known_sources())
    assert all(record["as_of"] and record["provenance"] for record in records)


def test_the_list_of_sources_counts_its_records(records: list[dict[str, Any]]) -> None:
    page = (STARTER.parent / "SOURCES.md").read_text(encoding="utf-8")
    told = {slug: int(count) for slug, count in re.findall(r"^\| `(\w+)` \|.*\| (\d+) \|$", page, re.MULTILINE)}
    assert told == Counter(record["source"] for record in records)


def test_the_crisis_line_is_there_and_right(records: list[dict[str, Any]]) -> None:
    [line] = [record for record in records if record["title"] == "Veterans Crisis Line"]
    assert (line["phone"], line["hours"], line["scope"]) == ("988", "24/7", "national")
    assert "press 1" in line["description"]
    assert "838255" in line["description"]


def test_people_are_called_veterans_with_a_capital(records: list[dict[str, Any]]) -> None:
    for record in records:
        for text in (record["title"], record["description"], *record["eligibility"]):
            assert not re.search(r"\bveterans?\b", text), text
