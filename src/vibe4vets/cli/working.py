"""The worker as a process: by itself, or beside `serve`."""

import asyncio
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from typing import Final

import structlog

from vibe4vets.core.config import Settings
from vibe4vets.core.logging import configure_logging
from vibe4vets.worker import work_until_told

_PAUSE_SECONDS: Final = 2.0
_PATIENCE_SECONDS: Final = 28.0
_SPAWN: Final = multiprocessing.get_context("spawn")
_log = structlog.get_logger()


def work(settings: Settings) -> None:
    """Do jobs until SIGTERM or SIGINT, which end it at the next batch and with exit code 0."""
    asyncio.run(work_until_told(settings))


def follow_parent() -> None:
    """End with SIGTERM once the process that started this one is gone: it would keep a port, or work unseen."""
    if (parent := multiprocessing.parent_process()) is not None:
        threading.Thread(target=_follow, args=(parent,), daemon=True).start()


def _follow(parent: BaseProcess) -> None:
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)


@contextmanager
def worker_beside() -> Iterator[None]:
    """Keep a worker process for as long as the block runs: one that dies is started again.

    It takes its settings from the environment. At the end it stops at its next batch; SIGTERM meanwhile ends it.
    """
    keeper = _Keeper()
    keeper.start()
    try:
        yield
    finally:
        keeper.end()


class _Keeper(threading.Thread):
    """Starts a worker, and another one when it has died."""

    def __init__(self) -> None:
        super().__init__(name="worker", daemon=True)
        self._ending = threading.Event()
        self._process = _SPAWN.Process(target=_work_beside)

    def run(self) -> None:
        """Watch over the worker until the end."""
        while not self._ending.is_set():
            self._process.start()
            if self._ending.is_set():
                self._process.terminate()
            self._process.join()
            if self._ending.is_set() or self._process.exitcode == 0:  # told to stop, here or by who told us
                return
            _log.warning("worker died", exit_code=self._process.exitcode)
            if self._ending.wait(_PAUSE_SECONDS):
                return
            self._process = _SPAWN.Process(target=_work_beside)

    def end(self) -> None:
        """Stop the worker, and wait until it has."""
        self._ending.set()
        signal.signal(signal.SIGTERM, lambda *_: self._kill())
        if self._process.is_alive():
            self._process.terminate()
        self.join(_PATIENCE_SECONDS)
        self._kill()
        self.join()

    def _kill(self) -> None:
        if self._process.is_alive():
            self._process.kill()


def _work_beside() -> None:
    settings = Settings()
    configure_logging(settings)
    follow_parent()
    work(settings)
