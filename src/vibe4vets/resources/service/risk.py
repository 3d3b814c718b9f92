"""What a wrong approval would do: the one rule, for what people propose and for what a source changes."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from vibe4vets.core.urls import domain_of
from vibe4vets.resources.models import ProposalKind, Risk
from vibe4vets.resources.service.crisis import CRISIS_PHONES, CRISIS_TAGS

PRIORITIES: Final = {Risk.CRISIS: 0, Risk.HIGH: 1, Risk.LOW: 2}
"""The order of the queue."""
_NUMBERS: Final = {"phone", "phone_extension"}
_ADDRESS: Final = ("street", "city", "state", "postal_code")
_SAME_SPOT_DEGREES: Final = 0.002
"""Two hundred metres: publishers place a building anew now and then, and nobody goes wrong by that."""


def is_crisis_line(content: Mapping[str, Any]) -> bool:
    """Whether people in danger are sent to this number."""
    return content.get("phone") in CRISIS_PHONES or bool(_crisis_tags(content.get("tags")))


def _crisis_tags(tags: Sequence[str] | None) -> set[str]:
    return set(CRISIS_TAGS) & set(tags or ())


def risk_of(kind: ProposalKind, base: Mapping[str, Any], changes: Mapping[str, Any]) -> Risk:
    """The risk of `changes` (`before` and `after` of each field) to a resource whose content is `base`.

    The number of a crisis line is looked at before anything else, and so is the tag that says it is one.
    """
    ends = kind in {ProposalKind.ARCHIVE, ProposalKind.REPORT}
    if is_crisis_line(base) and (ends or _NUMBERS & changes.keys() or _loses_tag(changes)):
        return Risk.CRISIS
    if kind is not ProposalKind.CHANGE or any(_is_risky(field, change) for field, change in changes.items()):
        return Risk.HIGH
    return Risk.LOW


def _loses_tag(changes: Mapping[str, Any]) -> bool:
    tags = changes.get("tags")
    return tags is not None and bool(_crisis_tags(tags["before"]) - _crisis_tags(tags["after"]))


def _is_risky(field: str, change: Mapping[str, Any]) -> bool:
    before, after = change["before"], change["after"]
    match field:
        case "phone" | "phone_extension" | "email" | "eligibility":
            return True
        case "website":
            return domain_of(before) != domain_of(after)  # another page of the same owner is no other site
        case "locations":
            return not _same_addresses(before or [], after or [])
    return False


def _same_addresses(before: list[Any], after: list[Any]) -> bool:
    return len(before) == len(after) and all(map(_same_address, before, after))


def _same_address(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    if any(before.get(part) != after.get(part) for part in _ADDRESS):
        return False
    return all(_same_degree(before.get(axis), after.get(axis)) for axis in ("latitude", "longitude"))


def _same_degree(before: float | None, after: float | None) -> bool:
    if before is None or after is None:
        return before is after
    return abs(before - after) <= _SAME_SPOT_DEGREES
