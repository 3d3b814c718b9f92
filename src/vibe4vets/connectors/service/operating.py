"""The connectors as staff see and set them: schedule, health, and a run when somebody asks for one."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from pydantic import MISSING
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from vibe4vets.auth.principals import Principal
from vibe4vets.connectors.exceptions import ConnectorNotFound, ConnectorOff
from vibe4vets.connectors.models import ConnectorRun, ConnectorSchedule, RunState
from vibe4vets.connectors.registry import Connector, connectors
from vibe4vets.connectors.schemas import ConnectorRead, ConnectorSource, ConnectorUpdate, Health, RunRead, RunSummary
from vibe4vets.connectors.service.reading import read_run
from vibe4vets.connectors.service.runs import request_run
from vibe4vets.core.audit import Target, record_event
from vibe4vets.core.config import Settings
from vibe4vets.core.database import Session
from vibe4vets.core.models import utc_now
from vibe4vets.core.pagination import Cursors, PageQuery, Slice, Turn
from vibe4vets.core.preconditions import IfMatch

_OVERDUE: Final = 2
"""After how many of its schedules without success a source counts as stale."""
_OFF: Final = "An admin has switched it off."

# One walk of the index per question and connector.
_PAST: Final = text("""
select c.name, last.id as last_id, success.finished_at as success_at, ended.state as ended_as, ended.advice
from unnest(cast(:names as text[])) c(name)
left join lateral (select id from connector_runs r where r.connector = c.name
  order by created_at desc, id desc limit 1) last on true
left join lateral (select finished_at from connector_runs r where r.connector = c.name and state = 'succeeded'
  and not dry_run order by created_at desc, id desc limit 1) success on true
left join lateral (select state, advice from connector_runs r where r.connector = c.name
  and state in ('succeeded', 'failed') and not dry_run order by created_at desc, id desc limit 1) ended on true
