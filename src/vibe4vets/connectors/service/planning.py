"""The plan: what becomes of every staged record, decided before anything changes."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import text

from vibe4vets.connectors.base import About
from vibe4vets.connectors.models import ConnectorRun, Outcome, Policy, Trigger
from vibe4vets.connectors.service.comparing import (
    RETIRED_BY_A_RUN,
    Decision,
    Known,
    Rules,
    decide,
    read_known,
    rules_of,
)
from vibe4vets.connectors.service.sampling import Account
from vibe4vets.connectors.service.staging import REPEATED
from vibe4vets.connectors.service.vanishing import stage_missing
from vibe4vets.core.database import Session

_CHUNK: Final = 1000
_MOST_CHANGED, _MOST_REFUSED = 0.10, 0.05
"""Beyond these shares a feed is more likely broken than so different."""

TO_APPLY: Final = "(outcome in ('created', 'published', 'proposed') or changes is not null)"
"""Which lines of the stage change anything, if only what is known of the source's record."""
_SOURCES = text("select distinct source from staged_records where run_id = :run_id")

# The stage is emptied after every run, so the planner often takes it for empty: this statement is written so that
# its plan stays good whatever it believes. Known records with another content are looked at one by one afterwards.
_CLASSIFY = text(f"""
update staged_records s set (outcome, changes) = (
  select case
    when k.id is null and s.source = any(cast(:waiting as text[])) then 'proposed'
    when k.id is null then 'created'
    when r.status = 'archived' and :policy <> 'draft' and {RETIRED_BY_A_RUN} then 'updated'
    when r.status = 'archived' then 'withheld'
    when k.content_hash = s.content_hash and r.status = 'draft' and :policy = 'publish' then 'published'
    when k.content_hash = s.content_hash then 'unchanged'
    when r.status = 'published' and :policy = 'draft' then 'withheld'
    else 'updated' end,
    case when k.content_hash = s.content_hash and r.status <> 'archived' and (k.missed > 0 or k.content is null)
      then cast('{{}}' as jsonb) end
  from (select) one
  left join source_records k on k.source = s.source and k.source_record_id = s.source_record_id
  left join resources r on r.id = k.resource_id
)
where run_id = :run_id
""")  # noqa: S608  two texts of ours

