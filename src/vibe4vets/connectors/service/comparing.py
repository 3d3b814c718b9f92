"""Three values of each field decide: what the source said last, what it says now, and what the directory says."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text

from vibe4vets.connectors.base import About
from vibe4vets.connectors.known_sources import COMMUNITY_TIER, describe_source
from vibe4vets.connectors.models import ConnectorRun, Outcome, Policy
from vibe4vets.core.database import Session
from vibe4vets.core.errors import InvalidRequest
from vibe4vets.resources import service as resources
from vibe4vets.resources.models import ProposalKind, Risk, Status
from vibe4vets.resources.service import Content

_IDENTITY: Final = ("source", "source_record_id", "source_url", "as_of")
_PHONE: Final = ("phone", "phone_extension")
_GROUPS: Final = (_PHONE, *((field,) for field in resources.FIELDS if field not in _PHONE))
"""A number and its extension change together: the one is wrong without the other."""

RETIRED_BY_A_RUN: Final = """
exists (select from resource_revisions v where v.resource_id = r.id and v.number = r.version
  and v.change = 'archived' and v.actor_kind = 'system')
"""
"""Of what is archived: its last version is a run's, and not an editor's."""

_KNOWN = text(f"""
select s.line, s.source, s.source_record_id as record_id, s.content, s.content_hash = k.content_hash as is_unchanged,
  k.resource_id, k.content as last, k.missed, r.status = 'archived' and {RETIRED_BY_A_RUN} as is_retired,
  coalesce(r.verified_at > k.updated_at, false) as is_verified,
  case when k.content is null then (
    select document from resource_revisions where resource_id = k.resource_id and change = 'imported'
    order by number desc limit 1
  ) end as last_revision
from staged_records s
join source_records k on k.source = s.source and k.source_record_id = s.source_record_id
join resources r on r.id = k.resource_id
where s.run_id = :run_id and s.line = any(cast(:lines as int[]))
order by s.line
""")  # noqa: S608  two texts of ours


@dataclass(frozen=True, slots=True)
class Known:
    """A record that the directory has, with all that decides what becomes of it."""

    line: int
    source: str
    record_id: str
    resource: resources.Working
    document: str
    """The staged `ResourceIntake` as JSON; empty when the source has no such record any more."""
    is_unchanged: bool
    last: Content
    new: Content
    now: Content
    missed: int
    is_retired: bool
    is_dated: bool
    """Its date or its address at the source is another."""
    is_verified: bool
    """A person has checked the resource since the source last changed it."""
    asked: resources.OpenProposal | None
    """What waits for a reviewer already."""

    @property
    def is_missing(self) -> bool:
        return not self.document


@dataclass(frozen=True, slots=True)
class Rules:
    """What a run may do by itself."""

    policy: Policy
    communities: Collection[str]
    """The sources whose facts nobody official vouches for."""

    def waits_for_review(self, source: str) -> bool:
        """Whether nothing of this source is shown before a person has seen it."""
        return self.policy is Policy.REVIEW and source in self.communities


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a known record."""

    outcome: Outcome
    applied: tuple[str, ...] = ()
    proposed: tuple[str, ...] = ()
    kind: ProposalKind | None = None
    """What is proposed, if anything."""
    intake: str | None = None
    """The `ResourceIntake` to write as the working row; None when it stays as it is."""
    is_change: bool = False
    """Whether the source changes what people read, not just a date."""


def rules_of(run: ConnectorRun, about: About, sources: Iterable[str]) -> Rules:
    """The rules of a run whose records are of `sources`."""
    tiers = {slug: about.tier if slug == about.slug else describe_source(slug).tier for slug in sources}
    return Rules(Policy(run.policy), {slug for slug, tier in tiers.items() if tier >= COMMUNITY_TIER})


async def read_known(session: Session, run: ConnectorRun, lines: Sequence[int]) -> list[Known]:
    """What is known of the records on these lines, in their order; new ones are left out."""
    if not lines:
        return []
    rows = (await session.execute(_KNOWN, {"run_id": run.id, "lines": lines})).all()
    ids: list[UUID] = [row.resource_id for row in rows]
    working = await resources.read_working(session, ids)
    asked = await resources.read_source_proposals(session, ids)
    return [_known(row, working[row.resource_id], asked.get(row.resource_id)) for row in rows]


def _known(row: Any, resource: resources.Working, asked: resources.OpenProposal | None) -> Known:  # noqa: ANN401  a row
    now = resource.content
    return Known(
        line=row.line,
        source=row.source,
        record_id=row.record_id,
        resource=resource,
        document=row.content,
        is_unchanged=row.is_unchanged,
        last=_last(row) or now,
        new=resources.content_of_intake(row.content) if row.content else now,
        now=now,
        missed=row.missed,
        is_retired=row.is_retired,
        is_dated=bool(row.content) and (row.last is None or _dates(row.last) != _dates(row.content)),
        is_verified=row.is_verified,
        asked=asked,
    )


def _dates(document: str) -> dict[str, Any]:
    """What belongs to the source alone: no editor changes it, and no reviewer has to see it."""
    given = json.loads(document)
    return {name: given.get(name) for name in _IDENTITY}


def _last(row: Any) -> Content | None:  # noqa: ANN401  a row
    """What the source said last; of records older than that column, what their last import wrote."""
    if row.last is not None:
        return resources.content_of_intake(row.last)
    if row.last_revision is not None:
        return resources.content_of_document(json.loads(row.last_revision))
    return None


