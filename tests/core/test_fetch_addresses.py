"""Which addresses are public, which sites are one, and that nothing but the fetcher opens a connection."""

import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from vibe4vets.core.fetch import RedirectRefused
from vibe4vets.core.fetch.addresses import is_public, parse_address
from vibe4vets.core.fetch.urls import follow, site_of

PROJECT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",  # noqa: S104  refused, not listened on
        "0.1.2.3",
        "10.0.0.5",
        "100.64.0.1",
        "100.100.100.200",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.8",
        "192.0.0.170",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.5",
        "::ffff:0:127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::5db8:d822",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "2001:10::1",
        "2001:20::1",
        "2001:db8::1",
        "2002:7f00:1::1",
        "2002:5db8:d822::1",
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
    ],
)
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(parse_address(address))


@pytest.mark.parametrize(
    "address",
    [
        "1.1.1.1",
        "93.184.216.34",
        "100.63.255.255",
        "100.128.0.1",
        "172.32.0.1",
        "192.88.98.1",
        "223.255.255.254",
        "::ffff:93.184.216.34",
        "2001:200::1",
        "2606:4700:4700::1111",
        "2620:fe::fe",
    ],
)
def test_addresses_that_are(address: str) -> None:
    assert is_public(parse_address(address))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("api.va.gov", "www.va.gov", True),
        ("va.gov", "VA.GOV.", True),
        ("sandbox-api.va.gov", "va.gov.evil.example", False),
        ("a.example.co.uk", "b.example.co.uk", True),
        ("one.co.uk", "two.co.uk", False),
        ("one.github.io", "two.github.io", False),  # a suffix under which anybody may publish
        ("10.0.0.1", "11.0.0.1", False),
        ("127.0.0.1", "127.0.0.1", True),
        ("::1", "::2", False),
        ("localhost", "localhost", True),
        ("com", "org", False),
    ],
)
def test_a_site_is_a_registrable_domain(one: str, other: str, *, same: bool) -> None:
    assert (site_of(one) == site_of(other)) is same


def test_a_redirect_never_leaves_tls() -> None:
    here = httpx.URL("https://api.va.gov/v1/facilities")
    assert str(follow(here, "/v2#top", frozenset(), same_site=True)) == "https://api.va.gov/v2"
    assert str(follow(here, "//www.va.gov", frozenset(), same_site=True)) == "https://www.va.gov"
    with pytest.raises(RedirectRefused, match="from https to http"):
        follow(here, "http://api.va.gov/v2", frozenset(), same_site=True)


@pytest.mark.parametrize(
    "offence",
    [
        "import httpx",
        "import httpcore",
        "import requests",
        "import socket",
        "import http.client",
        "import asyncio\nasyncio.open_connection('x', 80)",
        "from aiohttp import ClientSession",
        "from urllib.request import urlopen",
    ],
)
@pytest.mark.parametrize("module", ["resources/service/search.py", "connectors/sources/stray.py", "core/stray.py"])
def test_another_way_out_fails_the_build(offence: str, module: str) -> None:
    command = [sys.executable, "-m", "ruff", "check", "--no-cache", "--stdin-filename", f"src/vibe4vets/{module}", "-"]
    done = subprocess.run(
        command, cwd=PROJECT, input=f'"""Stray."""\n\n{offence}\n', capture_output=True, text=True, check=False
    )
    assert "TID251" in done.stdout
