"""Swagger UI and ReDoc come from us alone: no address of anyone else, every asset served, a policy of their own."""

import re
from pathlib import Path

import httpx
import pytest

from vibe4vets.core.config import Settings
from vibe4vets.main import create_app


def policy(answer: httpx.Response) -> dict[str, list[str]]:
    parts = (part.split() for part in answer.headers["content-security-policy"].split(";"))
    return {name: values for name, *values in parts}


@pytest.mark.parametrize("page", ["/docs", "/redoc"])
async def test_a_page_and_its_assets_are_ours(reader: httpx.AsyncClient, page: str) -> None:
    answer = await reader.get(page)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert not re.search(r"https?:|//", answer.text.removeprefix("<!DOCTYPE html>"))
    assert "<script>" not in answer.text
    assets = re.findall(r'(?:src|href)="([^"]+)"', answer.text)
    assert len(assets) == 4
    for asset in assets:
        if asset.startswith("data:"):
            continue
        found = await reader.get(str(httpx.URL(f"http://test{page}").join(asset)))
        assert found.status_code == 200, asset
        assert found.headers["content-type"].split(";")[0] in {"text/javascript", "text/css"}
        assert len(found.content) > 50
        assert b"cdn." not in found.content
        assert found.headers["x-content-type-options"] == "nosniff"
    script = next(asset for asset in assets if asset in {"docs/swagger.js", "docs/redoc.js"})
    assert '"openapi.json"' in (await reader.get(f"/{script}")).text
    assert (await reader.get("/openapi.json")).json()["openapi"].startswith("3.1")


@pytest.mark.parametrize("page", ["/docs", "/redoc"])
async def test_a_page_may_load_nothing_from_elsewhere(reader: httpx.AsyncClient, page: str) -> None:
    rules = policy(await reader.get(page))
    assert rules["default-src"] == rules["frame-ancestors"] == rules["base-uri"] == ["'none'"]
    assert rules["script-src"] == rules["connect-src"] == ["'self'"]
    for values in rules.values():
        assert set(values) <= {"'none'", "'self'", "'unsafe-inline'", "data:", "blob:"}
    assert "'unsafe-inline'" not in rules["script-src"]


ALL = {"/docs", "/redoc", "/openapi.json", "/docs/swagger.js", "/docs/redoc.js", "/docs/assets/swagger-ui.css"}


@pytest.mark.parametrize(
    ("given", "gone"),
    [
        ({"docs": False}, ALL),
        ({"pages": {"openapi": False}}, ALL),
        ({"pages": {"swagger": False, "redoc": False}}, ALL - {"/openapi.json"}),
        ({"pages": {"swagger": False}}, {"/docs", "/docs/swagger.js"}),
        ({"pages": {"redoc": False}}, {"/redoc", "/docs/redoc.js"}),
        ({}, set()),
    ],
)
async def test_each_page_has_a_switch(tmp_path: Path, given: dict[str, object], gone: set[str]) -> None:
    settings = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing", "data_dir": tmp_path, **given}
    transport = httpx.ASGITransport(create_app(Settings.model_validate(settings)))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        assert {path for path in ALL if (await client.get(path)).status_code == 404} == gone
        assert (await client.get("/health/live")).status_code == 200
