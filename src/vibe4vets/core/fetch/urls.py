"""Which URLs are asked, and where a redirect may lead (rows F4, F5)."""

from functools import cache

import httpx
from publicsuffixlist import PublicSuffixList

from vibe4vets.core.fetch.dialling import PORTS, Exceptions
from vibe4vets.core.fetch.exceptions import RedirectRefused, URLRefused

_DEFAULT_PORTS = {"http": 80, "https": 443}
_LONGEST_HOST = 253


def port_of(url: httpx.URL) -> int:
    """The port that is dialled."""
    return url.port or _DEFAULT_PORTS[url.scheme]


def read_url(text: str, exceptions: Exceptions) -> httpx.URL:
    """Parse a URL of a public web server; refuse every other. The message never repeats a user or password."""
    try:
        url = httpx.URL(text)
    except (httpx.InvalidURL, UnicodeError, ValueError):
        message = "not a URL; give one such as https://example.org/feed.json"
        raise URLRefused(message) from None
    if url.scheme not in _DEFAULT_PORTS or not url.host:
        message = "not a web address; give one that begins with https:// or http:// and a host"
        raise URLRefused(message)
    if len(url.raw_host) > _LONGEST_HOST:
        message = "the host's name is longer than any can be"
        raise URLRefused(message)
    if url.userinfo:
        message = f"{url.host}: leave user and password out of the address"
        raise URLRefused(message)
    if port_of(url) not in PORTS | {port for _, port in exceptions}:
        message = f"{url.host}: only ports 80 and 443 are asked"
        raise URLRefused(message)
    return url.copy_with(fragment=None)


def follow(here: httpx.URL, location: str, exceptions: Exceptions, *, same_site: bool) -> httpx.URL:
    """Where a redirect leads, checked as anew; with `same_site`, within the same registrable domain only."""
    try:
        there = read_url(str(here.join(location)), exceptions)
    except (URLRefused, httpx.InvalidURL, ValueError):
        message = f"{here.host}: redirects to something that is not a public web address"
        raise RedirectRefused(message) from None
    if here.scheme == "https" and there.scheme == "http":
        message = f"{here.host}: redirects from https to http"
        raise RedirectRefused(message)
    if same_site and site_of(here.host) != site_of(there.host):
        message = f"{here.host}: redirects to another site ({there.host}); if that is right, set it as the address"
        raise RedirectRefused(message)
    return there


def site_of(host: str) -> str:
    """The registrable domain of a host (va.gov of api.va.gov); an address or a bare suffix is its own site."""
    name = host.rstrip(".").lower()
    if ":" in name or name.rpartition(".")[2].isdigit():
        return name
    return _suffixes().privatesuffix(name) or name


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()
