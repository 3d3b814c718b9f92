"""Runs as staff see them."""

from datetime import datetime
from typing import Any, Self

from pydantic import Field, StrictBool

from vibe4vets.connectors.models import ConnectorRun, Policy, RunState, Stage, Trigger
from vibe4vets.core.pagination import PageQuery
from vibe4vets.core.schemas import Identified, Input, Output


class RunRequest(Input):
    """How to run it."""

    dry_run: StrictBool = Field(
        default=False, description="Only read and plan: the run ends with its plan, and nothing changes."
    )


class RunQuery(PageQuery):
    """Which runs of a connector; the newest first."""

    state: RunState | None = Field(default=None, description="Runs in this state only.", examples=["failed"])


class QuarantineQuery(PageQuery):
    """Which refused records of a run; in the order of their lines."""


class RunCounts(Output):
    """How many records, by what became of them; of a run under way, so far."""

    created: int
    updated: int
    published: int
    unchanged: int
    proposed: int = Field(description="They wait for a reviewer, as a whole or in some of their fields.")
    withheld: int
    vanished: int = Field(description="Missing for the first time, so they stay.")
    retired: int
    quarantined: int


class RunSummary(Identified):
    """A run, as lists and watchers see it."""

    connector: str
    subject: str = Field(description="What is read: an address, or the name of a file.")
    state: RunState
    stage: Stage | None
    policy: Policy
    trigger: Trigger
    dry_run: bool
    attempt: int = Field(description="How many times a worker has begun or taken it over.")
    done: int = Field(description="Records done in the stage.")
    total: int | None = Field(description="Of how many; null while that is not known.")
    counts: RunCounts
    held_because: str | None = Field(description="Why it waits for a person to confirm or cancel it.")
    cancel_requested: bool
    error: str | None = Field(description="The class of what ended it.")
    advice: str | None = Field(description="What ended it and what to do.")
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None = Field(description="Null until it has ended.")

    @classmethod
    def of(cls, run: ConnectorRun) -> Self:
        """The run as it is now."""
        return cls.model_validate({**run.model_dump(), "counts": run, "quarantine": _quarantine(run)})


class RunRead(RunSummary):
    """A run with its plan."""

    plan: dict[str, Any] | None = Field(description="What it does or would do, by field, with samples.")
    warnings: list[str] = Field(description="What was odd about the whole.")
    quarantine: str | None = Field(description="Where the refused records are; null when there are none.")


class QuarantinedRead(Output):
    """A record that was refused; the others of its run went on."""

    line: int = Field(description="Its row of a spreadsheet, its line of a file, or its place in the list.")
    reason: str = Field(description="What is wrong with it.")
    source: str | None
    source_record_id: str | None
    content: str = Field(description="What was read, for whoever corrects it.")


def _quarantine(run: ConnectorRun) -> str | None:
    return f"/api/v1/connectors/runs/{run.id}/quarantine" if run.quarantined else None
