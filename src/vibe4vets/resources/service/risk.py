"""What a wrong approval would do: the one rule, for what people propose and for what a source changes."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from vibe4vets.resources.models import ProposalKind, Risk

CRISIS_TAG: Final = "crisis-line"
PRIORITIES: Final = {Risk.CRISIS: 0, Risk.HIGH: 1, Risk.LOW: 2}
"""The order of the queue."""
_CRISIS_PHONES: Final = {"988", "+18002738255"}
_NUMBERS: Final = {"phone", "phone_extension"}
_ADDRESS: Final = ("street", "city", "state", "postal_code")
_SAME_SPOT_DEGREES: Final = 0.002
"""Two hundred metres: publishers place a building anew now and then, and nobody goes wrong by that."""


def is_crisis_line(content: Mapping[str, Any]) -> bool:
    """Whether people in danger are sent to this number."""
    return content.get("phone") in _CRISIS_PHONES or CRISIS_TAG in (content.get("tags") or ())


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
    return tags is not None and CRISIS_TAG in (tags["before"] or ()) and CRISIS_TAG not in (tags["after"] or ())


def _is_risky(field: str, change: Mapping[str, Any]) -> bool:
    before, after = change["before"], change["after"]
    match field:
        case "phone" | "phone_extension" | "eligibility":
            return True
        case "website":
            return _site(before) != _site(after)
        case "locations":
            return not _same_addresses(before or [], after or [])
    return False


def _site(address: str | None) -> str | None:
    """The host without `www.`: another page of the same site is no other site."""
    host = urlsplit(address or "").hostname
    return host and host.removeprefix("www.")


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
