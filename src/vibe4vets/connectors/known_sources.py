"""The table of known sources: who publishes, how far to rely on it, and under which terms."""

import csv
from functools import cache
from importlib.resources import files

from vibe4vets.resources.schemas import SourceIntake

COMMUNITY_TIER = 4


@cache
def known_sources() -> dict[str, SourceIntake]:
    """Every known source by its slug, from `known_sources.tsv` beside this module."""
    text = (files("vibe4vets.connectors") / "known_sources.tsv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines(), delimiter="\t")
    return {row["slug"]: _source(row) for row in rows}


def describe_source(slug: str) -> SourceIntake:
    """What is known of a source; a stranger is named by its slug and trusted least."""
    return known_sources().get(slug) or SourceIntake(slug=slug, name=slug, tier=COMMUNITY_TIER)


def _source(row: dict[str, str]) -> SourceIntake:
    return SourceIntake(
        slug=row["slug"],
        name=row["name"],
        tier=int(row["tier"]),
        url=row["url"] or None,
        licence=row["licence"] or None,
        attribution=row["attribution"] or None,
    )
