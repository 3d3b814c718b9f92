"""A WebSocket that shows a run as it goes, to staff, for as long as their token is good."""

import asyncio
import json
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Final
from uuid import UUID

import structlog
from fastapi import APIRouter, WebSocket
from starlette.websockets import WebSocketDisconnect

from vibe4vets.auth.exceptions import InvalidToken
from vibe4vets.auth.models import Role
from vibe4vets.auth.service import find_principal
from vibe4vets.auth.tokens import read_access_token
from vibe4vets.connectors.exceptions import RunNotFound
from vibe4vets.connectors.service import Watcher, Watching
from vibe4vets.core.config import Settings
from vibe4vets.core.database import Database, Session
from vibe4vets.core.errors import Forbidden
from vibe4vets.core.models import utc_now

router = APIRouter(prefix="/connectors")
GREETING_SECONDS: Final = 5.0
CHECK_SECONDS: Final = 5.0
"""How soon a token that has expired, an ended session or another role is noticed."""
LONGEST_MESSAGE: Final = 4096
_STAFF: Final = frozenset({Role.REVIEWER, Role.EDITOR, Role.ADMIN})
_log = structlog.get_logger()


class _Closing(Exception):
    """The conversation is over, with the code that says why."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


_ADVICE: Final = 'Send {"token": "<access token>"} within 5 seconds, and a fresh one before it expires.'


class _Conversation:
    """One socket, from its first message to its end."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self._settings: Settings = socket.app.state.settings
        self._database: Database = socket.app.state.database
        self._watching: Watching = socket.app.state.watching
        self._token = ""

    def check_origin(self) -> None:
        """Raise Forbidden for a page of an origin that is not listed; programs send none."""
        origin = self._socket.headers.get("origin")
        if origin is not None and origin not in {*self._settings.http.cors_origins, self._settings.base_url}:
            raise Forbidden("Pages of this origin may not watch runs; see VIBE4VETS_HTTP__CORS_ORIGINS.")

    async def hold(self, run_id: str) -> None:
        """Show the run until it ends, the token does, or the client leaves."""
        with suppress(WebSocketDisconnect):
            try:
                await self._greet()
                async with self._watching.watch(_parse(run_id)) as watcher:
                    await _first_to_end(self._show(watcher), self._listen(), self._keep_checking())
            except _Closing as closing:
                await self._close(closing.code, closing.reason)
            except RunNotFound as missing:
                await self._close(4404, missing.title)

    async def _greet(self) -> None:
        try:
            async with asyncio.timeout(GREETING_SECONDS):
                self._token = await self._receive()
        except TimeoutError:
            raise _Closing(4401, _ADVICE) from None
        await self._check()

    async def _receive(self) -> str:
        """The token of the next message."""
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1005))
        text = message.get("text")
        if text is not None and len(text) > LONGEST_MESSAGE:
            raise _Closing(1009, "Send nothing but a token.")
        try:
            token = json.loads(text or "")["token"]
        except (ValueError, TypeError, KeyError, RecursionError):
            raise _Closing(4401, _ADVICE) from None
        if not isinstance(token, str):
            raise _Closing(4401, _ADVICE)
        return token

    async def _check(self) -> None:
        """See that the token is good at this moment, and its bearer one of the staff."""
        try:
            claims = read_access_token(self._settings, self._token, utc_now())
            async with Session(self._database.reads) as session:
                principal = await find_principal(session, claims)
        except InvalidToken:
            raise _Closing(4401, InvalidToken.title) from None
        if principal.role not in _STAFF:
            raise _Closing(4403, Forbidden.title)

    async def _show(self, watcher: Watcher) -> None:
        while True:
            state = await watcher.next()
            await self._socket.send_text(state.model_dump_json())
            if state.finished_at is not None:
                raise _Closing(1000, "The run has ended.")

    async def _listen(self) -> None:
        """Take fresh tokens; each is looked at before the next is read."""
        while True:
            self._token = await self._receive()
            await self._check()

    async def _keep_checking(self) -> None:
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            await self._check()

    async def _close(self, code: int, reason: str) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(GREETING_SECONDS):
                await self._socket.close(code, reason)


@router.websocket("/runs/{run_id}/live")
async def watch_run(socket: WebSocket, run_id: str) -> None:
    """Show a run as it goes; `get_connector_run` describes it, for OpenAPI cannot."""
    conversation = _Conversation(socket)
    conversation.check_origin()
    watching: Watching = socket.app.state.watching
    async with watching.seat():
        await socket.accept()
        await conversation.hold(run_id)


def _parse(run_id: str) -> UUID:
    try:
        return UUID(run_id)
    except ValueError:
        raise RunNotFound from None


async def _first_to_end(*work: Coroutine[Any, Any, None]) -> None:
    """Do all of it until one ends, and raise what ended it."""
    tasks = [asyncio.create_task(task) for task in work]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
