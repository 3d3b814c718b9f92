"""What a wrong approval would do."""

from typing import Any

import pytest

from vibe4vets.resources.models import ProposalKind, Risk
from vibe4vets.resources.service import risk_of

PLACE = {"street": "1 Main St", "city": "Columbus", "state": "OH", "postal_code": "43215"}
SPOT = PLACE | {"latitude": 39.96, "longitude": -83.0, "county": None}


@pytest.mark.parametrize(
    ("field", "before", "after", "risk"),
    [
        ("phone", "+16145550100", "+16145550199", Risk.HIGH),
        ("phone_extension", "1", None, Risk.HIGH),
        ("eligibility", ["Veterans"], [], Risk.HIGH),
        ("website", "https://help.example.org/a", "http://www.help.example.org/b?c", Risk.LOW),
        ("website", "https://HELP.example.org", "https://help.example.org", Risk.LOW),
        ("website", "https://help.example.org", "https://help.example.com", Risk.HIGH),
        ("website", "https://help.example.org", "https://other.example.org", Risk.LOW),
        ("website", "https://help.github.io", "https://other.github.io", Risk.HIGH),
        ("website", None, "https://help.example.org", Risk.HIGH),
        ("locations", [SPOT], [SPOT | {"county": "Franklin", "name": "Door B"}], Risk.LOW),
        ("locations", [SPOT], [SPOT | {"latitude": 39.961}], Risk.LOW),
        ("locations", [SPOT], [SPOT | {"latitude": 39.97}], Risk.HIGH),
        ("locations", [SPOT], [PLACE], Risk.HIGH),
        ("locations", [SPOT], [SPOT | {"street": "2 Main St"}], Risk.HIGH),
        ("locations", [SPOT], [SPOT, SPOT], Risk.HIGH),
        ("locations", None, [PLACE], Risk.HIGH),
        ("title", "a", "b", Risk.LOW),
        ("hours", {"text": "a", "weekly": None}, {"text": None, "weekly": None}, Risk.LOW),
        ("tags", ["crisis-line"], [], Risk.LOW),
    ],
)
def test_risk_is_what_sends_people_elsewhere(field: str, before: Any, after: Any, risk: Risk) -> None:
    changes = {field: {"before": before, "after": after}}
    assert risk_of(ProposalKind.CHANGE, {field: before} if field != "tags" else {}, changes) is risk


@pytest.mark.parametrize("base", [{"phone": "988"}, {"phone": "+18002738255"}, {"tags": ["crisis-line"]}])
def test_a_crisis_line_comes_before_all(base: dict[str, Any]) -> None:
    change = {"before": "a", "after": "b"}
    assert risk_of(ProposalKind.CHANGE, base, {"phone": change}) is Risk.CRISIS
    assert risk_of(ProposalKind.CHANGE, base, {"phone_extension": change, "title": change}) is Risk.CRISIS
    assert risk_of(ProposalKind.ARCHIVE, base, {}) is Risk.CRISIS
    assert risk_of(ProposalKind.REPORT, base, {}) is Risk.CRISIS
    assert risk_of(ProposalKind.CHANGE, base, {"title": change}) is Risk.LOW
    lost = {"tags": {"before": ["crisis-line", "x"], "after": ["x"]}}
    assert risk_of(ProposalKind.CHANGE, base, lost) is Risk.CRISIS
    kept = {"tags": {"before": ["crisis-line"], "after": ["crisis-line", "x"]}}
    assert risk_of(ProposalKind.CHANGE, base, kept) is Risk.LOW


def test_what_is_no_change_is_looked_at_closely() -> None:
    assert risk_of(ProposalKind.CREATE, {}, {"title": {"before": None, "after": "a"}}) is Risk.HIGH
    assert risk_of(ProposalKind.ARCHIVE, {"phone": "+16145550100", "tags": []}, {}) is Risk.HIGH
