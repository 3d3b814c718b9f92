"""Pages that answer 200 and are gone all the same."""

import pytest

from vibe4vets.connectors.link_models import Suspicion
from vibe4vets.connectors.service.links.suspecting import suspect

DEEP = "https://www.example.org/veterans/rent"
LONG = "<p>Rent help for Veterans.</p>" * 2000


@pytest.mark.parametrize(
    "page",
    [
        "<title>404</title>",
        "<title>Not Found</title>",
        "<TITLE lang=en>\n404 &ndash; Page Not Found | Example County</TITLE>" + LONG,
        "<h1 class='x'><span>Error 404</span></h1>" + LONG,
        "<h1>Sorry, the page can&rsquo;t be found</h1>" + LONG,
        "<h2>Página no encontrada</h2>",
        "<p>The page you are looking for has moved.</p>",
        "<p>This <b>program</b>\n no longer exists.</p>",
    ],
)
def test_a_page_that_says_it_was_not_found(page: str) -> None:
    assert suspect(DEEP, DEEP, page.encode()) is Suspicion.SAYS_NOT_FOUND


@pytest.mark.parametrize(
    "page",
    [
        "",
        "<title>Rent help</title>" + LONG,
        "<title>Call 404-555-0123 in Atlanta</title>",
        "<h1>404 Main Street</h1>",
        "<title>Where we are not found wanting</title>",
        "<title>Rent help</title><script>const gone = 'The page you are looking for'</script>" + LONG,
        "<title>Buy a home with a VA loan</title><p>A domain of the VA.</p>",
    ],
)
def test_a_page_that_is_what_it_says(page: str) -> None:
    assert suspect(DEEP, DEEP, page.encode()) is None


@pytest.mark.parametrize("page", ["<title>example.org</title><p>This domain is for sale", "<p>Buy this domain.</p>"])
def test_a_parked_domain(page: str) -> None:
    assert suspect("https://example.org/", "https://example.org/", page.encode()) is Suspicion.PARKED


def test_a_domain_that_leads_to_a_market_of_domains() -> None:
    assert suspect(DEEP, "https://www.hugedomains.com/domain_profile.cfm?d=x", b"") is Suspicion.PARKED
    assert suspect(DEEP, "https://www.example.org/dan.com", b"") is None


@pytest.mark.parametrize(
    ("asked", "final", "is_suspect"),
    [
        (DEEP, "https://www.example.org/", True),
        (DEEP, "https://www.example.org", True),
        (DEEP, "https://new.example.org/index.html", True),
        (f"{DEEP}?id=5", "https://www.example.org/Home", True),
        ("https://www.example.org/?page_id=7", "https://www.example.org/", True),
        (DEEP, "https://www.example.org/veterans", False),
        (DEEP, "https://www.example.org/homeless", False),
        (DEEP, "https://www.example.org/?p=5", False),
        ("https://example.org", "https://www.example.org/", False),
        ("https://example.org/index.php", "https://www.example.org/", False),
    ],
)
def test_a_deep_address_that_leads_to_a_home_page(asked: str, final: str, is_suspect: bool) -> None:  # noqa: FBT001
    assert suspect(asked, final, b"<title>Welcome</title>") is (Suspicion.HOME_PAGE if is_suspect else None)


@pytest.mark.parametrize("piece", [b"<title", b"<title>", b"<h1><", b"<", b"&#", b"<a", b"404 page ", b"page you "])
def test_a_hostile_page_is_read_in_one_pass(piece: bytes) -> None:
    """What looks back again and again would take minutes for each of these."""
    for size in (29_000, 256 * 1024):
        suspect(DEEP, DEEP, piece * (size // len(piece)))
