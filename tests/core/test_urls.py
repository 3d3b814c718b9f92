"""A web site that we publish is on the public web (row A22)."""

import pytest
from pydantic import TypeAdapter, ValidationError

from vibe4vets.core.urls import HTTPURL

ADAPTER = TypeAdapter(HTTPURL)


@pytest.mark.parametrize(
    "url",
    [
        "https://www.va.gov/", "http://va.gov", "HTTPS://WWW.VA.GOV/Path?q=1#part", "https://a.co.uk", "https://state.oh.us",
        "https://caf\u00e9.fr/men\u00fc", "https://xn--caf-dma.fr", "https://example.org:8443/x", "https://veterans.ohio.gov?x",
        "https://8.8.8.8/", "https://[2606:4700::1111]/", "https://x.github.io", "https://a-b.c1.example.com",
    ],
)  # fmt: skip
def test_a_public_address_is_kept_as_it_is(url: str) -> None:
    assert ADAPTER.validate_python(f" {url} ".strip()) == url


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)", "data:text/html,x", "ftp://va.gov", "//va.gov", "va.gov", "https:/va.gov", "https://",
        "https:///va.gov", "https://user@va.gov", "https://user:pass@va.gov", "https://:@va.gov", "https://@va.gov",
        "https://localhost", "https://intranet/", "https://db.internal", "https://printer.local", "https://com", "https://co.uk",
        "https://127.0.0.1", "https://10.0.0.1", "https://192.168.1.1", "https://169.254.169.254/latest", "https://0.0.0.0",
        "https://100.64.0.1", "https://224.0.0.1", "https://2130706433", "https://0x7f.1", "https://0177.0.0.1", "https://127.1",
        "https://[::1]", "https://[fe80::1]", "https://[::ffff:127.0.0.1]", "https://[64:ff9b::7f00:1]", "https://[2002:7f00:1::]",
        "https://[fc00::1]", "https://[va.gov]", "https://[::1", "https://va.gov:99999", "https://va.gov:x", "https://va.gov:0",
        "https://va .gov", "https://va.gov/a b", "https://va.gov\\@evil.example", "https://-va.gov", "https://va-.gov", "https://va..gov",
        "https://.va.gov", "https://va.gov.", "https://va_.gov", "https://va.gov/\n", "https://va.gov/\u202e", "https://va.gov/\0",
        "https://" + "a" * 64 + ".com", "https://va.gov/" + "x" * 2000, "https://example.nosuchsuffix", "https://va.gov%2f.evil",
    ],
)  # fmt: skip
def test_any_other_is_refused_without_an_echo(url: str) -> None:
    with pytest.raises(ValidationError) as caught:
        ADAPTER.validate_python(url)
    (error,) = caught.value.errors()
    assert error["type"] in {"web_address", "string_pattern_mismatch", "too_long", "unsafe_text"}
    assert "evil" not in error["msg"]
