"""The fetcher against a scripted server on a real socket: what it takes, what it refuses, what it never tells."""

import asyncio
import gzip
import logging
import ssl
import subprocess
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest
from pydantic import SecretStr, ValidationError
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.publisher import Asked, Publisher, http
from vibe4vets.core.config import FetchSettings, Settings
from vibe4vets.core.fetch import (
    FEED,
    LINK,
    AddressRefused,
    AnswerTooLarge,
    AnswerTooSlow,
    CertificateRefused,
    ContentRefused,
    Fetcher,
    FetchError,
    RedirectRefused,
    UnexpectedStatus,
    Unreachable,
    URLRefused,
    Validators,
)
from vibe4vets.core.fetch.hosts import PostgresHosts

CANARY = "canary-5f1d0c"
ONCE = replace(FEED, tries=1, bytes=1_000_000)
QUICK = replace(ONCE, tries=5, backoff=timedelta(milliseconds=4))
Make = Callable[[Publisher], Fetcher]


@pytest.fixture
def make(engine: AsyncEngine) -> Make:
    """A fetcher with the register of this test's own database."""
    return lambda publisher: Fetcher(FetchSettings(allow=publisher.address), PostgresHosts(engine))


async def test_an_answer_has_its_body_and_a_receipt_of_three_facts(fetcher: Fetcher, publisher: Publisher) -> None:
    publisher.scripts["/feed"] = http(b'{"a": 1}', etag='"v1"', last_modified="Sat, 21 Nov 2026 08:00:00 GMT")
    answer = await fetcher.get(publisher.url("/feed#part"), limits=ONCE, accept=["application/json"])
    assert answer.json() == {"a": 1}
    assert answer.validators == Validators('"v1"', "Sat, 21 Nov 2026 08:00:00 GMT")
    assert answer.receipt.url == publisher.url("/feed")
    assert (answer.receipt.status, len(answer.receipt.sha256 or "")) == (200, 64)
    (asked,) = publisher.asked
    assert asked.headers["host"] == publisher.address
    assert asked.headers["user-agent"].startswith("vibe4vets")


async def test_a_known_version_is_asked_for_by_its_validators(fetcher: Fetcher, publisher: Publisher) -> None:
    publisher.scripts["/feed"] = http(status="304 Not Modified")
    known = Validators('"v1"', "Sat, 21 Nov 2026 08:00:00 GMT")
    answer = await fetcher.get(publisher.url("/feed"), limits=ONCE, known=known, accept=["application/json"])
    assert answer.is_unmodified
    assert answer.receipt.sha256 is None
    assert publisher.asked[0].headers["if-none-match"] == '"v1"'
    assert publisher.asked[0].headers["if-modified-since"] == known.last_modified
    with pytest.raises(UnexpectedStatus):  # nobody asked whether it was modified
        await fetcher.get(publisher.url("/feed"), limits=ONCE)


@pytest.mark.parametrize("etag", ["", '"é"', f'"{"x" * 200}"', '"a\tb"', ' "a"  "b" '])
async def test_a_validator_that_could_not_be_sent_back_is_none(
    fetcher: Fetcher, publisher: Publisher, etag: str
) -> None:
    publisher.scripts["/feed"] = http(b"{}", etag=etag)
    answer = await fetcher.get(publisher.url("/feed"), limits=ONCE)
    assert answer.validators == Validators()
    await fetcher.get(publisher.url("/feed"), limits=ONCE, known=answer.validators)
    assert "if-none-match" not in publisher.asked[1].headers


async def test_a_failure_tells_its_status_and_where_it_came_from(fetcher: Fetcher, publisher: Publisher) -> None:
    publisher.scripts["/feed"] = http(status="302 Found", location="/gone")
    with pytest.raises(UnexpectedStatus) as failure:
        await fetcher.get(publisher.url("/feed"), limits=ONCE)
    assert (failure.value.status, failure.value.url) == (404, publisher.url("/gone"))


async def test_pages_of_one_host_share_a_connection(fetcher: Fetcher, publisher: Publisher) -> None:
    publisher.scripts["/feed"] = http(b"{}")
    for _ in range(3):
        await fetcher.get(publisher.url("/feed"), limits=ONCE)
    assert (publisher.hits("/feed"), publisher.connections) == (3, 1)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "feed.json",
        "//example.org/",
        "ftp://example.org/",
        "file:///etc/passwd",
        "gopher://example.org/",
        "https://",
        "https://user:hunter2@example.org/",
        "https://example.org:22/",
        "https://example.org:8443/",
        "https://exa\nmple.org/",
        "https://[::1",
    ],
)
async def test_urls_that_are_no_public_web_address_are_refused(fetcher: Fetcher, url: str) -> None:
    with pytest.raises(URLRefused) as refusal:
        await fetcher.get(url, limits=ONCE)
    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "127.1", "[::1]", "[::ffff:127.0.0.1]", "169.254.169.254"],
)
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_hosts_inside_are_not_dialled(fetcher: Fetcher, scheme: str, host: str) -> None:
    with pytest.raises(AddressRefused):
        await fetcher.get(f"{scheme}://{host}/", limits=ONCE)


