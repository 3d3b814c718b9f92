"""Names for people of the values that resources carry."""

from functools import cache
from importlib.resources import files

from vibe4vets.resources.geography import STATES
from vibe4vets.resources.models import Category

CATEGORY_NAMES = {
    Category.EMPLOYMENT: "Employment",
    Category.TRAINING: "Job training",
    Category.HOUSING: "Housing",
    Category.LEGAL: "Legal help",
    Category.FOOD: "Food",
    Category.BENEFITS: "Benefits and claims",
    Category.MENTAL_HEALTH: "Mental health",
    Category.SUPPORT_SERVICES: "Support services",
    Category.HEALTHCARE: "Health care",
    Category.EDUCATION: "Education",
    Category.FINANCIAL: "Financial help",
    Category.FAMILY: "Family and survivors",
}
GENERAL_TERMS = {
    Category.EMPLOYMENT: "job-placement",
    Category.TRAINING: "job-training",
    Category.HOUSING: "housing-assistance",
    Category.LEGAL: "legal-aid",
    Category.FOOD: "food-assistance",
    Category.BENEFITS: "claims-assistance",
    Category.MENTAL_HEALTH: "counseling",
    Category.HEALTHCARE: "health-care",
    Category.EDUCATION: "education-benefits",
    Category.FINANCIAL: "emergency-financial-assistance",
    Category.FAMILY: "family-support",
}
"""What a resource of a category is about as far as the category tells; support services may be anything."""
_ACRONYMS = frozenset(
    ["cboc", "dic", "fqhc", "gi", "gpd", "hud", "lsc", "mst", "pha", "ptsd", "sba", "ssvf", "tbi", "va", "vamc", "vash"]
)


def category_name(value: str) -> str:
    """The category's name; the twelve are fixed."""
    return CATEGORY_NAMES[Category(value)]


def state_name(value: str) -> str:
    """The state's full name."""
    return STATES[value]


@cache
def taxonomy() -> dict[str, dict[str, str | None]]:
    """The terms that ship with the project, by code: parent, category, name and description."""
    text = (files("vibe4vets.resources") / "lexicon" / "terms.tsv").read_text(encoding="utf-8")
    lines = (line.split("\t") for line in text.splitlines() if not line.startswith("#"))
    return {
        code: {"code": code, "parent": parent or None, "category": category, "name": name, "description": description}
        for code, parent, category, name, description in lines
    }


def tag_name(value: str) -> str:
    """The name of a term of the taxonomy; any other tag in words: `womens-clinic` reads "Womens clinic"."""
    if (term := taxonomy().get(value)) is not None and term["name"]:
        return term["name"]
    words = [word.upper() if word in _ACRONYMS else word for word in value.split("-")]
    words[0] = words[0][:1].upper() + words[0][1:]
    return " ".join(words)


def scope_name(value: str) -> str:
    """The scope in one word."""
    return value.capitalize()
