"""What a person is shown of a plan: how many of each kind, which fields, and some records of each with their values."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text

from vibe4vets.connectors.models import Outcome
from vibe4vets.connectors.service.comparing import Decision, Known
from vibe4vets.core.database import Session

_EACH: Final = 10
_LONGEST_TEXT, _LONGEST_LIST = 200, 5

_SAMPLES = text("""
select s.outcome, s.line, s.source, s.source_record_id as record_id, k.resource_id,
  coalesce(r.title, nullif(s.content, '')::json ->> 'title') as title
from (
  select line, row_number() over (partition by outcome order by line) as place
  from staged_records where run_id = :run_id and outcome <> 'unchanged'
) numbered
join staged_records s on s.run_id = :run_id and s.line = numbered.line
left join source_records k on k.source = s.source and k.source_record_id = s.source_record_id
left join resources r on r.id = k.resource_id
where numbered.place <= :each
order by s.line
""")


class Account:
    """Counts the decisions on known records, and keeps what is needed to show some of them."""

    def __init__(self) -> None:
        self.changed = 0
        """How many known records the source changes in what people read."""
        self.ended = 0
        """How many it no longer has."""
        self._applied: Counter[str] = Counter()
        self._proposed: Counter[str] = Counter()
        self._shown: dict[int, dict[str, Any]] = {}
        self._kept: Counter[Outcome] = Counter()

    def add(self, known: Known, decision: Decision) -> None:
        """Count one decision; they come in the order of their lines."""
        self._applied.update(decision.applied)
        self._proposed.update(decision.proposed)
        if decision.is_change:
            self.ended += known.is_missing
            self.changed += not known.is_missing
        if self._kept[decision.outcome] < _EACH:
            self._kept[decision.outcome] += 1
            self._shown[known.line] = {
                field: {
                    "now": _brief(known.now[field]),
                    "last": _brief(known.last[field]),
                    "new": _brief(known.new[field]),
                    "proposed": field in decision.proposed,
                }
                for field in (*decision.applied, *decision.proposed)
            }

    async def document(
        self, session: Session, run_id: UUID, counts: Mapping[Outcome, int], **told: object
    ) -> dict[str, Any]:
        """The plan for `run.plan`; it holds what the directory shows or will show, and nothing else."""
        samples: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in await session.execute(_SAMPLES, {"run_id": run_id, "each": _EACH}):
            samples[row.outcome].append(
                {
                    "resource_id": row.resource_id and str(row.resource_id),
                    "source": row.source,
                    "record_id": row.record_id,
                    "title": row.title,
                    "fields": self._shown.get(row.line, {}),
                }
            )
        fields = {
            field: {"applied": self._applied[field], "proposed": self._proposed[field]}
            for field in sorted({*self._applied, *self._proposed})
        }
        return {
            "counts": {kind.value: size for kind, size in counts.items()},
            "changed": self.changed,
            "ended": self.ended,
            "fields": fields,
            "samples": dict(samples),
            **told,
        }


def _brief(value: Any) -> Any:  # noqa: ANN401  JSON
    """A value short enough to look at."""
    match value:
        case str() if len(value) > _LONGEST_TEXT:
            return f"{value[:_LONGEST_TEXT]}…"
        case list():
            return [_brief(item) for item in value[:_LONGEST_LIST]]
        case dict():
            return {name: _brief(item) for name, item in value.items()}
    return value
