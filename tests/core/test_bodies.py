"""Bodies are read strictly: nothing that two parsers read differently, or that cannot be stored (A2-A7, A11)."""

import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

import httpx
import pytest

SendRaw = Callable[..., Awaitable[httpx.Response]]
CANARY = "c4n4ry"
ENTRIES, TOKEN, FILES = b"/api/v1/trial/entries", b"/api/v1/trial/token", b"/api/v1/trial/files"
JSON = (b"content-type", b"application/json")
FORM = (b"content-type", b"application/x-www-form-urlencoded")
MIB = 1024 * 1024


@pytest.fixture
def post(send_raw_to: SendRaw, trial: Any) -> SendRaw:
    """Send a body to the trial operations, JSON to the first unless told otherwise."""

    async def send(
        *body: bytes, path: bytes = ENTRIES, headers: tuple[tuple[bytes, bytes], ...] = (JSON,), method: str = "POST"
    ) -> httpx.Response:
        answer = await send_raw_to(trial.app, path, method=method, headers=headers, body=body)
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["instance"] == answer.headers["x-request-id"]
            assert CANARY not in answer.text
            assert len(answer.content) < 16 * 1024
            assert trial.taken == []
        return answer

    return send


async def test_a_good_document_arrives(post: SendRaw, trial: Any) -> None:
    text = "é \U0001f600 \\ %00"
    document = {"text": text, "count": 7, "tags": ["a"] * 1000, "part": {"name": "n", "parts": [{"name": "m"}]}}
    for body in (json.dumps(document), json.dumps(document, ensure_ascii=False), f" \n{json.dumps(document)}\t\r\n"):
        answer = await post(body.encode())
        assert (answer.status_code, answer.json()) == (201, {"text": text})
    split = json.dumps(document, ensure_ascii=False).encode()
    assert (await post(*(split[n : n + 1] for n in range(len(split))))).status_code == 201
    assert len({entry.model_dump_json() for entry in trial.taken}) == 1
    assert trial.taken[0].part.parts[0].name == "m"


@pytest.mark.parametrize(
    "body",
    [
        b"\xff", b'{"text":"\xed\xa0\x80"}', b'{"text":"\xc0\x80"}', b'\xef\xbb\xbf{"text":"a"}',
        '{"text":"a"}'.encode("utf-16"), '{"text":"a"}'.encode("utf-16-le"), '{"text":"a"}'.encode("utf-32"),
        b'{"text":"a"}x', b'{"text":"a"}{}', b'{"text":"a"},', b'{"text":"a",}', b"{'text':'a'}", b"{", b"[", b'"',
        b'{"text":"a","text":"b"}', b'{"part":{"name":"a","name":"a"}}', b'{"text":"a","\\u0074ext":"b"}',
        b'{"count":NaN}', b'{"count":Infinity}', b'{"count":-Infinity}', b'{"count":1e999}', b'{"count":-1e999}',
        b'{"x":[1e400]}', b'{"text":"a\nb"}', b'{"text":"\0"}', b"\0", b'{"text":"\\x"}', b'{"count":01}', b"nul",
        b'{"count":' + b"1" * 4301 + b"}", b'{"count":-' + b"1" * 500_000 + b"}",
        b"[" * 33 + b"]" * 33, b'{"part":' * 33 + b"1" + b"}" * 33, b"[" * 500_000, b'{"b":' * 200_000,
        b"[" * 900 + b"1" + b"]" * 900,
    ],
)  # fmt: skip
async def test_what_is_not_plain_json_is_malformed(post: SendRaw, body: bytes) -> None:
    answer = await post(body.replace(b"a", CANARY.encode()) if body.count(b'"a"') else body)
    assert (answer.status_code, answer.json()["type"]) == (400, "malformed-request")
    assert len(answer.json()["detail"]) > 20