async def test_the_allow_list_is_one_address_with_one_port(make: Make, publisher: Publisher) -> None:
    async with Publisher({"/": http(b"{}")}).running() as other, make(publisher) as fetcher:
        with pytest.raises(URLRefused):
            await fetcher.get(other.url("/"), limits=ONCE)
        assert other.connections == 0
    async with Publisher({"/": http(b"{}")}).running("127.0.0.2", publisher.port) as other, make(publisher) as fetcher:
        with pytest.raises(AddressRefused):
            await fetcher.get(f"http://127.0.0.2:{publisher.port}/", limits=ONCE)
        assert other.connections == 0


async def test_proxies_of_the_environment_are_not_used(
    make: Make, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher.scripts["/feed"] = http(b"{}")
    async with Publisher().running() as proxy:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url(""))
        async with make(publisher) as fetcher:
            await fetcher.get(publisher.url("/feed"), limits=ONCE)
        assert proxy.connections == 0


async def test_redirects_are_followed_three_times(fetcher: Fetcher, publisher: Publisher) -> None:
    for number in range(5):
        publisher.scripts[f"/{number}"] = http(status="302 Found", location=f"{number + 1}")
    publisher.scripts["/5"] = http(b"{}")
    answer = await fetcher.get(publisher.url("/2"), limits=ONCE)
    assert answer.url == publisher.url("/5")
    with pytest.raises(RedirectRefused, match="more than 3 times"):
        await fetcher.get(publisher.url("/1"), limits=ONCE)
    assert publisher.hits("/5") == 1


@pytest.mark.parametrize(
    "location",
    ["http://169.254.169.254/latest/meta-data", "http://127.0.0.1:1/", "file:///etc/passwd", "http://u:p@127.0.0.1/"],
)
async def test_a_redirect_is_checked_like_the_first_url(fetcher: Fetcher, publisher: Publisher, location: str) -> None:
    publisher.scripts["/"] = http(status="302 Found", location=location)
    with pytest.raises((RedirectRefused, AddressRefused)):
        await fetcher.get(publisher.url("/"), limits=replace(ONCE, same_site=False))


async def test_another_site_is_another_publisher(fetcher: Fetcher, publisher: Publisher) -> None:
    publisher.scripts["/"] = http(status="301 Moved Permanently", location=f"http://localhost:{publisher.port}/there")
    publisher.scripts["/there"] = http(b"{}")
    with pytest.raises(RedirectRefused, match="another site"):
        await fetcher.get(publisher.url("/"), limits=ONCE)
    keys = {"apikey": SecretStr(CANARY)}
    # localhost has two addresses on most machines; only the one on the list may be dialled
    try:
        await fetcher.get(publisher.url("/"), limits=replace(ONCE, same_site=False), secrets=keys)
    except AddressRefused:
        return
    assert publisher.asked[-1].path == "/there"
    assert "apikey" not in publisher.asked[-1].headers


async def test_cookies_are_forgotten(fetcher: Fetcher, publisher: Publisher) -> None:
    publisher.scripts["/"] = http(status="302 Found", location="/there", set_cookie="session=1; Path=/")
    publisher.scripts["/there"] = http(b"{}", set_cookie="other=1; Path=/")
    for _ in range(2):
        await fetcher.get(publisher.url("/"), limits=ONCE)
    assert [asked.headers.get("cookie") for asked in publisher.asked] == [None] * 4


async def test_more_bytes_than_allowed_are_refused_unread(fetcher: Fetcher, publisher: Publisher) -> None:
    publisher.scripts["/announced"] = http(content_length=str(10 * 1024**3))
    publisher.scripts["/endless"] = _endless
    for path in ("/announced", "/endless"):
        async with asyncio.timeout(15):  # against a hang only
            with pytest.raises(AnswerTooLarge):
                await fetcher.get(publisher.url(path), limits=ONCE)


