"""The table of known sources: who publishes, how far to rely on it, and under which terms."""

import csv
from functools import cache
from importlib.resources import files

from vibe4vets.connectors.base import About
from vibe4vets.resources.schemas import SourceIntake

COMMUNITY_TIER = 4


@cache
def known_sources() -> dict[str, About]:
    """Every known source by its slug, from `known_sources.tsv` beside this module."""
    text = (files("vibe4vets.connectors") / "known_sources.tsv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines(), delimiter="\t")
    return {row["slug"]: _about(row) for row in rows}


def describe_source(slug: str) -> About:
    """What is known of a source; a stranger is named by its slug and trusted least."""
    return known_sources().get(slug) or About(slug, slug, None, COMMUNITY_TIER)


def as_intake(about: About) -> SourceIntake:
    """What is known of a source, as the directory takes it."""
    return SourceIntake(
        slug=about.slug,
        name=about.name,
        tier=about.tier,
        url=about.url,
        licence=about.licence,
        attribution=about.publisher,
    )


def _about(row: dict[str, str]) -> About:
    return About(
        slug=row["slug"],
        name=row["name"],
        publisher=row["attribution"] or None,
        tier=int(row["tier"]),
        licence=row["licence"] or None,
        url=row["url"] or None,
    )
