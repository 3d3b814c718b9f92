"""No input of any kind reaches an unhandled error: hostile values in every parameter of every operation (row A1)."""

import json
import random
import string
from collections.abc import Awaitable, Callable, Iterator
from urllib.parse import quote, quote_from_bytes

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.document import DOCUMENT

SendRaw = Callable[..., Awaitable[httpx.Response]]
CANARY = "c4n4ry"
MOST_BYTES = 16 * 1024
NASTY = [
    "\0", "a\0b", "%", "_", "\\", "'", '"', "((", "!!!", "a <99999> b", "\u202e", "\u0345" * 200, "x" * 10_001,
    "${jndi:x}", "=cmd()", "\r\nX: y", "٣", "\U0001d4b3", "\U0010ffff",
    "\ufeff", "", " ", "\t", "null", "nan", "-inf", "1e999",
    "-1", "0", "1_0", "+1", " 1", "1.0", "1e3", "0x10", "9" * 30, str(2**31), str(2**63), "true", "[]", "{}",
    "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "1970-01-01T00:00:00", "1" * 5000,
    "00000000-0000-0000-0000-000000000000", "urn:uuid:00000000-0000-0000-0000-000000000000",
    "' or 1=1 --", "; drop table resources", "a & b | !c", "foo:*", "<->",
    "\\x00", "a" * 64 + "\u0301" * 300, ",", ",,,",
    "housing,housing", "__proto__", "../../etc/passwd", "*", 'W/"x", *', "\x1b[31m", "\x85", "ﷺ" * 150, "Å" * 200,
]  # fmt: skip
RAW = [b"%FF", b"%C0%80", b"%ED%A0%80", b"%ED%BF%BF", b"%G1", b"%", b"%2", b"\xff", "é".encode(), b"\xed\xa0\x80"]
NUL = b"a%00b"
EXPORTS = [f"/api/v1/resources/export.{kind}" for kind in ("csv", "ndjson", "geojson")]
NOWHERE = "00000000-0000-4000-8000-000000000000"
ACCEPTED = {200, 304, 400, 404, 410, 413, 414, 415, 422, 431}


def parameters() -> Iterator[tuple[str, str, str]]:
    """Every parameter of the public reads as (path, where, name); each also gets one that it does not know."""
    for path, operations in DOCUMENT["paths"].items():
        if "security" in operations.get("get", {"security": ...}):  # tests/auth/test_hostile.py
            continue
        for parameter in operations["get"].get("parameters", ()):
            yield path, parameter["in"], parameter["name"]
        yield path, "query", "unknown"


async def probe(send: SendRaw, path: str, where: str, name: str, value: bytes) -> httpx.Response:
    """Put percent-encoded `value` where the parameter belongs; whatever else is required gets a good value."""
    address, query = path, []
    for parameter in DOCUMENT["paths"][path]["get"].get("parameters", ()):
        if not parameter["required"] or parameter["name"] == name:
            continue
        if parameter["in"] == "query":
            query.append(f"{parameter['name']}={parameter['example']}")
        else:
            address = address.replace(f"{{{parameter['name']}}}", parameter["example"])
    if path in EXPORTS and name != "id":  # of nothing: the whole directory each time would take minutes
        query.append(f"id={NOWHERE}")
    raw = address.encode()
    headers: list[tuple[bytes, bytes]] = []
    match where:
        case "path":
            raw = raw.replace(f"{{{name}}}".encode(), value)
        case "header":
            headers.append((name.lower().encode(), value))
        case _:
            query.append("")
    return await send(
        raw, "&".join(query).encode() + (name.encode() + b"=" + value) * (where == "query"), headers=headers
    )


def check(answer: httpx.Response, told: object) -> None:
    assert answer.status_code in ACCEPTED, told
    if answer.status_code < 400:
        return
    assert answer.headers["content-type"] == "application/problem+json", told
    problem = answer.json()
    assert problem["instance"] == answer.headers["x-request-id"], told
    assert problem["status"] == answer.status_code, told
    assert len(problem.get("errors", ())) <= 20, told
    assert len(answer.content) <= MOST_BYTES, told
    assert CANARY not in answer.text, told
    assert answer.headers["cache-control"] == "no-store", told


def hostile(path: str) -> Iterator[str]:
    """The values for each parameter of an operation; those of the exports, which share them, are shared out."""
    of_all = len(EXPORTS) if path in EXPORTS else 1
    first = EXPORTS.index(path) if path in EXPORTS else 0
    yield from NASTY[first::of_all]
    yield from (f"{CANARY}{text}" for text in NASTY[first :: 3 * of_all])


@pytest.mark.parametrize(("path", "where", "name"), list(parameters()))
async def test_hostile_text_is_refused_or_harmless(send_raw: SendRaw, path: str, where: str, name: str) -> None:
    for value in hostile(path):
        encoded = value.encode() if where == "header" else quote(value, safe="").encode()
        check(await probe(send_raw, path, where, name, encoded), (path, name, value))
    assert (await send_raw(b"/api/v1/resources")).status_code == 200


