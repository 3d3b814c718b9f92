"""`If-Match`: what is required of a writer, and what it is compared with."""

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI

from vibe4vets.core.errors import install_error_handlers
from vibe4vets.core.http import Operations, Shell, TrustedProxies
from vibe4vets.core.http.preconditions import IfMatchDep


@pytest.fixture
async def writer() -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()

    @app.patch("/thing")
    async def change(match: IfMatchDep) -> str:
        match.require('"2"')
        return "changed"

    install_error_handlers(app)
    shell = Shell(app, deadline=timedelta(seconds=5), operations=Operations(app), proxies=TrustedProxies(()))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(shell), base_url="http://test") as client:
        yield client


@pytest.mark.parametrize("given", ['"2"', '"1", "2"', "*", ' "2" '])
async def test_the_current_version_may_be_changed(writer: httpx.AsyncClient, given: str) -> None:
    assert (await writer.patch("/thing", headers={"if-match": given})).status_code == 200


@pytest.mark.parametrize("given", ['"1"', 'W/"2"', "2", '"2', '"22"'])
async def test_any_other_is_refused_and_told_the_current_one(writer: httpx.AsyncClient, given: str) -> None:
    answer = await writer.patch("/thing", headers={"if-match": given})
    assert (answer.status_code, answer.json()["type"]) == (412, "precondition-failed")
    assert answer.headers["etag"] == '"2"'


@pytest.mark.parametrize("headers", [{}, {"if-match": ""}, {"if-match": " , "}])
async def test_a_writer_names_the_version_that_was_read(writer: httpx.AsyncClient, headers: dict[str, str]) -> None:
    answer = await writer.patch("/thing", headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (428, "precondition-required")