async def test_32_levels_and_4300_digits_are_read(post: SendRaw) -> None:
    deep: dict[str, Any] = {"name": "n"}
    for _ in range(15):  # each part is two levels: an object and its list
        deep = {"name": "n", "parts": [deep]}
    assert (await post(json.dumps({"part": deep}).encode())).status_code == 201


async def test_numbers_of_4300_digits_are_read(post: SendRaw) -> None:
    answer = await post(b'{"count":' + b"1" * 4300 + b"}")
    assert answer.json()["errors"][0]["pointer"] == "/body/count"


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        (rb'{"text":"a\u0000b"}', ["/body/text"]),
        (rb'{"text":"\ud800"}', ["/body/text"]),
        (rb'{"text":"\udfff\ud800"}', ["/body/text"]),
        (rb'{"text":"\uD83D x"}', ["/body/text"]),
        (rb'{"c4n4ry":"\u0000"}', ["/body/c4n4ry"]),
        (rb'{"c4n4ry\u0000":1}', ["/body"]),
        (rb'{"part":{"\udfff":"c4n4ry"}}', ["/body/part"]),
        (rb'{"tags":["a","\u0000"]}', ["/body/tags/1"]),
        (rb'{"unknown":[[{"deep":["x\u0000"]}]]}', ["/body/unknown/0/0/deep/0"]),
        (rb'"\ud800"', ["/body"]),
        (rb'{"text":"\u0000","part":"\u0000"}', ["/body/text", "/body/part"]),
    ],
)
async def test_text_that_cannot_be_stored_is_refused_where_it_stands(
    post: SendRaw, body: bytes, pointers: list[str]
) -> None:
    is_named = "/body/c4n4ry" in pointers  # an unknown key is named, as is every key
    answer = await post(body.replace(b"c4n4ry", b"key") if is_named else body)
    assert answer.status_code == 422
    wanted = ["/body/key"] if is_named else pointers
    assert [(error["pointer"], error["code"]) for error in answer.json()["errors"]] == [
        (pointer, "unsafe_text") for pointer in wanted
    ]


@pytest.mark.parametrize("escape", ["\\ud83d\\ude00", "\\\\u0000", "\\\\ud800", "\\u00e9"])
async def test_an_escape_that_spells_good_text_is_read(post: SendRaw, escape: str) -> None:
    answer = await post(f'{{"text":"{escape}"}}'.encode())
    assert (answer.status_code, answer.json()["text"]) == (201, json.loads(f'"{escape}"'))


@pytest.mark.parametrize("where", ["tags", "unknown", ""])
async def test_a_list_has_at_most_1000_items(post: SendRaw, where: str) -> None:
    items = [CANARY] * 1001
    answer = await post(json.dumps({where: items} if where else items).encode())
    assert answer.status_code == 422
    assert [(error["pointer"], error["code"]) for error in answer.json()["errors"]] == [
        (f"/body/{where}" if where else "/body", "too_long")
    ]
    wide = await post(json.dumps({f"{CANARY}{n}": n for n in range(1001)}).encode())
    assert [error["pointer"] for error in wide.json()["errors"]] == ["/body"]


async def test_a_thousand_mistakes_make_a_short_answer(post: SendRaw) -> None:
    for document in ({"tags": [7] * 1000}, {f"key{n}": CANARY for n in range(1000)}, {"tags": ["\0"] * 1000}):
        answer = await post(json.dumps(document).encode())
        assert answer.status_code == 422
        assert len(answer.json()["errors"]) == 20


@pytest.mark.parametrize("value", ["true", "1.0", '"1"', "null", "1e0", "[1]", "-1", "2147483648"])
async def test_an_integer_is_nothing_like_one(post: SendRaw, value: str) -> None:
    answer = await post(f'{{"count":{value}}}'.encode())
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/body/count")


