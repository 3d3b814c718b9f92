"""Which addresses are asked: the public ones, and what an address hides inside is looked at too (row F2)."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final, TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address

# `is_global` takes each of these for public: it follows the registry of its Python version, and is blind to
# addresses that a translator on our side would turn into private ones.
_REFUSED_V4: Final = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",
        "100.64.0.0/10",  # shared by the customers of a carrier, and by some clouds' metadata
        "192.0.0.0/24",
        "192.88.99.0/24",  # 6to4 relays
        "224.0.0.0/3",  # multicast, reserved, broadcast
    )
)
_UNICAST_V6: Final = IPv6Network("2000::/3")  # outside it lie ::/96, NAT64, fc00::/7, fe80::/10, fec0::/10, ff00::/8
_REFUSED_V6: Final = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # Teredo and other protocols' own
        "2001:db8::/32",
        "2002::/16",  # 6to4: holds any IPv4 address
        "3fff::/20",
    )
)


def parse_address(text: str) -> Address:
    """Read a numeric address; an IPv4 address written as IPv6 (::ffff:127.0.0.1) is what it stands for."""
    address = ip_address(text.partition("%")[0])
    return getattr(address, "ipv4_mapped", None) or address


def is_public(address: Address) -> bool:
    """Whether anybody on the internet may reach this address, so that reaching it for somebody reveals nothing."""
    if isinstance(address, IPv4Address):
        return address.is_global and not any(address in network for network in _REFUSED_V4)
    return address in _UNICAST_V6 and address.is_global and not any(address in network for network in _REFUSED_V6)
