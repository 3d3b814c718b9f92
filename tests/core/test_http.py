"""The shell around every answer: request ids, headers, methods, caching, who may read from where."""

import re
from collections.abc import Awaitable, Callable

import httpx
import pytest
from fastapi import FastAPI

from tests.document import DOCUMENT

SendRaw = Callable[..., Awaitable[httpx.Response]]
PUBLIC_CACHE = "public, max-age=60, stale-while-revalidate=300"
POLICY = "default-src 'none'; frame-ancestors 'none'"
EXPOSED = {"ETag", "Link", "RateLimit", "RateLimit-Policy", "Retry-After", "X-Request-ID"}
OPEN = [path for path, methods in DOCUMENT["paths"].items() if "security" not in methods.get("get", {"security": 0})]
LISTS = [path for path in OPEN if path.startswith("/api/") and "{" not in path]
NOWHERE = "00000000-0000-4000-8000-000000000000"


async def addresses(reader: httpx.AsyncClient) -> list[str]:
    """One good address of every public read."""
    resource = (await reader.get("/api/v1/resources?limit=1")).json()["items"][0]
    one = [f"/api/v1/resources/{resource['id']}", f"/api/v1/organizations/{resource['organization']['id']}"]
    return [f"{path}?q=housing" if "/search" in path else path for path in LISTS] + one


async def every_kind_of_answer(reader: httpx.AsyncClient) -> list[tuple[int, httpx.Response]]:
    etag = (await reader.get("/api/v1/states")).headers["etag"]
    preflight = {"origin": "https://a.example", "access-control-request-method": "GET"}
    return [
        (200, await reader.get("/api/v1/states")),
        (200, await reader.get("/health/live")),
        (200, await reader.get("/openapi.json")),
        (304, await reader.get("/api/v1/states", headers={"if-none-match": etag})),
        (204, await reader.options("/api/v1/states", headers=preflight)),
        (400, await reader.get("/api/v1/states?cursor=x")),
        (400, await reader.get(httpx.URL("http://test/api/v1/states?x=%FF"))),
        (400, await reader.get("/api/v1/states?api_key=x")),
        (401, await reader.get("/api/v1/auth/me")),
        (404, await reader.get("/nowhere")),
        (404, await reader.get(f"/api/v1/resources/{NOWHERE}")),
        (405, await reader.post("/api/v1/states")),
        (413, await reader.post("/api/v1/suggestions", content=b"x" * 1_048_577)),
        (414, await reader.get(f"/api/v1/states?q={'x' * 9_000}")),
        (415, await reader.post("/api/v1/suggestions", content=b"{}")),
        (422, await reader.get("/api/v1/states?limit=0")),
        (422, await reader.post("/api/v1/suggestions", json={})),
        (431, await reader.get("/api/v1/states", headers={"x-long": "x" * 40_000})),
    ]


async def test_every_answer_is_protected(reader: httpx.AsyncClient) -> None:
    for status, answer in await every_kind_of_answer(reader):
        assert answer.status_code == status
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"] == POLICY
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["x-request-id"])
        assert "server" not in answer.headers
        assert "strict-transport-security" not in answer.headers
        for name in ("x-request-id", "content-security-policy", "cache-control"):
            assert len(answer.headers.get_list(name)) == 1


async def test_only_https_answers_ask_for_https(directory: FastAPI) -> None:
    transport = httpx.ASGITransport(directory)
    async with httpx.AsyncClient(transport=transport, base_url="https://test") as client:
        for path in ("/api/v1/states", "/nowhere", "/health/live"):
            policy = (await client.get(path)).headers["strict-transport-security"]
            assert int(policy.split(";")[0].removeprefix("max-age=")) >= 31_536_000
            assert "includeSubDomains" in policy


async def test_only_good_public_reads_may_be_cached(reader: httpx.AsyncClient) -> None:
    for address in await addresses(reader):
        answer = await reader.get(address)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == PUBLIC_CACHE
        assert answer.headers["vary"] == "Accept-Encoding"
        # an export has a weak one: reading a whole directory for its bytes would cost more than sending it
        assert re.fullmatch(r'W/"[\w-]+"' if "/export." in address else r'"[\w-]+"', answer.headers["etag"])
    for status, answer in await every_kind_of_answer(reader):
        is_public = status == 304 or "etag" in answer.headers
        assert answer.headers["cache-control"] == (PUBLIC_CACHE if is_public else "no-store")
    assert (await reader.get("/health/ready", headers={"if-none-match": "*"})).headers["cache-control"] == "no-store"