@pytest.mark.parametrize(("path", "where", "name"), [case for case in parameters() if case[1] != "header"])
async def test_bytes_that_are_not_utf8_are_malformed(send_raw: SendRaw, path: str, where: str, name: str) -> None:
    for value in RAW:
        answer = await probe(send_raw, path, where, name, value)
        check(answer, (path, name, value))
        assert (answer.status_code, answer.json()["type"]) == (400, "malformed-request"), value


@pytest.mark.parametrize(("path", "where", "name"), [case for case in parameters() if case[1] != "header"])
async def test_nul_is_refused(send_raw: SendRaw, path: str, where: str, name: str) -> None:
    answer = await probe(send_raw, path, where, name, NUL)
    check(answer, (path, name))
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"].startswith(f"/{where}/{name}")


async def test_nul_and_bad_bytes_beside_the_operations(send_raw: SendRaw) -> None:
    for path in (b"/", b"/nowhere/", b"/docs/assets/", b"/openapi.json", b"/api/v1/"):
        check(await send_raw(path + NUL), path)
        bad = await send_raw(path + b"%FF")
        check(bad, path)
        assert bad.status_code == 400


async def test_hostile_names_of_parameters(send_raw: SendRaw) -> None:
    for text in NASTY[:22]:
        answer = await send_raw(b"/api/v1/resources", quote(text, safe="").encode() + b"=" + CANARY.encode())
        check(answer, text)
        assert answer.status_code == (414 if len(text) > 8192 else 422), text


async def test_a_thousand_mistakes_make_a_short_answer(send_raw: SendRaw) -> None:
    wide = quote("\U0001d4b3" * 90)
    names = "&".join(f"~/{n}{wide[:60]}={CANARY}" for n in range(80))
    many = "&".join(f"state={CANARY}{n}" for n in range(400))
    for query in (names, f"~{wide}={CANARY}&" * 7, many, f"id={CANARY}&" * 700, f"{many[:900]}&{names}"):
        answer = await send_raw(b"/api/v1/resources", query.encode())
        check(answer, query[:40])
        assert answer.status_code == 422
        assert 1 <= len(answer.json()["errors"]) <= 20


async def test_hostile_headers(send_raw: SendRaw) -> None:
    values = [text.encode("utf-8", "surrogatepass") for text in NASTY] + RAW
    for name in (b"host", b"accept", b"if-none-match", b"x-request-id", b"cookie", b"authorization", b"origin"):
        for value in values:
            given = {b"host": b"test", name: CANARY.encode() + value}
            answer = await send_raw(b"/api/v1/resources", b"limit=1", headers=list(given.items()))
            check(answer, (name, value))
            is_refused = name == b"host" and answer.status_code == 400
            assert answer.status_code == 200 or is_refused or name == b"if-none-match", (name, value)


async def test_search_survives_any_words(send_raw: SendRaw) -> None:
    words: list[str] = []

    @seed(20_261_120)
    @settings(max_examples=500, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(st.one_of(st.text(max_size=220), st.text(alphabet="()!&|<>:*'\"\\-~ ab%_\t", min_size=1, max_size=60)))
    def collect(text: str) -> None:
        words.append(text)

    collect()
    assert len(words) == 500
    found = 0
    for text in words:
        encoded = quote_from_bytes(text.encode("utf-8", "surrogatepass"), safe="").encode()
        answer = await send_raw(b"/api/v1/search", b"limit=1&facets=tag&q=" + encoded)
        assert answer.status_code in {200, 400, 422}, text
        check(answer, text)
        found += answer.status_code == 200
        if answer.status_code == 422:
            assert not text.strip() or len(text) > 200 or not text.isprintable(), text
    assert found > 250
    assert (await send_raw(b"/api/v1/search", b"q=housing")).json()["total"] > 0


async def test_words_of_any_kind_up_to_200_code_points(send_raw: SendRaw) -> None:
    chance = random.Random(7)  # noqa: S311 - a fixed sequence is the purpose
    soups = ["((", "'", '"x', "!!!", "a <99999> b", "\\", "-", "or", "- -", '""', "x" * 200, "%", "_", "a:*b"]
    soups.append("\U0001d4b3" * 200)
    soups += ["".join(chance.choices(string.punctuation + " ab", k=200)).strip() or "a" for _ in range(50)]
    for soup in soups:
        answer = await send_raw(b"/api/v1/search", b"q=" + quote(soup, safe="").encode())
        assert answer.status_code == 200, soup
        assert json.loads(answer.content)["interpretation"]["query"] == soup.strip()
    too_long = await send_raw(b"/api/v1/search", b"q=" + quote("\U0001d4b3" * 201).encode())
    assert too_long.json()["errors"][0] == {
        "pointer": "/query/q", "code": "string_too_long", "message": "Input should have at most 200 characters",
    }  # fmt: skip
