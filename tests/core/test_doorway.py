"""What is turned away before an operation is looked for: addresses, headers, hosts, credentials in sight."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from vibe4vets.core.config import HTTPSettings, Settings

SendRaw = Callable[..., Awaitable[httpx.Response]]
ENTRIES = b"/api/v1/trial/entries"
CANARY = b"c4n4ry"


def check(answer: httpx.Response, status: int, slug: str) -> None:
    assert (answer.status_code, answer.json()["type"]) == (status, slug)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["instance"] == answer.headers["x-request-id"]
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert CANARY not in answer.content


async def test_an_address_has_at_most_8_kib(send_raw_to: SendRaw, trial: Any) -> None:
    for path, query in ((b"/" + b"x" * 8191, b""), (ENTRIES, b"q=" + b"x" * 8192), (b"/" + b"%41" * 3000, b"")):
        check(await send_raw_to(trial.app, path, query), 414, "address-too-long")
    just = b"x" * (8191 - len(ENTRIES) - 1)
    assert (await send_raw_to(trial.app, ENTRIES + b"/" + just)).status_code == 404


async def test_headers_have_at_most_32_kib_and_100_fields(send_raw_to: SendRaw, trial: Any) -> None:
    for headers in (
        [(b"x", b"x" * 33_000)],
        [(b"x" * 33_000, b"")],
        [(b"x", b"1")] * 100,
        [(b"cookie", b"x" * 900)] * 40,
    ):
        check(await send_raw_to(trial.app, ENTRIES, headers=headers), 431, "headers-too-large")
    for headers in ([(b"x", b"x" * 32_000)], [(b"x", b"1")] * 99):
        assert (await send_raw_to(trial.app, ENTRIES, headers=headers)).status_code == 200


async def test_the_caps_are_settings(send_raw_to: SendRaw, trial_with: Any) -> None:
    app = trial_with(max_address_bytes=1024, max_header_bytes=1024, max_header_fields=10).app
    check(await send_raw_to(app, b"/" + b"x" * 1024), 414, "address-too-long")
    check(await send_raw_to(app, ENTRIES, headers=[(b"x", b"x" * 1024)]), 431, "headers-too-large")
    check(await send_raw_to(app, ENTRIES, headers=[(b"x", b"")] * 10), 431, "headers-too-large")
    assert (await send_raw_to(app, ENTRIES)).status_code == 200


@pytest.mark.parametrize("path", [ENTRIES, b"/nowhere", b"/api/v1/states", b"/health/live", b"/docs"])
@pytest.mark.parametrize(
    "name",
    [b"access_token", b"token", b"api_key", b"apikey", b"api-key", b"X-API-Key", b"password", b"new_password",
     b"refresh_token", b"client_secret", b"Authorization", b"jwt", b"PASSWORD", b"pass%77ord", b"%74oken"],
)  # fmt: skip
async def test_credentials_in_the_address_are_refused(
    send_raw_to: SendRaw, trial: Any, path: bytes, name: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    for query in (name + b"=" + CANARY, b"limit=1&" + name + b"=" + CANARY, b"q=x;" + name + b"=" + CANARY, name):
        answer = await send_raw_to(trial.app, path, query)
        check(answer, 400, "credentials-in-address")
        assert "Authorization" in answer.json()["detail"]
    out, err = capsys.readouterr()
    assert '"event":"request"' in err, "else nothing was logged at all"
    assert CANARY.decode() not in out + err


@pytest.mark.parametrize(
    "query", [b"q=access_token", b"q=my+token=1", b"tokens=1", b"q=a%26token=1", b"q=password%3Dx"]
)
async def test_words_about_credentials_are_no_credentials(send_raw_to: SendRaw, trial: Any, query: bytes) -> None:
    assert (await send_raw_to(trial.app, ENTRIES, query)).status_code == 422  # there is no such parameter


async def test_a_request_names_one_host(send_raw_to: SendRaw, trial: Any) -> None:
    for hosts in ([b"test", b"test"], [b"a", b"b"], [b""], [b"a b"], [b"a/b"], [b"a@b"], [b"a:b"], [b"a,b"], [b"\xff"]):
        answer = await send_raw_to(trial.app, ENTRIES, headers=[(b"host", host) for host in hosts])
        check(answer, 400, "malformed-request")
    for host in (b"test", b"TEST:8000", b"127.0.0.1:80", b"[::1]:8000", b"api.example.org"):
        assert (await send_raw_to(trial.app, ENTRIES, headers=[(b"host", host)])).status_code == 200


async def test_only_http_1_0_may_leave_the_host_out(trial: Any) -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    for version, status in (("1.1", 400), ("1.0", 200)):
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": version, "method": "GET", "scheme": "http",
            "path": "/health/live", "raw_path": b"/health/live", "query_string": b"", "root_path": "", "headers": [],
            "client": None, "server": None, "state": {},
        }  # fmt: skip
        sent.clear()
        await trial.app(scope, receive, send)
        assert sent[0]["status"] == status


async def test_a_host_outside_the_list_is_refused(send_raw_to: SendRaw, trial_with: Any) -> None:
    app = trial_with(allowed_hosts=("api.example.org", "127.0.0.1", "[::1]")).app
    for host in (b"api.example.org", b"API.Example.ORG:8443", b"127.0.0.1:8000", b"[::1]"):
        assert (await send_raw_to(app, ENTRIES, headers=[(b"host", host)])).status_code == 200
    for host in (
        b"evil.example",
        b"api.example.org.evil.example",
        b"xapi.example.org",
        b"api.example.org.",
        b"10.0.0.1",
    ):
        answer = await send_raw_to(app, ENTRIES, headers=[(b"host", host)])
        check(answer, 400, "unknown-host")
        assert host.decode() not in answer.text
        probe = await send_raw_to(app, b"/health/live", headers=[(b"host", host)])
        assert probe.status_code == 200


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "BREW", "PUT", "PATCH", "post", "OPTIONS"])
async def test_a_method_in_vain_is_told_every_other(send_raw_to: SendRaw, trial: Any, method: str) -> None:
    """The router names the methods of the first route at the address only."""
    answer = await send_raw_to(trial.app, ENTRIES, method=method)
    check(answer, 405, "method-not-allowed")
    assert answer.headers["allow"] == "DELETE, GET, HEAD, POST"
    token = await send_raw_to(trial.app, b"/api/v1/trial/token", method=method)
    assert (token.status_code, token.headers["allow"]) == (405, "POST")
    assert (await send_raw_to(trial.app, b"/nowhere", method=method)).status_code == 404


async def test_head_is_for_what_answers_get(send_raw_to: SendRaw, trial: Any) -> None:
    assert (await send_raw_to(trial.app, b"/api/v1/trial/token", method="HEAD")).status_code == 405
    assert (await send_raw_to(trial.app, ENTRIES, method="HEAD")).status_code == 200


class Sender:
    """The receiving side of a client that sends a part of its body and then hangs, or hangs up."""

    def __init__(self, *, hangs_up: bool) -> None:
        self.hangs_up = hangs_up
        self.asked = 0

    async def __call__(self) -> dict[str, Any]:
        self.asked += 1
        if self.asked == 1:
            return {"type": "http.request", "body": b'{"text":"c4n4', "more_body": True}
        if not self.hangs_up:
            await asyncio.Event().wait()
        return {"type": "http.disconnect"}


@pytest.mark.parametrize(("hangs_up", "status"), [(False, 408), (True, 400)])
async def test_half_a_body_is_no_body(
    trial_with: Any, capsys: pytest.CaptureFixture[str], *, hangs_up: bool, status: int
) -> None:
    """The answer's own deadline, which is shorter here, does not run while the body comes."""
    trial = trial_with(body_deadline="PT0.2S", deadline="PT0.1S")
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
        "path": ENTRIES.decode(), "raw_path": ENTRIES, "query_string": b"", "root_path": "", "state": {},
        "headers": [(b"host", b"x"), (b"content-type", b"application/json"), (b"transfer-encoding", b"chunked")],
        "client": None, "server": None,
    }  # fmt: skip
    await trial.app(scope, Sender(hangs_up=hangs_up), send)
    assert sent[0]["status"] == status
    assert trial.taken == []
    events = [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()]
    assert set(events) <= {"request"}


@pytest.mark.parametrize(
    ("name", "value"),
    [("allowed_hosts", "a b"), ("allowed_hosts", "https://a"), ("allowed_hosts", ""), ("allowed_hosts", "a:80"),
     ("cors_origins", "*"), ("cors_origins", "null"), ("cors_origins", "https://a/"), ("cors_origins", "a.example"),
     ("cors_origins", "https://*.a.example"), ("cors_origins", "https://A.example"), ("max_body_bytes", 0)],
)  # fmt: skip
def test_a_setting_that_would_open_the_door_is_refused(name: str, value: object) -> None:
    with pytest.raises(ValidationError):
        HTTPSettings.model_validate({name: value})


def test_lists_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIBE4VETS_HTTP__ALLOWED_HOSTS", "api.example.org, 127.0.0.1")
    monkeypatch.setenv("VIBE4VETS_HTTP__CORS_ORIGINS", "https://app.example,http://localhost:5173")
    settings = Settings(_env_file=None).http
    assert settings.allowed_hosts == ("api.example.org", "127.0.0.1")
    assert settings.cors_origins == ("https://app.example", "http://localhost:5173")