async def test_a_current_copy_is_confirmed(reader: httpx.AsyncClient) -> None:
    for address in await addresses(reader):
        first = await reader.get(address)
        etag = first.headers["etag"].removeprefix("W/")
        for given in (etag, f"W/{etag}", f'"other", {etag}', f'"a",W/{etag} ,"b"', "*"):
            again = await reader.get(address, headers={"if-none-match": given})
            assert (again.status_code, again.content) == (304, b""), given
            assert again.headers["etag"] == first.headers["etag"]
            assert again.headers["cache-control"] == PUBLIC_CACHE
            assert again.headers["vary"] == first.headers["vary"]
            assert "content-length" not in again.headers
        lines = [("if-none-match", '"other"'), ("if-none-match", etag)]
        assert (await reader.get(address, headers=lines)).status_code == 304
        for given in ('"other"', etag.strip('"'), f"w/{etag}", ""):
            again = await reader.get(address, headers={"if-none-match": given})
            assert (again.status_code, again.content) == (200, first.content), given


async def test_different_answers_have_different_tags(reader: httpx.AsyncClient) -> None:
    tags = [(await reader.get(address)).headers["etag"] for address in await addresses(reader)]
    tags += [(await reader.get(f"/api/v1/resources?limit={limit}")).headers["etag"] for limit in (1, 2, 3)]
    assert len(set(tags)) == len(tags)


async def test_head_is_get_without_a_body(reader: httpx.AsyncClient) -> None:
    failing = ["/api/v1/resources?limit=0", f"/api/v1/resources/{NOWHERE}", "/nowhere", "/api/v1/tags?cursor=x"]
    operations = ["/health/live", "/health/ready", "/docs", "/redoc", "/openapi.json", "/docs/assets/swagger-ui.css"]
    for address in [*await addresses(reader), *failing, *operations]:
        headers = {"x-request-id": "the-same-id"}
        get, head = await reader.get(address, headers=headers), await reader.head(address, headers=headers)
        assert head.content == b"", address
        assert (head.status_code, head.headers) == (get.status_code, get.headers), address
    etag = (await reader.head("/api/v1/states")).headers["etag"]
    assert (await reader.head("/api/v1/states", headers={"if-none-match": etag})).status_code == 304


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "BREW", "get"])
async def test_an_unknown_method_is_told_the_known_ones(send_raw: SendRaw, method: str) -> None:
    pages = ("/openapi.json", "/docs", "/redoc", "/docs/swagger.js", "/docs/assets/swagger-ui.css")
    for path in [*OPEN, *pages]:
        known = {name.upper() for name in DOCUMENT["paths"].get(path, {"get": {}})}
        if method in known:
            continue
        address = path.replace("{resource_id}", NOWHERE).replace("{organization_id}", NOWHERE)
        answer = await send_raw(address.encode(), method=method)
        assert answer.status_code == 405, path
        assert answer.json()["type"] == "method-not-allowed"
        assert answer.headers["allow"] == ", ".join(sorted({*known, "HEAD"})), path
        assert "access-control-allow-origin" not in answer.headers


async def test_a_slash_too_many_is_not_redirected(reader: httpx.AsyncClient) -> None:
    for address in await addresses(reader):
        path, _, query = address.partition("?")
        for other in (f"{path}/", f"/{path}", path.upper()):
            answer = await reader.get(f"http://test{other}?{query}")
            assert answer.status_code == 404, other
            assert answer.json()["type"] == "not-found"
            assert "location" not in answer.headers


@pytest.mark.parametrize("given", ["abcdefgh", "A-1" * 20, "f" * 64, "5f0c9a52-c9d8-4d1f-8a7f-3f0e6d3c2b1a"])
async def test_a_good_request_id_is_kept(reader: httpx.AsyncClient, given: str) -> None:
    for address in ("/api/v1/states", "/nowhere"):
        answer = await reader.get(address, headers={"x-request-id": given})
        assert answer.headers["x-request-id"] == given
    assert answer.json()["instance"] == given


