"""Pages that answer 200 and are gone all the same: a hint for reviewers, never a verdict."""

import re
from html import unescape
from typing import Final
from urllib.parse import urlsplit

from vibe4vets.connectors.link_models import Suspicion

_SHORT: Final = 30_000
"""A long page carries sentences in its scripts that no visitor sees."""
# A hostile page is read in one pass: no pattern looks further than 300 characters, or past the next tag.
_HEADING: Final = re.compile(r"<(title|h1|h2)\b[^<>]*>(.{0,300}?)</\1", re.DOTALL)
_TAG: Final = re.compile(r"<[^<>]*>")
# 404 alone is Atlanta's area code, and a house number
_NOT_FOUND: Final = re.compile(
    r"""\b(?:error\W{0,3}404|404\W{0,3}(?:error|not\ found|page))\b
    | \b(?:page|file|content|site)\ (?:was\ |is\ )?not\ found\b | \bpágina\ no\ encontrada\b
    | \b(?:page|file)\ (?:can\ ?not|can't|could\ not|couldn't)\ be\ found\b
    | ^(?:404\W*|not\ found)$""",
    re.VERBOSE,
)
_GONE: Final = re.compile(
    r"""\bpage\ (?:that\ )?you\ (?:are\ looking|were\ looking|requested)
    | \bpage\ you're\ looking | \b(?:page|program|site)\ (?:no\ longer\ exists|is\ no\ longer\ available)""",
    re.VERBOSE,
)
_PARKED: Final = re.compile(
    r"domain (?:name )?(?:is|may be) (?:for sale|parked)|buy this domain|domain has expired|parked free, courtesy"
    r"|this domain (?:name )?is available for (?:sale|purchase)"
)
_PARKING: Final = (
    "sedo.com", "sedoparking.com", "hugedomains.com", "parkingcrew.net", "bodis.com", "afternic.com", "dan.com",
    "buydomains.com", "domainmarket.com",
)  # fmt: skip
_HOME: Final = re.compile(r"/*(?:(?:index|default|home)(?:\.[a-z]{2,5})?/?)?", re.IGNORECASE)


def suspect(asked: str, final: str, body: bytes) -> Suspicion | None:
    """Why the page at `final`, where asking for `asked` led to, may not be the one that was meant; None if it may."""
    said = _said(body)
    if _is_at(final, _PARKING) or _PARKED.search(said):
        return Suspicion.PARKED
    if any(_NOT_FOUND.search(line) or _GONE.search(line) for line in said.splitlines()):
        return Suspicion.SAYS_NOT_FOUND
    if not _is_home(asked) and _is_home(final):
        return Suspicion.HOME_PAGE
    return None


def _said(body: bytes) -> str:
    """The title and the headings, a line each, and of a short page all its text as one more."""
    page = unescape(body.decode(errors="replace")).replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").lower()
    lines = [found for _, found in _HEADING.findall(page)]
    if len(body) <= _SHORT:
        lines.append(page)
    return "\n".join(" ".join(_TAG.sub(" ", line).split()) for line in lines)


def _is_at(url: str, sites: tuple[str, ...]) -> bool:
    host = urlsplit(url).hostname or ""
    return any(host == site or host.endswith(f".{site}") for site in sites)


def _is_home(url: str) -> bool:
    parts = urlsplit(url)
    return not parts.query and _HOME.fullmatch(parts.path) is not None