@pytest.mark.parametrize("chunks", [1, 300])
@pytest.mark.parametrize("declared", [True, False])
async def test_a_body_over_its_cap_is_refused_unread(
    send_raw_to: SendRaw, trial: Any, chunks: int, *, declared: bool
) -> None:
    taken = 0

    def stream() -> Any:
        nonlocal taken
        for _ in range(chunks):
            taken += 1
            yield b" " * (3 * MIB // chunks)

    length = (b"content-length", str(3 * MIB).encode()) if declared else (b"transfer-encoding", b"chunked")
    answer = await send_raw_to(trial.app, ENTRIES, method="POST", headers=[JSON, length], body=stream())
    assert (answer.status_code, answer.json()["type"]) == (413, "body-too-large")
    assert "1,048,576" in answer.json()["detail"]
    assert taken == (0 if declared else min(chunks, 101))  # the 101st chunk is the one too many


async def test_a_body_of_exactly_the_cap_is_read(post: SendRaw) -> None:
    body = b'{"text":"a"}'
    assert (await post(body + b" " * (MIB - len(body)))).status_code == 201


async def test_the_cap_is_a_setting(send_raw_to: SendRaw, trial_with: Any) -> None:
    app = trial_with(max_body_bytes=2000).app
    for size, status in ((2000, 201), (2001, 413)):
        assert (
            await send_raw_to(app, ENTRIES, method="POST", headers=[JSON], body=[b"{}".ljust(size)])
        ).status_code == status


async def test_a_declared_body_where_none_is_read_has_a_cap_too(post: SendRaw) -> None:
    for method, path in (("GET", ENTRIES), ("DELETE", ENTRIES), ("GET", b"/nowhere"), ("BREW", ENTRIES)):
        answer = await post(method=method, path=path, headers=((b"content-length", b"1048577"),))
        assert (answer.status_code, answer.json()["type"]) == (413, "body-too-large")
    for length in (b"", b"x", b"-1", b"+1", b"1_0", "٣".encode()):
        answer = await post(method="POST", headers=((b"content-length", length),))
        assert (answer.status_code, answer.json()["type"]) == (400, "malformed-request"), length
    for length in (b"9" * 20, b"9" * 5000):
        assert (await post(headers=((b"content-length", length),))).status_code == 413


@pytest.mark.parametrize("given", [None, b"", b"text/plain", b"application/jsonx", b"application/merge-patch+json",
                                   b"application/x-www-form-urlencoded", b"multipart/form-data; boundary=x", b"\xff",
                                   b"application/json; charset=utf-16", b"application/json; charset=latin-1",
                                   b"json", b"application/json, text/plain"])  # fmt: skip
@pytest.mark.parametrize("length", [(), ((b"content-length", b"14"),), ((b"transfer-encoding", b"chunked"),)])
async def test_json_calls_itself_json(
    post: SendRaw, given: bytes | None, length: tuple[tuple[bytes, bytes], ...]
) -> None:
    headers = length if given is None else ((b"content-type", given), *length)
    answer = await post(b'{"text":"a"}', headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (415, "unsupported-media-type")


@pytest.mark.parametrize(
    "given", [b"application/json;charset=UTF-8", b'Application/JSON; charset="utf-8"', b"application/json; x=y"]
)
async def test_json_may_say_more_about_itself(post: SendRaw, given: bytes) -> None:
    assert (await post(b'{"text":"a"}', headers=((b"content-type", given),))).status_code == 201


async def test_no_body_needs_no_type(post: SendRaw) -> None:
    for headers in ((), ((b"content-type", b"text/plain"), (b"content-length", b"0"))):
        answer = await post(headers=headers)
        assert [error["code"] for error in answer.json()["errors"]] == ["missing"]


@pytest.mark.parametrize("coding", [b"gzip", b"br", b"deflate", b"zstd", b"identity, gzip", b"x-nonsense"])
async def test_a_packed_body_is_refused(post: SendRaw, coding: bytes) -> None:
    for path in (ENTRIES, TOKEN, FILES, b"/nowhere"):
        answer = await post(b"{}", path=path, headers=(JSON, (b"content-encoding", coding)))
        assert (answer.status_code, answer.headers["accept-encoding"]) == (415, "identity")
    plain = await post(b'{"text":"a"}', headers=(JSON, (b"content-encoding", b"Identity")))
    assert plain.status_code == 201


async def test_a_good_form_arrives(post: SendRaw, trial: Any) -> None:
    secret = "é +%&=\U0001f600"
    body = f"grant_type=password&username=a%20b+c&password={quote(secret, safe='')}"
    answer = await post(body.encode(), path=TOKEN, headers=(FORM,))
    assert (answer.status_code, answer.json()) == (200, {"username": "a b c"})
    assert trial.taken[0].password.get_secret_value() == secret


@pytest.mark.parametrize("bad", [b"%FF", b"%C0%80", b"%ED%A0%80", b"%G1", b"%", b"%2", b"\xff", "é".encode()])
async def test_a_form_is_percent_encoded_utf8(post: SendRaw, bad: bytes) -> None:
    for body in (b"username=a&password=" + bad, b"username=a&password=b&" + bad + b"=c4n4ry"):
        answer = await post(body, path=TOKEN, headers=(FORM,))
        assert (answer.status_code, answer.json()["type"]) == (400, "malformed-request")


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        (b"username=a%00b&password=c4n4ry", "/body/username", "unsafe_text"),
        (b"username=a&password=c4n4ry%00", "/body/password", "unsafe_text"),
        (b"username=a&password=b&x%00=c4n4ry", "/body/x\\u0000", "unsafe_text"),
        (b"username=a&username=a&password=c4n4ry", "/body/username", "repeated"),
        (b"username=a&user%6Eame=a&password=c4n4ry", "/body/username", "repeated"),
        (b"username=a&password=c4n4ry&role=admin", "/body/role", "extra_forbidden"),
        (b"username=a", "/body/password", "missing"),
        (b"&".join(b"n%d=c4n4ry" % n for n in range(1001)), "/body", "too_long"),
    ],
)
async def test_a_form_gives_each_field_once_and_clean(post: SendRaw, body: bytes, pointer: str, code: str) -> None:
    answer = await post(body, path=TOKEN, headers=(FORM,))
    assert answer.status_code == 422
    assert [(error["pointer"], error["code"]) for error in answer.json()["errors"]] == [(pointer, code)]