@pytest.mark.parametrize(
    "given", ["", "short", "f" * 65, "abcdefg_", "abcdefgh\n", "abcdefgh i", "é" * 8, "<script>aaa"]
)
async def test_any_other_request_id_is_replaced(send_raw: SendRaw, given: str) -> None:
    answer = await send_raw(b"/nowhere", headers=[(b"x-request-id", given.encode())])
    assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["x-request-id"])
    assert answer.json()["instance"] == answer.headers["x-request-id"]
    again = await send_raw(b"/nowhere", headers=[(b"x-request-id", given.encode())])
    assert again.headers["x-request-id"] != answer.headers["x-request-id"]


@pytest.mark.parametrize("origin", ["https://good.example", "https://evil.example", "null", "http://localhost:3000"])
async def test_public_reads_are_open_to_any_origin_without_credentials(reader: httpx.AsyncClient, origin: str) -> None:
    for address in [*await addresses(reader), "/api/v1/states?limit=0", f"/api/v1/resources/{NOWHERE}"]:
        answer = await reader.get(address, headers={"origin": origin})
        assert answer.headers["access-control-allow-origin"] == "*"
        assert set(answer.headers["access-control-expose-headers"].split(", ")) == EXPOSED
        assert "access-control-allow-credentials" not in answer.headers
    for address in ("/health/live", "/openapi.json", "/docs"):
        assert "access-control-allow-origin" not in (await reader.get(address, headers={"origin": origin})).headers


async def test_a_preflight_allows_reading_and_nothing_else(reader: httpx.AsyncClient) -> None:
    def asking(method: str) -> dict[str, str]:
        return {"origin": "https://a.example", "access-control-request-method": method}

    for method in ("GET", "HEAD"):
        answer = await reader.options("/api/v1/resources", headers=asking(method))
        assert (answer.status_code, answer.content) == (204, b"")
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["access-control-allow-methods"] == "GET, HEAD"
        assert "If-None-Match" in answer.headers["access-control-allow-headers"]
        assert "access-control-allow-credentials" not in answer.headers
    for address, method in (("/api/v1/resources", "POST"), ("/api/v1/resources", "DELETE"), ("/health/live", "GET")):
        answer = await reader.options(address, headers=asking(method))
        assert answer.status_code == 405
        assert not [name for name in answer.headers if name.startswith("access-control-")]


async def test_credentials_change_nothing(reader: httpx.AsyncClient) -> None:
    for address in await addresses(reader):
        plain = await reader.get(address)
        for headers in ({"authorization": "Bearer x"}, {"x-api-key": "v4v_x"}, {"cookie": "session=1"}):
            answer = await reader.get(address, headers=headers)
            assert (answer.status_code, answer.content) == (200, plain.content)


async def test_parameters_are_known_and_single(reader: httpx.AsyncClient) -> None:
    for address in [*await addresses(reader), "/health/live", "/health/ready"]:
        joint = "&" if "?" in address else "?"
        answer = await reader.get(f"{address}{joint}catgory=housing&limt=3")
        assert answer.status_code == 422
        pointers = [(error["pointer"], error["code"]) for error in answer.json()["errors"]]
        assert pointers == [("/query/catgory", "extra_forbidden"), ("/query/limt", "extra_forbidden")]


async def test_a_single_parameter_is_given_once(reader: httpx.AsyncClient) -> None:
    values = {"q": "x", "cursor": "abc", "updated_since": "2026-01-01T00:00:00Z", "sort": "title", "name": "x"}
    seen = set()
    for path in LISTS:
        for parameter in DOCUMENT["paths"][path]["get"]["parameters"]:
            name = parameter["name"]
            if parameter["in"] != "query" or parameter["schema"].get("type") == "array":
                continue
            pair = f"{name}={values.get(name, 1)}"
            required = "q=x&" if "/search" in path and name != "q" else ""
            twice = await reader.get(f"{path}?{required}{pair}&{pair}")
            assert twice.status_code == 422
            error = {"pointer": f"/query/{name}", "code": "repeated", "message": "Give this query parameter once"}
            assert twice.json()["errors"] == [error]
            seen.add(name)
    assert seen == {
        "limit", "offset", "cursor", "updated_since", "include_national", "sort", "q", "name", "highlight", "explain",
        "near", "radius_miles", "bbox", "open_at", "since",
    }  # fmt: skip


async def test_a_word_is_no_id(send_raw: SendRaw) -> None:
    """`DELETE /resources/{resource_id}` must not answer for `/resources/changes`, which can only be read."""
    for method in ("DELETE", "PATCH"):
        answer = await send_raw(b"/api/v1/resources/changes", method=method)
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
    assert (await send_raw(b"/api/v1/resources/other", method="DELETE")).status_code == 401