""")


@dataclass(frozen=True, slots=True)
class _Row:
    """A place in the list of connectors."""

    name: str | None
    matches: int


@dataclass(frozen=True, slots=True)
class _Known:
    """A connector with what is stored about it."""

    connector: Connector
    schedule: ConnectorSchedule
    """As stored, or what stands for a row that is not there."""
    last_run: ConnectorRun | None
    succeeded_at: datetime | None
    ended_as: str | None
    advice: str | None

    @property
    def obstacle(self) -> str | None:
        """Why it does not run; a setting of the environment comes before what an admin has set."""
        return self.connector.obstacle or (None if self.schedule.is_enabled else _OFF)

    @property
    def every(self) -> timedelta | None:
        return self.schedule.every or self.connector.about.schedule

    def health(self) -> tuple[Health, str]:
        """How it does, and why so, in words."""
        if self.obstacle is not None:
            return Health.OFF, self.obstacle
        if self.ended_as is None:
            return Health.NEVER_RUN, "It has never run to its end."
        if self.ended_as == RunState.FAILED:
            return Health.FAILING, f"Its last run failed. {self.advice or 'See its error.'}"
        every, now = self.every, utc_now()
        if every is not None and self.succeeded_at is not None and self.succeeded_at + _OVERDUE * every < now:
            days, hours = divmod(int((now - self.succeeded_at).total_seconds()) // 3600, 24)
            return Health.STALE, f"Its last success is {days} days and {hours} hours ago; see whether a worker runs."
        return Health.OK, "Its last run succeeded."

    def read(self) -> ConnectorRead:
        """The connector as staff see it."""
        about, (health, reason), every = self.connector.about, self.health(), self.every
        runs_by_itself = self.obstacle is None and every is not None
        return ConnectorRead(
            name=about.slug,
            source=ConnectorSource.model_validate(about),
            enabled=self.schedule.is_enabled and not self.connector.is_switched_off,
            obstacle=self.obstacle,
            schedule=every,
            health=health,
            reason=reason,
            last_run=None if self.last_run is None else RunSummary.of(self.last_run),
            last_success_at=self.succeeded_at,
            due_at=(self.schedule.due_at or utc_now()) if runs_by_itself else None,
        )


async def list_connectors(session: Session, settings: Settings) -> list[ConnectorRead]:
    """Every connector, by name."""
    return [known.read() for known in await _look_up(session, connectors(settings))]


async def page_connectors(session: Session, settings: Settings, query: PageQuery, cursors: Cursors) -> Slice:
    """One page of the connectors, by name."""
    known = connectors(settings)
    turn = Turn.of(query, cursors, (str,))
    names = [name for name in sorted(known) if turn.after is None or name > turn.after[0]]
    names = names[turn.position if turn.after is None else 0 :][: turn.size]
    rows = [_Row(name, len(known)) for name in names] or [_Row(None, len(known))]
    found = turn.found(rows, ["name"])
    shown = await _look_up(session, {row.name: known[row.name] for row in found.rows})
    return Slice([one.read().model_dump_json() for one in shown], found.matches, found.next_cursor)


async def get_connector(session: Session, connector: Connector) -> tuple[ConnectorRead, int]:
    """The connector, and the version of its settings, which a change of them names."""
    (known,) = await _look_up(session, {connector.about.slug: connector})
    return known.read(), known.schedule.version


async def update_connector(
    session: Session, connector: Connector, data: ConnectorUpdate, match: IfMatch, *, admin: Principal
) -> tuple[ConnectorRead, int]:
    """Set whether and how often it runs; raises PreconditionFailed. A switch of the environment wins over this one."""
    name = connector.about.slug
    fresh = insert(ConnectorSchedule).values(connector=name, version=1, is_enabled=True)
    await session.execute(fresh.on_conflict_do_nothing())
    statement = select(ConnectorSchedule).where(ConnectorSchedule.connector == name).with_for_update()
    stored = (await session.exec(statement)).one()
    match.require(settings_etag(stored.version))
    before = stored.model_dump()
    changes = {
        column: value
        for column, value in (("is_enabled", data.enabled), ("every", data.schedule))
        if value is not MISSING
    }
    stored.sqlmodel_update(changes)
    stored.version, stored.updated_at = stored.version + 1, utc_now()
    if "every" in changes:
        stored.due_at = await _next(session, stored, connector)
    await session.flush()
    details = {column: str(value) for column, value in changes.items()}
    await record_event(
        session,
        "connector.update",
        actor=admin.actor,
        target=Target("connector", name),
        before=before,
        after=stored.model_dump(),
        details=details,
    )
    return await get_connector(session, connector)


async def start_run(session: Session, connector: Connector, *, dry_run: bool, admin: Principal) -> RunRead:
    """Queue a run; raises ConnectorOff, and RunUnderWay, which names the run that has not ended."""
    (known,) = await _look_up(session, {connector.about.slug: connector})
    if known.obstacle is not None:
        raise ConnectorOff(known.obstacle)
    about = connector.about
    run_id = await request_run(session, about.slug, subject=about.name, actor=admin.actor, dry_run=dry_run)
    return await read_run(session, run_id)


def find_connector(settings: Settings, name: str) -> Connector:
    """The connector of that name; raises ConnectorNotFound."""
    connector = connectors(settings).get(name)
    if connector is None:
        raise ConnectorNotFound
    return connector


def settings_etag(version: int) -> str:
    """The entity tag of a connector: it names the version of what can be changed, not the state of its runs."""
    return f'"{version}"'


async def _look_up(session: Session, known: dict[str, Connector]) -> list[_Known]:
    past: dict[str, Any] = {row.name: row for row in await session.execute(_PAST, {"names": list(known)})}
    schedules = select(ConnectorSchedule).where(col(ConnectorSchedule.connector).in_(known))
    stored = {schedule.connector: schedule for schedule in await session.exec(schedules)}
    last = select(ConnectorRun).where(col(ConnectorRun.id).in_([row.last_id for row in past.values() if row.last_id]))
    runs = {run.id: run for run in await session.exec(last)}
    return [
        _Known(
            connector,
            stored.get(name) or ConnectorSchedule(connector=name),
            runs.get(past[name].last_id),
            past[name].success_at,
            past[name].ended_as,
            past[name].advice,
        )
        for name, connector in known.items()
    ]


async def _next(session: Session, stored: ConnectorSchedule, connector: Connector) -> datetime | None:
    """When it is due by its new schedule: counted from its last run, at once when it has none."""
    every = stored.every or connector.about.schedule
    newest = select(ConnectorRun.created_at).where(ConnectorRun.connector == stored.connector)
    last = (await session.exec(newest.order_by(col(ConnectorRun.created_at).desc()).limit(1))).first()
    return None if last is None or every is None else last + every
