"""Metrics for Prometheus, labelled by route template, never by what a client sent."""

import hmac
import os
import shutil
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeAlias

import structlog
from fastapi import FastAPI, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

from vibe4vets.core.config import Environment, Settings
from vibe4vets.core.database import Database, Session
from vibe4vets.core.errors import NotAuthenticated

_log = structlog.get_logger()
_SHARED = "PROMETHEUS_MULTIPROC_DIR"  # the library's own name
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 6)


@dataclass(frozen=True, slots=True)
class Figure:
    """A number that the database knows, by labels; it is looked up when somebody asks, whichever process that is."""

    name: str
    help: str
    labels: tuple[str, ...]
    values: Mapping[tuple[str, ...], float]


Look: TypeAlias = Callable[[Session], Awaitable[Sequence[Figure]]]


class Metrics:
    """The numbers of one process; with several, each writes to a shared folder and any of them reads all."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        seconds = Histogram(
            "vibe4vets_request_seconds",
            "Time to answer; its count is how many were answered.",
            ("method", "route", "status"),
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._requests = cache(seconds.labels)  # finding a child by its labels costs more than counting
        self._connections = Gauge(
            "vibe4vets_database_connections",
            "Connections to the database, by pool and state.",
            ("pool", "state"),
            registry=self._registry,
            multiprocess_mode="livesum",
        )
        self._sealed = Counter("vibe4vets_audit_sealed", "Audit events sealed.", registry=self._registry)
        self._last_sealing = Gauge(
            "vibe4vets_audit_last_sealing_timestamp_seconds",
            "When the audit was last looked through for events to seal.",
            registry=self._registry,
            multiprocess_mode="max",
        )

    def count_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answer."""
        self._requests(method, route, status).observe(seconds)

    def count_sealed(self, events: int) -> None:
        """Count what a look at the audit has sealed, if only that nothing was there."""
        self._sealed.inc(events)
        self._last_sealing.set_to_current_time()

    def measure(self, database: Database) -> None:
        """Look at the pools; with several processes each does so from time to time, for the one that is asked."""
        for pool, (total, busy) in database.usage().items():
            self._connections.labels(pool, "busy").set(busy)
            self._connections.labels(pool, "idle").set(total - busy)

    def render(self) -> bytes:
        """The text that Prometheus reads: of this process, or the sum of all that share a folder."""
        if _SHARED not in os.environ:
            return generate_latest(self._registry)
        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return generate_latest(together)

    def close(self) -> None:
        """Take this process's gauges out of the sums; what it has counted stays."""
        if _SHARED in os.environ:
            mark_process_dead(os.getpid())  # type: ignore[no-untyped-call]


@contextmanager
def shared_between_processes(folder: Path) -> Iterator[None]:
    """Let the processes started meanwhile add up their numbers in `folder`, which is emptied first."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    os.environ[_SHARED] = str(folder)
    try:
        yield
    finally:
        del os.environ[_SHARED]
        shutil.rmtree(folder, ignore_errors=True)


class _Figures(Collector):
    """Figures as the library wants them."""

    def __init__(self, figures: Sequence[Figure]) -> None:
        self._figures = figures

    def collect(self) -> Iterator[Metric]:
        """Each as a gauge."""
        for figure in self._figures:
            gauge = GaugeMetricFamily(figure.name, figure.help, labels=figure.labels)
            for labels, value in figure.values.items():
                gauge.add_metric(labels, value)
            yield gauge


async def _look(database: Database, looks: Sequence[Look]) -> bytes:
    """What the database knows; nothing while it does not answer, for the other numbers are wanted then most."""
    try:
        async with Session(database.reads) as session:
            figures = [figure for look in looks for figure in await look(session)]
    except Exception as error:  # noqa: BLE001  whatever it is, the rest is told
        _log.warning("no figures", exc_info=error)
        return b""
    registry = CollectorRegistry()
    registry.register(_Figures(figures))
    return generate_latest(registry)


def mount_metrics(app: FastAPI, metrics: Metrics, settings: Settings, looks: Sequence[Look] = ()) -> None:
    """Serve `/metrics`: to whoever bears the token; without one only in development, to anybody.

    `looks` find what the domains know in the database.
    """
    token = settings.metrics.token
    if token is None and settings.env is Environment.PRODUCTION:
        return
    expected = None if token is None else f"Bearer {token.get_secret_value()}".encode()

    async def tell_metrics(request: Request) -> Response:
        given = request.headers.get("authorization", "").encode()
        if expected is not None and not hmac.compare_digest(given, expected):
            raise NotAuthenticated
        metrics.measure(request.app.state.database)
        figures = await _look(request.app.state.database, looks)
        return Response(metrics.render() + figures, media_type=CONTENT_TYPE_LATEST)

    app.add_api_route("/metrics", tell_metrics, include_in_schema=False)