_NEXT = text("""
select line from staged_records
where run_id = :run_id and line > :after and (outcome = 'updated' or content = '')
order by line limit :size
""")
_DECIDE = text("""
update staged_records s set outcome = d.outcome, changes = d.changes
from jsonb_to_recordset(cast(:decisions as jsonb)) as d(line integer, outcome text, changes jsonb)
where s.run_id = :run_id and s.line = d.line
""")
_COUNT = text(f"""
select outcome, count(*) as size, count(*) filter (where content <> '') as came,
  count(*) filter (where {TO_APPLY}) as to_apply
from staged_records where run_id = :run_id group by outcome
union all select 'quarantined', count(*), 0, 0 from quarantined_records where run_id = :run_id
""")  # noqa: S608  two texts of ours
_KNOWN = text("""
select count(*) from source_records k join resources r on r.id = k.resource_id
where k.source = any(cast(:sources as text[])) and r.status <> 'archived'
""")
_REFUSED = text("""
select count(*) from quarantined_records where run_id = :run_id and reason not like :repeated
""")


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run will do, and whether it may."""

    counts: Mapping[Outcome, int]
    document: dict[str, Any]
    """For `run.plan`: the counts, the fields that change, and samples of each kind."""
    staged: int
    """How many lines are on the stage now: repeated ones have left it, vanished ones have come."""
    to_apply: int
    """How many of them `apply_batch` will go through."""
    hold: str | None = None
    """Why a person has to confirm it first."""
    failure: str | None = None
    """Why nothing of it may be applied."""


async def plan_run(session: Session, run: ConnectorRun, about: About, *, complete: bool) -> Plan:
    """Decide what becomes of every record on the stage of `run`, and write it there; nothing else changes.

    `complete` says that the reading held all that the publisher has. It can be called again until something is
    applied. The caller owns the transaction, and keeps `staged` and the document on the run.
    """
    sources = {about.slug, *(await session.execute(_SOURCES, {"run_id": run.id})).scalars()}
    rules = rules_of(run, about, sources)
    await _classify(session, run, rules)
    remark = await stage_missing(session, run, about.slug, complete=complete)
    account = Account()
    await _compare(session, run, rules, account)
    rows = (await session.execute(_COUNT, {"run_id": run.id})).all()
    sizes = {row.outcome: row.size for row in rows}
    counts = {kind: sizes.get(kind.value, 0) for kind in Outcome}
    known = (await session.execute(_KNOWN, {"sources": sorted(sources)})).scalar_one()
    hold = _hold(run, account, known)
    came = sum(row.came for row in rows)
    failure = await _failure(session, run, came, counts[Outcome.QUARANTINED], known, complete=complete)
    return Plan(
        counts,
        await account.document(session, run.id, counts, known=known, remark=remark, held=hold),
        staged=sum(counts.values()) - counts[Outcome.QUARANTINED],
        to_apply=sum(row.to_apply for row in rows),
        hold=None if run.confirmed else hold,
        failure=failure,
    )


async def _classify(session: Session, run: ConnectorRun, rules: Rules) -> None:
    waiting = sorted(rules.communities) if rules.policy is Policy.REVIEW else []
    await session.execute(_CLASSIFY, {"run_id": run.id, "policy": rules.policy.value, "waiting": waiting})


async def _compare(session: Session, run: ConnectorRun, rules: Rules, account: Account) -> None:
    """Decide on known records that have changed or did not come, field by field."""
    after = 0
    while True:
        values = {"run_id": run.id, "after": after, "size": _CHUNK}
        lines = list((await session.execute(_NEXT, values)).scalars())
        if not lines:
            return
        decided = [(known, decide(known, rules)) for known in await read_known(session, run, lines)]
        await session.execute(_DECIDE, {"run_id": run.id, "decisions": _stored(decided)})
        for known, decision in decided:
            account.add(known, decision)
        after = lines[-1]


def _stored(decided: Iterable[tuple[Known, Decision]]) -> str:
    return json.dumps(
        [
            {
                "line": known.line,
                "outcome": decision.outcome,
                "changes": {"applied": decision.applied, "proposed": decision.proposed},
            }
            for known, decision in decided
        ]
    )


def _hold(run: ConnectorRun, account: Account, known: int) -> str | None:
    """Why a person has to look at it first; what an operator does in person, nobody has to confirm."""
    touched = account.changed + account.ended
    if Policy(run.policy) is not Policy.REVIEW or touched <= known * _MOST_CHANGED:
        return None
    return (
        f"It would change {account.changed:,} and take away {account.ended:,} of {known:,} known records, which is"
        f" {touched / known:.0%} and more than {_MOST_CHANGED:.0%}. Look at the plan, then confirm or cancel the run."
    )


async def _failure(  # noqa: PLR0913  what there is to know of a reading
    session: Session, run: ConnectorRun, came: int, quarantined: int, known: int, *, complete: bool
) -> str | None:
    """Why this reading is not to be believed. A file that a person sends keeps its good rows."""
    reviewed = Policy(run.policy) is Policy.REVIEW
    if known and not came and not quarantined and (reviewed or complete):
        return f"The source gave no record, where {known:,} are known: nothing was changed. Ask its publisher."
    refused = (await session.execute(_REFUSED, {"run_id": run.id, "repeated": f"{REPEATED}%"})).scalar_one()
    total = came + quarantined
    if reviewed and run.trigger is not Trigger.UPLOAD and refused > total * _MOST_REFUSED:
        return (
            f"{refused:,} of {total:,} records were refused, more than {_MOST_REFUSED:.0%}: nothing was changed."
            " Their reasons stand in the quarantine; the publisher may have changed the format."
        )
    return None
