"""What a batch has to do: decisions, sorted by the statement that carries each out."""

from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from vibe4vets.connectors.models import Outcome, Policy
from vibe4vets.connectors.service.comparing import Decision, Known, Rules
from vibe4vets.resources.models import ProposalKind, Status

_AGREES: Final = "The source and the directory agree again."
_BACK: Final = "The source has it again."
_GONE: Final = "The source no longer has it."
_PUBLISHED: Final = "It has been published."


@dataclass(slots=True)
class Work:
    """Lines of the stage, records and resources, by what becomes of them."""

    shown: list[str] = field(default_factory=list)
    """Working rows to write of what the public sees, or is about to."""
    hidden: list[str] = field(default_factory=list)
    """Working rows to write of drafts."""
    publish: list[int] = field(default_factory=list)
    """Lines whose resources are shown anew."""
    revise: list[int] = field(default_factory=list)
    """Lines whose resources get a new version."""
    keep: list[int] = field(default_factory=list)
    """Lines that are the source's last word from now on."""
    untaken: list[int] = field(default_factory=list)
    """Those of them whose word the directory does not take yet."""
    returned: list[int] = field(default_factory=list)
    """Lines whose resources a run had retired."""
    revive: list[UUID] = field(default_factory=list)
    """Retired resources that wait for a reviewer, as drafts."""
    missing: list[int] = field(default_factory=list)
    retire: list[UUID] = field(default_factory=list)
    propose: list[tuple[Known, Decision]] = field(default_factory=list)
    """What reviewers are asked about known records."""
    offer: list[Any] = field(default_factory=list)
    """Rows of new records that reviewers are asked about as a whole."""
    close: dict[str, list[UUID]] = field(default_factory=dict)
    """Open proposals that nobody has to decide any more, by the reason that is told."""

    def add_new(self, row: Any, rules: Rules) -> None:  # noqa: ANN401  a row of the batch
        """A record that the directory does not have."""
        waits = rules.waits_for_review(row.source)
        is_shown = not waits and rules.policy is not Policy.DRAFT
        (self.shown if is_shown else self.hidden).append(row.content)
        if is_shown:
            self.publish.append(row.line)
        if waits:
            self.offer.append(row)
        self.revise.append(row.line)
        self.keep.append(row.line)

    def add_known(self, known: Known, decision: Decision, rules: Rules) -> None:
        """A record that the directory has."""
        if known.is_missing:
            self._add_missing(known, decision)
        elif decision.outcome is not Outcome.WITHHELD:
            self._add_merged(known, decision, rules)
        if decision.kind is not None:
            self.propose.append((known, decision))

    def _add_missing(self, known: Known, decision: Decision) -> None:
        self.missing.append(known.line)
        if decision.outcome is Outcome.RETIRED:
            self.retire.append(known.resource.id)
            self._close(known, _GONE)

    def _add_merged(self, known: Known, decision: Decision, rules: Rules) -> None:
        self.keep.append(known.line)
        if known.is_verified or (decision.proposed and decision.intake is None):
            self.untaken.append(known.line)
        is_shown = _is_shown(known, rules)
        writes = decision.intake is not None
        if decision.intake is not None:
            (self.shown if is_shown else self.hidden).append(decision.intake)
        if known.is_retired:
            (self.returned).append(known.line)
            if not is_shown:
                self.revive.append(known.resource.id)
        becomes_shown = is_shown and known.resource.status is not Status.PUBLISHED
        if becomes_shown or (is_shown and writes):
            self.publish.append(known.line)
        if writes or becomes_shown or known.is_retired:
            self.revise.append(known.line)
        if decision.kind is None and known.asked is not None:
            self._close_settled(known, becomes_shown=becomes_shown)

    def _close_settled(self, known: Known, *, becomes_shown: bool) -> None:
        """Nothing is asked for any more; what was asked about an unchanged record still is."""
        kind = known.asked.kind if known.asked is not None else None
        if kind is ProposalKind.ARCHIVE:
            self._close(known, _BACK)
        elif kind is ProposalKind.CREATE and (becomes_shown or known.resource.status is Status.PUBLISHED):
            self._close(known, _PUBLISHED)
        elif kind is ProposalKind.CHANGE and not known.is_unchanged:
            self._close(known, _AGREES)

    def _close(self, known: Known, reason: str) -> None:
        if known.asked is not None:
            self.close.setdefault(reason, []).append(known.asked.id)


def _is_shown(known: Known, rules: Rules) -> bool:
    """Whether the public sees the resource once this is done."""
    if known.resource.status is Status.PUBLISHED:
        return True
    if known.is_retired:
        return not rules.waits_for_review(known.source)
    return rules.policy is Policy.PUBLISH
