"""Finding duplicates set-wise, and making two resources one: with a preview, a redirect that stays, and a way back."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from vibe4vets.core.audit import Actor, Target, record_event
from vibe4vets.core.database import Session
from vibe4vets.core.pagination import Cursors, Listing, Order, Slice
from vibe4vets.resources.exceptions import MergeNotFound, MergeOutOfDate, ResourceStateConflict
from vibe4vets.resources.models import Change, Status, duplicate_candidates
from vibe4vets.resources.schemas import Dismissal, DuplicatePair, DuplicateQuery, MergeRead, MergeRequest
from vibe4vets.resources.service.content import content_of, differences, is_empty, settled
from vibe4vets.resources.service.editing import Locked, change_content, lock_resource
from vibe4vets.resources.service.history import Deed, get_revision, record_revisions
from vibe4vets.resources.service.publishing import publish_resources, read_resources, withdraw_resources

D = duplicate_candidates.c
_LIKELIEST = Listing(
    select(D.first_id, D.second_id, D.score, D.reasons).where(D.dismissed.is_(False)),
    Order((D.score, D.first_id, D.second_id), (float, UUID, UUID), descending=True),
)
_LISTS = ("eligibility", "categories", "tags", "states", "languages", "locations")

_FORGET = text("delete from duplicate_candidates where not dismissed")
# A pair shares its number, or its town; titles decide how alike it is. A number that many share is a hotline's.
_FIND = text("""
with shown as (
  select p.id, p.title_key, r.phone, l.city, l.state
  from published_resources p join resources r on r.id = p.id
  left join lateral (
    select fold(city) as city, state from locations where resource_id = p.id and city is not null
    order by position limit 1
  ) l on true
), rare as (
  select phone from shown where length(phone) > 3 group by phone having count(*) between 2 and 20
), pairs as (
  select a.id as first_id, b.id as second_id, true as same_phone, a.city = b.city and a.state = b.state as same_place,
    similarity(a.title_key, b.title_key) as alike
  from rare join shown a on a.phone = rare.phone join shown b on b.phone = rare.phone and a.id < b.id
  union
  select a.id, b.id, coalesce(a.phone = b.phone, false), true, similarity(a.title_key, b.title_key)
  from shown a join shown b on a.city = b.city and a.state = b.state and a.id < b.id
    and left(a.title_key, 4) = left(b.title_key, 4)
), judged as (
  select first_id, second_id,
    0.5 * alike + case when same_phone then 0.3 else 0 end + case when same_place then 0.2 else 0 end as score,
    array_remove(array[case when same_phone then 'same-phone' end, case when same_place then 'same-place' end,
      case when alike >= 0.5 then 'alike-title' end], null) as reasons
  from pairs
)
insert into duplicate_candidates (first_id, second_id, score, reasons)
select distinct on (first_id, second_id) first_id, second_id, score, reasons
from judged where score >= 0.5
order by first_id, second_id, score desc
on conflict (first_id, second_id) do nothing
""")
_DISMISS = text("""
update duplicate_candidates set dismissed = true
where first_id = least(cast(:a as uuid), cast(:b as uuid)) and second_id = greatest(cast(:a as uuid), cast(:b as uuid))
""")
_GONE = text("delete from duplicate_candidates where first_id = :id or second_id = :id")
_MOVE = text("""
update proposals set resource_id = :kept_id, version = version + 1, updated_at = now()
where resource_id = :merged_id and state = 'open' and kind <> 'archive' returning id
""")
_MOVE_BACK = text("""
update proposals set resource_id = :merged_id, version = version + 1, updated_at = now()
where id = any(cast(:ids as uuid[])) and state = 'open'
""")
_MERGE = text("""
insert into resource_merges (kept_id, merged_id, kept_version, moved_proposals, actor_id)
values (:kept_id, :merged_id, :kept_version, :moved, :actor_id) returning id, created_at
""")
_LOCK_MERGE = text("""
select id, kept_id, merged_id, kept_version, moved_proposals from resource_merges
where id = :id and undone_at is null for update
""")
_UNDO = text("update resource_merges set undone_at = now(), updated_at = now() where id = :id")
_VERSION_AFTER = text("""
select max(number) from resource_revisions where resource_id = :id and change = 'merged'
""")
_UNARCHIVE = text("update resources set status = 'published', version = version + 1, updated_at = now() where id = :id")


async def find_duplicates(session: Session) -> None:
    """Look for pairs anew among what is published, in one statement; dismissed pairs stay dismissed."""
    await session.execute(_FORGET)
    await session.execute(_FIND)


async def list_duplicates(session: Session, query: DuplicateQuery, cursors: Cursors) -> Slice:
    """Return one page of pairs, the likeliest first."""
    found = await _LIKELIEST.read(session, query, cursors)
    shown = await read_resources(session, [id_ for row in found.rows for id_ in (row.first_id, row.second_id)])
    return found.slice(
        lambda row: DuplicatePair(
            score=round(row.score, 4), reasons=row.reasons, first=shown[row.first_id], second=shown[row.second_id]
        ).model_dump_json()
    )


async def dismiss_duplicate(session: Session, given: Dismissal, *, actor: Actor) -> None:
    """Say that two resources are not one; raises MergeNotFound unless they are a pair."""
    dismissed: Any = await session.execute(_DISMISS, {"a": given.first_id, "b": given.second_id})
    if not dismissed.rowcount:
        raise MergeNotFound
    target = Target("resource", str(given.first_id))
    await record_event(
        session, "duplicate.dismissed", actor=actor, target=target, details={"other": str(given.second_id)}
    )


async def merge_resources(session: Session, given: MergeRequest, *, actor: Actor) -> MergeRead:
    """Give one resource the other's place, or with `dry_run` tell what that would change.

    The kept one gains what it lacks; open proposals move to it; the other answers 410 with it as successor. Raises
    ResourceNotFound, and ResourceStateConflict unless both are published.
    """
    kept, merged = await _lock_both(session, given)
    gained = _gained(content_of(kept.content), content_of(merged.content))
    changes = list(
        differences(content_of(kept.content), settled(kept.identity, {**content_of(kept.content), **gained}))
    )
    merge = MergeRead(
        id=None, kept_id=kept.id, merged_id=merged.id, changes=changes, moved_proposals=0, created_at=None
    )
    if given.dry_run:
        return merge
    deed = Deed(Change.MERGED, actor, given.reason)
    await change_content(session, kept, gained, deed)
    await withdraw_resources(session, [merged.id], successor_id=kept.id)
    await record_revisions(session, [merged.id], deed)
    values = {"kept_id": kept.id, "merged_id": merged.id}
    moved = list((await session.execute(_MOVE, values)).scalars())
    await session.execute(_GONE, {"id": merged.id})
    stored = {**values, "kept_version": kept.version, "moved": moved, "actor_id": actor.id}
    row = (await session.execute(_MERGE, stored)).one()
    target = Target("resource", str(merged.id))
    await record_event(session, "resource.merged", actor=actor, target=target, details={"into": str(kept.id)})
    return merge.model_copy(update={"id": row.id, "created_at": row.created_at, "moved_proposals": len(moved)})


async def undo_merge(session: Session, merge_id: UUID, *, actor: Actor) -> None:
    """Take a merge back: both are as they were, with what was proposed since where it was proposed.

    Raises MergeNotFound, and MergeOutOfDate when somebody has changed the kept one since: its history tells how.
    """
    row = (await session.execute(_LOCK_MERGE, {"id": merge_id})).one_or_none()
    if row is None:
        raise MergeNotFound
    kept = await lock_resource(session, row.kept_id)
    last_merge = (await session.execute(_VERSION_AFTER, {"id": row.kept_id})).scalar_one()
    if kept.version not in {row.kept_version, last_merge}:
        raise MergeOutOfDate
    deed = Deed(Change.RESTORED, actor, "merge undone")
    before = await get_revision(session, row.kept_id, row.kept_version)
    await change_content(session, kept, content_of(before), deed)
    await session.execute(_UNARCHIVE, {"id": row.merged_id})
    await publish_resources(session, [row.merged_id])
    await record_revisions(session, [row.merged_id], deed)
    await session.execute(_MOVE_BACK, {"merged_id": row.merged_id, "ids": row.moved_proposals})
    await session.execute(_UNDO, {"id": merge_id})
    target = Target("resource", str(row.merged_id))
    await record_event(session, "resource.unmerged", actor=actor, target=target, details={"from": str(row.kept_id)})


async def _lock_both(session: Session, given: MergeRequest) -> tuple[Locked, Locked]:
    """In the order of their ids, so that two merges cannot wait for one another."""
    locked = {id_: await lock_resource(session, id_) for id_ in sorted((given.kept_id, given.merged_id))}
    if any(resource.status is not Status.PUBLISHED for resource in locked.values()):
        raise ResourceStateConflict("Only published resources can be merged.")
    return locked[given.kept_id], locked[given.merged_id]


def _gained(kept: Mapping[str, Any], merged: Mapping[str, Any]) -> dict[str, Any]:
    """What the kept one lacks: empty fields from the other, and what its lists do not hold yet."""
    gained = {field: value for field, value in merged.items() if field not in _LISTS and is_empty(kept[field])}
    for field in _LISTS:
        gained[field] = [*kept[field], *_missing(field, kept[field], merged[field])]
    return {field: value for field, value in gained.items() if not is_empty(value)}


def _missing(field: str, known: Sequence[Any], others: Sequence[Any]) -> list[Any]:
    if field == "locations":  # the same street twice is one place, however its other fields are told
        streets = {(place["street"], place["postal_code"]) for place in known}
        return [place for place in others if (place["street"], place["postal_code"]) not in streets]
    return [value for value in others if value not in known]
