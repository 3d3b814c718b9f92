"""What can be done with sources: run them."""

from vibe4vets.connectors.service.preparing import parse_as_of, prepare
from vibe4vets.connectors.service.runs import Progress, RunReport, run_source

__all__ = ["Progress", "RunReport", "parse_as_of", "prepare", "run_source"]
