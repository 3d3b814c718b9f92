"""What can be done with sources: run them, see to them, watch them."""

from vibe4vets.connectors.service.foreground import RunReport, run_connector, run_source
from vibe4vets.connectors.service.mappings import read_mapping
from vibe4vets.connectors.service.operating import (
    find_connector,
    get_connector,
    list_connectors,
    page_connectors,
    settings_etag,
    start_run,
    update_connector,
)
from vibe4vets.connectors.service.preparing import parse_as_of, prepare
from vibe4vets.connectors.service.reading import list_quarantine, list_runs, read_run
from vibe4vets.connectors.service.runs import cancel_run, confirm_run, request_run
from vibe4vets.connectors.service.scheduling import request_due
from vibe4vets.connectors.service.stages import Progress
from vibe4vets.connectors.service.uploads import SentFile, request_import
from vibe4vets.connectors.service.watching import Watcher, Watching
from vibe4vets.connectors.service.working import do_run, wake_runs

__all__ = [
    "Progress",
    "RunReport",
    "SentFile",
    "Watcher",
    "Watching",
    "cancel_run",
    "confirm_run",
    "do_run",
    "find_connector",
    "get_connector",
    "list_connectors",
    "list_quarantine",
    "list_runs",
    "page_connectors",
    "parse_as_of",
    "prepare",
    "read_mapping",
    "read_run",
    "request_due",
    "request_import",
    "request_run",
    "run_connector",
    "run_source",
    "settings_etag",
    "start_run",
    "update_connector",
    "wake_runs",
]