async def test_a_form_is_no_json_and_no_upload(post: SendRaw) -> None:
    for kind in (JSON, (b"content-type", b"multipart/form-data; boundary=x"), (b"content-type", b"text/plain")):
        answer = await post(b"username=a&password=b", path=TOKEN, headers=(kind,))
        assert (answer.status_code, "x-www-form-urlencoded" in answer.json()["detail"]) == (415, True)


async def test_an_upload_has_a_cap_of_its_own(post: SendRaw, trial: Any) -> None:
    kind = (b"content-type", b"multipart/form-data; boundary=x")
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
    for size, status in ((2 * MIB, 200), (3_000_001, 413)):
        trial.taken.clear()
        content = [b"x" * 1000] * (size // 1000)
        answer = await post(head, *content, b"\r\n--x--\r\n", path=FILES, headers=(kind,), method="PUT")
        assert answer.status_code == status
    unclean = await post(
        head.replace(b'"f"', b'"%s"' % b"f\0"), b"x\r\n--x--\r\n", path=FILES, headers=(kind,), method="PUT"
    )
    assert unclean.json()["errors"][0]["pointer"] == "/body/file"
    declared = await post(path=FILES, headers=(kind, (b"content-length", b"3000001")), method="PUT")
    assert (declared.status_code, "3,000,000" in declared.json()["detail"]) == (413, True)
    other = await post(b"{}", path=FILES, headers=(JSON, (b"content-length", b"2")), method="PUT")
    assert other.status_code == 415
