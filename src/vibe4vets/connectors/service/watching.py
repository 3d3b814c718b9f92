"""Who watches a run in this process: told of each change, however many watch, and however slowly one of them reads.

PostgreSQL tells of a change wherever it was made. The run is read once for all who watch it, and each of them keeps
the newest state only.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final
from uuid import UUID

import structlog

from vibe4vets.connectors.exceptions import RunNotFound
from vibe4vets.connectors.schemas import RunSummary
from vibe4vets.connectors.service.reading import get_run
from vibe4vets.core.config import Settings
from vibe4vets.core.database import Database, Session
from vibe4vets.core.errors import Unavailable
from vibe4vets.core.listening import keep_listening

CHANNEL: Final = "connector_runs"
MOST_WATCHERS: Final = 200
"""In one process."""
_LEAST_PAUSE_SECONDS: Final = 0.1
"""Between two readings of a run: a busy one changes more often than anybody can look."""
_LOOK_ANYWAY_SECONDS: Final = 5.0
"""A run is read so often even when nothing was told, for the connection that listens may be lost."""
_log = structlog.get_logger()


class Watcher:
    """One who watches: it has the newest state until that is taken."""

    def __init__(self, state: RunSummary) -> None:
        self._state: RunSummary | None = state
        self._is_new = asyncio.Event()
        self._is_new.set()

    def tell(self, state: RunSummary | None) -> None:
        """Put a state in the place of whatever was not taken yet; None for a run that is gone."""
        if state != self._state:
            self._state = state
            self._is_new.set()

    async def next(self) -> RunSummary:
        """Wait for a state that was not taken yet; the first is there at once. Raises RunNotFound."""
        await self._is_new.wait()
        self._is_new.clear()
        if self._state is None:
            raise RunNotFound
        return self._state


class _Broadcast:
    """A run that is watched."""

    def __init__(self, database: Database, run_id: UUID) -> None:
        self._database, self._run_id = database, run_id
        self.watchers: set[Watcher] = set()
        self.has_changed = asyncio.Event()

    async def read(self) -> RunSummary:
        async with Session(self._database.reads) as session:
            return RunSummary.of(await get_run(session, self._run_id))

    async def follow(self) -> None:
        """Tell every watcher of every change, until cancelled."""
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self.has_changed.wait(), _LOOK_ANYWAY_SECONDS)
            self.has_changed.clear()
            try:
                await self._tell()
            except Exception as error:  # noqa: BLE001  whatever it is, who watches waits for the next look
                _log.warning("run not read", exc_info=error)
            await asyncio.sleep(_LEAST_PAUSE_SECONDS)

    async def _tell(self) -> None:
        try:
            state = await self.read()
        except RunNotFound:
            state = None
        for watcher in self.watchers:
            watcher.tell(state)


class Watching:
    """Everybody who watches runs in this process, and the one connection that listens while there is somebody."""

    def __init__(self, settings: Settings, database: Database, *, most: int = MOST_WATCHERS) -> None:
        self._settings, self._database, self._most = settings, database, most
        self._broadcasts: dict[UUID, _Broadcast] = {}
        self._followers: dict[UUID, asyncio.Task[None]] = {}
        self._listener: asyncio.Task[None] | None = None
        self._seats = 0

    @asynccontextmanager
    async def seat(self) -> AsyncIterator[None]:
        """Take one of the places that this process has; raises Unavailable when there is none."""
        if self._seats >= self._most:
            raise Unavailable(f"{self._most} watch runs here already; ask for the run by GET, or try again later.")
        self._seats += 1
        try:
            yield
        finally:
            self._seats -= 1

    @asynccontextmanager
    async def watch(self, run_id: UUID) -> AsyncIterator[Watcher]:
        """Watch a run; raises RunNotFound."""
        broadcast = self._broadcasts.get(run_id) or _Broadcast(self._database, run_id)
        watcher = Watcher(await broadcast.read())
        broadcast = self._broadcasts.setdefault(run_id, broadcast)
        broadcast.watchers.add(watcher)
        broadcast.has_changed.set()  # what happened since it was read
        if run_id not in self._followers:
            self._followers[run_id] = asyncio.create_task(broadcast.follow())
        self._listen()
        try:
            yield watcher
        finally:
            broadcast.watchers.discard(watcher)
            if not broadcast.watchers and self._broadcasts.pop(run_id, None) is not None:
                await _end(self._followers.pop(run_id))
            if not self._broadcasts and self._listener is not None:
                listener, self._listener = self._listener, None
                await _end(listener)

    def _listen(self) -> None:
        url = self._settings.database_url
        if self._listener is None and url is not None:
            listening = keep_listening(url, self._settings.database, CHANNEL, heard=self._hear, begun=self._look_at_all)
            self._listener = asyncio.create_task(listening)

    def _hear(self, payload: str) -> None:
        with suppress(ValueError):  # whoever may connect may tell
            if (broadcast := self._broadcasts.get(UUID(payload))) is not None:
                broadcast.has_changed.set()

    def _look_at_all(self) -> None:
        for broadcast in self._broadcasts.values():
            broadcast.has_changed.set()


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
