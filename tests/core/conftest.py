"""A small API behind the real doorway: what the shell promises holds for operations that are still to come."""

from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from fastapi import APIRouter, Form, UploadFile
from pydantic import Field, SecretStr

from vibe4vets.core.config import HTTPSettings, Settings
from vibe4vets.core.http import StrictRoute
from vibe4vets.core.schemas import Input, Line
from vibe4vets.main import create_app


class Part(Input):
    name: Annotated[Line, Field(max_length=50)]
    parts: Annotated[list["Part"], Field(max_length=1000)] = []


class Entry(Input):
    id: UUID | None = None
    text: Annotated[Line, Field(max_length=100)] = ""
    count: Annotated[int, Field(ge=0, le=2**31 - 1, strict=True)] = 0
    part: Part | None = None
    tags: Annotated[list[Annotated[Line, Field(max_length=20)]], Field(max_length=1000)] = []


class Login(Input):
    grant_type: Literal["password"] = "password"
    username: Annotated[str, Field(max_length=100)]
    password: SecretStr


class UploadRoute(StrictRoute):
    max_body_bytes = 3_000_000


class Trial:
    """The application, and what its operations were called with."""

    def __init__(self, **http: Any) -> None:
        nowhere = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing", "secret_key": "x" * 32}
        self.app = create_app(Settings.model_validate({**nowhere, "http": HTTPSettings(**http)}))
        self.taken: list[object] = []
        self.app.include_router(self._router(), prefix="/api/v1/trial")
        self.app.include_router(self._uploads(), prefix="/api/v1/trial")

    def _router(self) -> APIRouter:
        router = APIRouter(route_class=StrictRoute)

        @router.post("/entries", status_code=201)
        async def take_entry(entry: Entry) -> dict[str, str]:
            self.taken.append(entry)
            return {"text": entry.text}

        @router.get("/entries")
        async def list_entries() -> list[str]:
            return []

        @router.delete("/entries", status_code=204)
        async def drop_entries() -> None:
            self.taken.append("drop")

        @router.post("/token")
        async def take_form(form: Annotated[Login, Form()]) -> dict[str, str]:
            self.taken.append(form)
            return {"username": form.username}

        return router

    def _uploads(self) -> APIRouter:
        router = APIRouter(route_class=UploadRoute)

        @router.put("/files")
        async def take_file(file: UploadFile) -> int:
            content = await file.read()
            self.taken.append(len(content))
            return len(content)

        return router


@pytest.fixture
def trial() -> Trial:
    """The application with the settings that a new installation has."""
    return Trial()


@pytest.fixture
def trial_with() -> type[Trial]:
    """The same with other settings of HTTP."""
    return Trial
