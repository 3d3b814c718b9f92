"""Addresses of web sites that somebody gives us to publish."""

import re
from functools import cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from publicsuffixlist import PublicSuffixList
from pydantic import AfterValidator, StringConstraints
from pydantic_core import PydanticCustomError

from vibe4vets.core.schemas import Line

MOST_CHARACTERS = 2_000
_HTTP = r"^[Hh][Tt][Tt][Pp][Ss]?://[^\s\\]+$"
_LABEL = re.compile(r"[^\W_](?:[\w-]{0,61}[^\W_])?")
# an IPv4 address in other clothes, which may be a private one
_TRANSLATED = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"), IPv6Network("2002::/16"))


def _of_the_public_web(text: str) -> str:
    try:
        parts = urlsplit(text)
        is_good = _has_public_host(parts) and parts.port != 0
    except ValueError:  # a port or a bracket that is none
        is_good = False
    if not is_good:
        raise PydanticCustomError(
            "web_address", "Give the address of a public web site, such as https://www.va.gov/, without a user name"
        )
    return text


def _has_public_host(parts: SplitResult) -> bool:
    host = parts.hostname
    if not host or parts.username is not None or parts.password is not None:
        return False
    try:
        return _is_public(ip_address(host))
    except ValueError:
        labels = host.split(".")
        if "[" in parts.netloc:
            return False
        return all(map(_LABEL.fullmatch, labels)) and _suffixes().privatesuffix(host) is not None


def domain_of(url: str | None) -> str | None:
    """The domain that somebody has registered, of a URL that is an `HTTPURL`; for an address its digits."""
    host = urlsplit(url).hostname if url else None
    return host and (_owners().privatesuffix(host) or host)


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv6Address) and any(address in network for network in _TRANSLATED):
        return False
    return address.is_global and not address.is_multicast


@cache
def _owners() -> PublicSuffixList:
    """With the suffixes under which anybody may have a site: a.github.io and b.github.io are of two owners."""
    return PublicSuffixList(accept_unknown=False)


@cache
def _suffixes() -> PublicSuffixList:
    """The list that comes with the package; nothing is fetched. Reading it takes a tenth of a second."""
    return PublicSuffixList(accept_unknown=False, only_icann=True)


HTTPURL = Annotated[
    Line, StringConstraints(pattern=_HTTP, max_length=MOST_CHARACTERS), AfterValidator(_of_the_public_web)
]
