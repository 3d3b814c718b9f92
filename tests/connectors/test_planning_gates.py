"""A reading that cannot be believed changes nothing (rows F9 and F10), and a plan tells what it would do."""

import json
from dataclasses import replace

from tests.connectors.feeds import Feed, counted
from vibe4vets.connectors.base import Record
from vibe4vets.connectors.models import Policy, Trigger

KNOWN = 20


async def test_more_than_a_tenth_waits_for_a_person(official: Feed) -> None:
    everything = official.records(KNOWN)
    assert (await official.read(*everything, confirmed=False)).hold is None
    for count, held in ((2, False), (3, True)):
        changed = [replace(record, title=f"Changed {count}") for record in everything[:count]]
        plan = await official.read(*changed, *everything[count:], apply=False, confirmed=False)
        assert (plan.hold is not None) is held
    assert plan.hold == (
        "It would change 3 and take away 0 of 20 known records, which is 15% and more than 10%. Look at the plan, then"
        " confirm or cancel the run."
    )
    assert plan.document["held"] == plan.hold
    await official.read(*changed, *everything[3:], confirmed=False)
    assert (await official.shown("1") or {})["title"] == "Help with rent"
    # proposals count: they would flood the queue
    risky = [replace(record, phone="614-555-0199") for record in everything]
    assert (await official.read(*risky, confirmed=False)).hold is not None
    assert await official.waiting() == []
    # a new date is no change, nor is a new record
    dated = [replace(record, as_of="2026-05-01") for record in everything]
    assert (await official.read(*dated, *official.records(KNOWN * 2)[KNOWN:], confirmed=False)).hold is None
    # what an operator does in person, nobody has to confirm
    assert (await official.read(*risky, policy=Policy.PUBLISH, confirmed=False)).hold is None
    assert (await official.shown("1") or {})["phone"] == "+16145550199"


async def test_a_feed_that_loses_a_tenth_does_not_empty_the_directory(official: Feed) -> None:
    everything = official.records(KNOWN)
    await official.read(*everything)
    assert (await official.read(*everything[3:], confirmed=False)).hold is None
    plan = await official.read(*everything[3:], confirmed=False)
    assert plan.hold is not None
    assert "take away 3 of 20" in plan.hold
    assert await official.shown("1") is not None
    confirmed = await official.read(*everything[3:])
    assert (confirmed.hold, confirmed.document["held"]) == (None, plan.hold)
    assert counted(confirmed) == {"retired": 3, "unchanged": 17}
    assert await official.shown("1") is None


async def test_an_empty_reading_where_there_were_records_fails(official: Feed) -> None:
    assert (await official.read()).failure is None
    await official.read(*official.records(3))
    for complete in (True, False):
        plan = await official.read(complete=complete)
        assert plan.failure is not None
        assert "no record, where 3 are known" in plan.failure
    assert (await official.read(policy=Policy.PUBLISH)).failure is not None
    assert (await official.read(policy=Policy.PUBLISH, complete=False)).failure is None
    assert await official.sql.fetchval("select sum(missed) from source_records") == 0


async def test_more_than_a_twentieth_refused_fails_what_nobody_looks_at(official: Feed) -> None:
    everything = official.records(KNOWN)
    assert (await official.read(*everything, rejections=1, apply=False)).failure is None
    plan = await official.read(*everything, rejections=2)
    assert plan.failure is not None
    assert "2 of 22 records were refused" in plan.failure
    assert await official.sql.fetchval("select count(*) from resources") == 0
    # the same record twice is no bad record
    assert (await official.read(*everything, *everything, rejections=1, apply=False)).failure is None
    # a file that a person sends keeps its good rows
    assert (await official.read(*everything, rejections=9, trigger=Trigger.UPLOAD, apply=False)).failure is None
    assert (await official.read(*everything, rejections=9, policy=Policy.PUBLISH)).failure is None
    assert await official.sql.fetchval("select count(*) from published_resources") == KNOWN


async def test_a_plan_shows_what_it_would_do(official: Feed) -> None:
    everything = official.records(15)
    await official.read(*everything)
    await official.edit("2", title="Edited")
    changed: list[Record] = [
        replace(everything[0], description="x" * 5000),
        replace(everything[1], title="From the source"),
        *(replace(record, phone="614-555-0199") for record in everything[2:14]),
        *official.records(40)[15:],
    ]
    before = await official.sql.fetch("select * from resources order by id")
    plan = await official.read(*changed, apply=False)
    assert await official.sql.fetch("select * from resources order by id") == before
    document = json.loads(json.dumps(plan.document))
    assert document["counts"] | {"created": 25, "updated": 1, "proposed": 13, "vanished": 1} == document["counts"]
    assert (document["known"], document["changed"], document["ended"]) == (15, 14, 0)
    assert document["fields"]["phone"] == {"applied": 0, "proposed": 12}
    samples = document["samples"]
    assert {kind: len(found) for kind, found in samples.items()} == {
        "created": 10, "updated": 1, "proposed": 10, "vanished": 1,
    }  # fmt: skip
    assert samples["created"][0] == {
        "resource_id": None, "source": "state_office", "record_id": "16", "title": "Help with rent", "fields": {},
    }  # fmt: skip
    assert len(samples["updated"][0]["fields"]["description"]["new"]) == 201
    assert samples["proposed"][0]["resource_id"] == str(await official.id_of("2"))
    assert samples["proposed"][0]["fields"]["title"] == {
        "now": "Edited", "last": "Help with rent", "new": "From the source", "proposed": True,
    }  # fmt: skip
    assert samples["proposed"][1]["fields"]["phone"]["new"] == "+16145550199"