async def _endless(_asked: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n")
    while True:
        writer.write(b"x" * 65536)
        await writer.drain()


async def test_a_link_check_reads_the_beginning_only(fetcher: Fetcher, publisher: Publisher) -> None:
    publisher.scripts["/"] = _endless
    answer = await fetcher.get(publisher.url("/"), limits=LINK)
    assert answer.body == b"x" * LINK.bytes


async def test_gzip_is_read_and_a_bomb_is_not(fetcher: Fetcher, publisher: Publisher) -> None:
    packed = gzip.compress(b'{"a": 1}')
    bomb = gzip.compress(bytes(300_000_000), 1)
    publisher.scripts["/good"] = http(packed, content_encoding="gzip")
    publisher.scripts["/bomb"] = http(bomb, content_encoding="gzip")
    publisher.scripts["/cut"] = http(packed[:-12], content_encoding="gzip")
    publisher.scripts["/false"] = http(b"{}", content_encoding="gzip")
    publisher.scripts["/twice"] = http(gzip.compress(packed), content_encoding="gzip, gzip")
    assert (await fetcher.get(publisher.url("/good"), limits=ONCE)).json() == {"a": 1}
    tracemalloc.start()
    with pytest.raises(AnswerTooLarge, match="inflates more than 100 times"):
        await fetcher.get(publisher.url("/bomb"), limits=FEED)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20_000_000
    for path, error in [("/cut", Unreachable), ("/false", ContentRefused), ("/twice", ContentRefused)]:
        with pytest.raises(error):
            await fetcher.get(publisher.url(path), limits=ONCE)


async def test_inflated_bytes_are_capped_whatever_the_ratio(fetcher: Fetcher, publisher: Publisher) -> None:
    publisher.scripts["/"] = http(gzip.compress(b"0123456789abcdef" * 4096), content_encoding="gzip")
    with pytest.raises(AnswerTooLarge, match="larger than 60,000 bytes"):
        await fetcher.get(publisher.url("/"), limits=replace(ONCE, bytes=60_000, ratio=10_000))


async def _drip_body(_asked: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    await _drip(writer)


async def _drip_head(_asked: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nx-slow: ")
    await _drip(writer)


async def _drip(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.02)


async def _silent(_asked: Asked, _writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(20)


@pytest.mark.parametrize("script", [_drip_body, _drip_head, _silent])
async def test_a_drip_is_given_up(fetcher: Fetcher, publisher: Publisher, script: object) -> None:
    publisher.scripts["/"] = script  # type: ignore[assignment]
    limits = replace(ONCE, pace_window=timedelta(seconds=0.2))
    async with asyncio.timeout(15):  # against a hang only
        with pytest.raises((AnswerTooSlow, Unreachable)):
            await fetcher.get(publisher.url("/"), limits=limits)


async def test_the_whole_has_its_time_too(fetcher: Fetcher, publisher: Publisher) -> None:
    publisher.scripts["/"] = _drip_body
    with pytest.raises(AnswerTooSlow, match="not done within"):
        await fetcher.get(publisher.url("/"), limits=replace(ONCE, total=timedelta(seconds=0.2), tries=3))


async def test_a_login_page_is_no_feed(fetcher: Fetcher, publisher: Publisher) -> None:
    publisher.scripts["/"] = http(b"<html>Sign in</html>", content_type="text/html; charset=utf-8")
    with pytest.raises(ContentRefused, match="text/html in place of application/json"):
        await fetcher.get(publisher.url("/"), limits=ONCE, accept=["application/json"])


@pytest.mark.parametrize("body", [b"{", b"[" * 100_000, b'{"a": "\xff"}', b""])
async def test_what_is_not_json_is_told_as_such(fetcher: Fetcher, publisher: Publisher, body: bytes) -> None:
    publisher.scripts["/"] = http(body)
    answer = await fetcher.get(publisher.url("/"), limits=ONCE)
    with pytest.raises(ContentRefused):
        answer.json()


async def test_a_body_that_is_cut_off_is_no_answer(fetcher: Fetcher, publisher: Publisher) -> None:
    async def cut(_asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(http(b'{"a": 1}', content_length="100"))

    publisher.scripts["/"] = cut
    with pytest.raises(Unreachable):
        await fetcher.get(publisher.url("/"), limits=ONCE)


@pytest.mark.parametrize("key", [CANARY, f"{CANARY}\n", f"{CANARY}\r\nx: y", f"{CANARY} \x00", f"{CANARY}é"])
async def test_a_key_is_in_its_header_and_nowhere_else(
    fetcher: Fetcher, publisher: Publisher, sql: asyncpg.Connection, caplog: pytest.LogCaptureFixture, key: str
) -> None:
    caplog.set_level(logging.DEBUG)
    told = []
    scripts = [http(b"{}"), http(status="401 No"), http(status="500 Oops"), http(b"{}", content_type="text/html")]
    for script in scripts:
        publisher.scripts["/"] = script
        try:
            answer = await fetcher.get(
                publisher.url("/"), limits=ONCE, accept=["application/json"], secrets={"apikey": SecretStr(key)}
            )
            told.append(repr(answer))
        except FetchError as error:
            told += [str(error), repr(error), repr(error.__cause__), repr(error.__context__)]
    assert [asked.headers.get("apikey") for asked in publisher.asked] == ([key] * 4 if key == CANARY else [])
    assert CANARY not in "".join(told) + caplog.text + str(await sql.fetch("select * from fetch_hosts"))
    assert "apikey" in "".join(told) or key == CANARY


async def test_a_key_goes_over_https_only(engine: AsyncEngine) -> None:
    async with Fetcher(FetchSettings(), PostgresHosts(engine)) as fetcher:
        with pytest.raises(URLRefused, match="over https only"):
            await fetcher.get("http://api.va.gov/", secrets={"apikey": SecretStr(CANARY)}, limits=ONCE)


@pytest.fixture(scope="session")
def self_signed(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """The TLS of a server whose certificate nobody has signed."""
    folder = tmp_path_factory.mktemp("tls")
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout key -out cert"
    subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert", folder / "key")
    return context


async def test_a_certificate_must_be_signed_and_the_name_is_told(
    make: Make, self_signed: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    names: list[str | None] = []
    self_signed.sni_callback = lambda _socket, name, _context: names.append(name)
    for variable in ("PYTHONHTTPSVERIFY", "SSL_NO_VERIFY", "CURL_INSECURE"):
        monkeypatch.setenv(variable, "0")
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", _here)
    async with Publisher({"/": http(b"{}")}).running(tls=self_signed) as publisher, make(publisher) as fetcher:
        with pytest.raises(CertificateRefused):
            await fetcher.get(f"https://feed.example.org:{publisher.port}/", limits=QUICK)
    assert names == ["feed.example.org"]
    assert publisher.asked == []


async def _here(*_: object, **__: object) -> list[tuple[object, ...]]:
    """Every name is this machine."""
    return [(2, 1, 6, "", ("127.0.0.1", 0))]


async def test_a_name_is_resolved_once_and_each_of_its_addresses_counts(
    fetcher: Fetcher, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    def resolve(*addresses: str) -> Callable[..., object]:
        async def answer(host: str, *_: object, **__: object) -> list[tuple[object, ...]]:
            asked.append(host)
            return [(2, 1, 6, "", (address, 0)) for address in addresses]

        return answer

    publisher.scripts["/"] = http(b"{}")
    loop, url = asyncio.get_running_loop(), f"http://feed.example.org:{publisher.port}/"
    for addresses in (["127.0.0.1", "10.0.0.5"], ["10.0.0.5", "127.0.0.1"], ["127.0.0.1", "::ffff:10.0.0.5"]):
        monkeypatch.setattr(loop, "getaddrinfo", resolve(*addresses))
        with pytest.raises(AddressRefused):
            await fetcher.get(url, limits=ONCE)
    assert publisher.connections == 0
    asked.clear()
    monkeypatch.setattr(loop, "getaddrinfo", resolve("127.0.0.1"))
    await fetcher.get(url, limits=ONCE)
    assert asked == ["feed.example.org"]
    assert publisher.asked[0].headers["host"] == f"feed.example.org:{publisher.port}"


def test_the_allow_list_is_for_tests_and_says_so() -> None:
    assert not FetchSettings().reaches_inside
    assert FetchSettings(allow="127.0.0.1:80, [::1]:8001").reaches_inside
    for wrong in ("localhost:80", "127.0.0.1", "", "127.0.0.1:x", "127.0.0.0/8:80"):
        with pytest.raises(ValidationError, match="numeric addresses"):
            FetchSettings(allow=wrong)


def test_the_allow_list_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIBE4VETS_FETCH__ALLOW", "127.0.0.1:8001")
    assert len(Settings(_env_file=None).fetch.exceptions) == 1


def test_nothing_can_switch_verification_off() -> None:
    assert FetchSettings.model_fields.keys() == {"allow"}
    folder = Path(__file__).resolve().parents[2] / "src/vibe4vets/core/fetch"
    source = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    for word in ("CERT_NONE", "check_hostname", "verify", "_create_unverified"):
        assert word not in source.replace("always verified", ""), word