def decide(known: Known, rules: Rules) -> Decision:
    """What becomes of a record that is in the directory. Nothing that a person has set is ever overwritten."""
    status = known.resource.status
    if known.is_missing:
        return _decide_missing(known, rules)
    if status is Status.ARCHIVED and not (known.is_retired and rules.policy is not Policy.DRAFT):
        return Decision(Outcome.WITHHELD)
    if status is Status.PUBLISHED and rules.policy is Policy.DRAFT and not known.is_unchanged:
        return Decision(Outcome.WITHHELD)
    if known.is_unchanged and status is not Status.ARCHIVED:
        publishes = status is Status.DRAFT and rules.policy is Policy.PUBLISH
        return Decision(Outcome.PUBLISHED if publishes else Outcome.UNCHANGED)
    return _merge(known, rules)


def _decide_missing(known: Known, rules: Rules) -> Decision:
    """Missing once is an accident. Twice in a row it goes, but what people rely on most a person takes away."""
    if known.resource.status is Status.ARCHIVED:  # since the plan
        return Decision(Outcome.WITHHELD)
    if known.missed == 0:
        return Decision(Outcome.VANISHED)
    shown = known.resource.status is Status.PUBLISHED
    waits = resources.is_crisis_line(known.now) or known.is_verified or rules.waits_for_review(known.source)
    if shown and waits:
        return Decision(Outcome.PROPOSED, kind=ProposalKind.ARCHIVE, is_change=True)
    return Decision(Outcome.RETIRED, is_change=True)


def _merge(known: Known, rules: Rules) -> Decision:
    applied, proposed = _divide(known, rules)
    intake = _merged(known, applied) if applied or (known.is_dated and not proposed) else None
    if applied and intake is None:  # values that are good alone and not together: a person sorts it out
        applied, proposed = [], [*applied, *proposed]
    is_change = any(not resources.is_same(field, known.last[field], known.new[field]) for field in resources.FIELDS)
    is_asked = known.asked is not None and known.asked.kind is ProposalKind.CREATE
    kind = ProposalKind.CHANGE if proposed else None
    if rules.waits_for_review(known.source) and known.resource.status is not Status.PUBLISHED:
        kind = ProposalKind.CREATE if is_change or is_asked or known.is_retired else kind
    outcome = Outcome.PROPOSED if kind else _applied(known, intake)
    return Decision(outcome, tuple(applied), tuple(proposed), kind, intake, is_change)


def _applied(known: Known, intake: str | None) -> Outcome:
    if known.is_retired:
        return Outcome.PUBLISHED
    return Outcome.UNCHANGED if intake is None else Outcome.UPDATED


def _divide(known: Known, rules: Rules) -> tuple[list[str], list[str]]:
    """The fields to apply, and those for a reviewer: also what waits already, while the source still says it."""
    applied: list[str] = []
    proposed: list[str] = []
    for group in _GROUPS:
        fields = [field for field in group if _is_changed(known, field)]
        if fields:
            (proposed if _waits(known, rules, group, fields) else applied).extend(fields)
    decided = {*applied, *proposed}
    proposed += [field for field in _waiting(known) if field not in decided and not _agrees(known, field)]
    return applied, proposed


def _waiting(known: Known) -> Mapping[str, Any]:
    """The changes of this record that a reviewer has not decided yet."""
    return known.asked.changes if known.asked is not None and known.asked.kind is ProposalKind.CHANGE else {}


def _is_changed(known: Known, field: str) -> bool:
    """By the source, to something that the directory does not say."""
    return not resources.is_same(field, known.last[field], known.new[field]) and not _agrees(known, field)


def _agrees(known: Known, field: str) -> bool:
    return resources.is_same(field, known.now[field], known.new[field])


def _waits(known: Known, rules: Rules, group: Iterable[str], fields: Iterable[str]) -> bool:
    """Whether a change is for a person to decide."""
    by_a_person = any(not resources.is_same(field, known.now[field], _base(known, field)) for field in group)
    if by_a_person or known.is_verified:
        return True
    if known.resource.status is Status.DRAFT:
        return False
    risk = resources.risk_of(ProposalKind.CHANGE, known.now, dict(_changes(known.now, known.new, fields)))
    if risk is Risk.CRISIS:
        return True
    if rules.policy is not Policy.REVIEW or known.is_retired:  # what comes back is as good as new
        return False
    return risk is Risk.HIGH or rules.waits_for_review(known.source)


def _base(known: Known, field: str) -> Any:  # noqa: ANN401  a value of any field
    """What the directory says unless a person has changed it."""
    waiting = _waiting(known)
    return waiting[field]["before"] if field in waiting else known.last[field]


def _changes(before: Content, after: Content, fields: Iterable[str]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    return ((field, {"before": before[field], "after": after[field]}) for field in fields)


def _merged(known: Known, applied: Iterable[str]) -> str | None:
    """The working row with the applied fields; None when it would break a rule."""
    merged = {**known.now, **{field: known.new[field] for field in applied}}
    if merged == known.new:
        return known.document
    try:
        return resources.intake_of(_dates(known.document), merged).model_dump_json()
    except InvalidRequest:
        return None


def changes_of(known: Known, decision: Decision) -> dict[str, Any]:
    """What a proposal tells of each field: the value that nobody had touched, and what the source says.

    The third value, the directory's, is read with the proposal: it may change until somebody decides.
    """
    if decision.kind is ProposalKind.CREATE:
        return proposed_whole(known.new)
    return {field: {"before": _base(known, field), "after": known.new[field]} for field in decision.proposed}


def proposed_whole(content: Content) -> dict[str, Any]:
    """A new record as a proposal tells it."""
    return {
        field: {"before": None, "after": value} for field, value in content.items() if not resources.is_empty(value)
    }
