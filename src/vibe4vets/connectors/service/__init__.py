"""What can be done with sources: run them."""

from vibe4vets.connectors.service.foreground import RunReport, run_connector, run_source
from vibe4vets.connectors.service.preparing import parse_as_of, prepare
from vibe4vets.connectors.service.runs import cancel_run, confirm_run, request_run
from vibe4vets.connectors.service.scheduling import request_due
from vibe4vets.connectors.service.stages import Progress
from vibe4vets.connectors.service.working import do_run, wake_runs

__all__ = [
    "Progress",
    "RunReport",
    "cancel_run",
    "confirm_run",
    "do_run",
    "parse_as_of",
    "prepare",
    "request_due",
    "request_run",
    "run_connector",
    "run_source",
    "wake_runs",
]
