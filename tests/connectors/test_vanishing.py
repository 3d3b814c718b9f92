"""Records that did not come: missed once they stay, missed twice they go, and what comes back is shown again."""

import pytest

from tests.connectors.feeds import Feed, counted
from vibe4vets.connectors.models import Policy
from vibe4vets.resources.exceptions import ResourceStateConflict


async def test_what_is_missing_twice_in_a_row_is_retired_with_its_history(official: Feed) -> None:
    everything = official.records(3)
    await official.read(*everything)
    assert counted(await official.read(*everything[1:])) == {"vanished": 1, "unchanged": 2}
    assert await official.shown("1") is not None
    assert counted(await official.read(*everything)) == {"unchanged": 3}
    assert await official.sql.fetchval("select max(missed) from source_records") == 0
    assert counted(await official.read(*everything[1:])) == {"vanished": 1, "unchanged": 2}
    plan = await official.read(*everything[1:])
    assert counted(plan) == {"retired": 1, "unchanged": 2}
    [sample] = plan.document["samples"]["retired"]
    assert (sample["record_id"], sample["title"]) == ("1", "Help with rent")
    assert await official.shown("1") is None
    rows = await official.sql.fetch(
        "select change, actor_kind, reason from resource_revisions where resource_id = $1 order by number",
        await official.id_of("1"),
    )
    assert tuple(rows[-1]) == ("archived", "system", "missing from two complete readings in a row")
    assert await official.sql.fetchval("select count(*) from audit_events where action = 'directory.retire'") == 1
    assert await official.sql.fetchval("select count(*) from withdrawn_resources") == 1
    # and no more than that
    assert counted(await official.read(*everything[1:])) == {"unchanged": 2}


async def test_what_a_person_does_while_a_run_waits_stands(official: Feed) -> None:
    everything = official.records(3)
    await official.read(*everything)
    await official.read(everything[2])

    async def act() -> None:
        await official.archive("1")
        await official.verify("2")

    assert counted(await official.read(everything[2], meanwhile=act)) == {"retired": 2, "unchanged": 1}
    assert await official.shown("2") is not None
    [waiting] = await official.waiting()
    assert waiting["kind"] == "archive"
    actors = "select actor_kind from resource_revisions where resource_id = $1 order by number desc limit 1"
    assert await official.sql.fetchval(actors, await official.id_of("1")) == "user"


async def test_an_incomplete_reading_and_an_import_miss_nothing(official: Feed) -> None:
    everything = official.records(3)
    await official.read(*everything)
    for _ in range(3):
        plan = await official.read(everything[0], complete=False)
        assert counted(plan) == {"unchanged": 1}
        assert "missing ones are not looked for" in plan.document["remark"]
        for policy in (Policy.PUBLISH, Policy.DRAFT):
            assert counted(await official.read(everything[0], policy=policy)) == {"unchanged": 1}
    assert await official.sql.fetchval("select sum(missed) from source_records") == 0


async def test_a_record_that_is_refused_has_come(official: Feed) -> None:
    everything = official.records(3)
    await official.read(*everything)
    await official.read(*everything[1:])
    for _ in range(3):
        bad = official.record("1", phone="12")
        assert counted(await official.read(*everything[1:], bad, apply=False)) == {"unchanged": 2, "quarantined": 1}
    assert await official.shown("1") is not None


async def test_a_crisis_line_and_what_a_person_has_checked_are_taken_away_by_people(
    official: Feed, community: Feed
) -> None:
    line = official.record("1", phone="988", title="Veterans Crisis Line")
    everything = [line, *official.records(4)[1:]]
    await official.read(*everything)
    await official.verify("2")
    for outcomes in ({"vanished": 3, "unchanged": 1}, {"proposed": 2, "retired": 1, "unchanged": 1}, {"unchanged": 1}):
        assert counted(await official.read(everything[3])) == outcomes
    first, second = await official.waiting()
    assert (first["kind"], first["risk"], first["resource_id"]) == ("archive", "crisis", str(await official.id_of("1")))
    assert (second["kind"], second["risk"]) == ("archive", "high")
    assert "missing from two complete readings" in first["note"]
    for number in ("1", "2"):
        assert await official.shown(number) is not None
    # back again, unchanged or not
    changed = official.record("2", hours="Mon-Fri 9:00AM-5:00PM")
    assert counted(await official.read(line, changed, everything[3])) == {"unchanged": 2, "proposed": 1}
    assert await official.decided() == [("rejected", "The source has it again.")]
    [waiting] = await official.waiting()
    assert (waiting["kind"], waiting["version"]) == ("change", 2)
    # a community list takes nothing away by itself; what was never shown, it does
    await community.read(*community.records(2), policy=Policy.DRAFT)
    await community.read(community.record("1"), policy=Policy.PUBLISH)
    await community.read(community.record("3"))
    assert counted(await community.read(community.record("3"))) == {"unchanged": 1, "proposed": 1, "retired": 1}
    assert await community.shown("1") is not None
    assert {proposal["kind"] for proposal in await community.waiting()} == {"change", "create", "archive"}


async def test_what_a_run_has_retired_comes_back_and_what_an_editor_has_archived_does_not(official: Feed) -> None:
    everything = official.records(4)
    await official.read(*everything)
    await official.edit("2", title="Edited")
    for _ in range(2):
        await official.read(everything[3])
    await official.restore("3")
    await official.archive("3")
    changed = official.record("2", phone="614-555-0199", title="Changed")
    assert counted(await official.read(*everything, policy=Policy.DRAFT)) == {"withheld": 3, "unchanged": 1}
    plan = await official.read(everything[0], changed, *everything[2:])
    assert counted(plan) == {"published": 1, "proposed": 1, "withheld": 1, "unchanged": 1}
    assert await official.shown("1") is not None
    back = await official.shown("2")
    assert back is not None
    # what comes back is as good as new, but for what a person has set
    assert (back["phone"], back["title"]) == ("+16145550199", "Edited")
    assert await official.shown("3") is None
    last = "select change from resource_revisions where resource_id = $1 order by number desc limit 1"
    assert await official.sql.fetchval(last, await official.id_of("1")) == "restored"
    assert await official.sql.fetchval("select count(*) from withdrawn_resources") == 1
    assert counted(await official.read(everything[0], changed, *everything[2:])) == {"unchanged": 3, "withheld": 1}
    # an editor who brings back what is still missing has the last word
    for _ in range(2):
        await official.read(changed, *everything[2:])
    await official.restore("1")
    assert counted(await official.read(changed, *everything[2:])) == {"unchanged": 2, "withheld": 1}
    assert await official.shown("1") is not None


async def test_what_comes_back_to_a_community_list_waits_as_a_draft(community: Feed) -> None:
    everything = community.records(2)
    await community.read(*everything, policy=Policy.PUBLISH)
    for _ in range(2):
        await community.read(everything[1])
    await community.approve()
    assert await community.shown("1") is None
    # a person has archived it: it stays so
    assert counted(await community.read(*everything)) == {"withheld": 1, "unchanged": 1}


async def test_a_draft_that_was_retired_comes_back_as_a_draft(community: Feed) -> None:
    everything = community.records(2)
    await community.read(*everything)
    for _ in range(2):
        await community.read(everything[1])
    assert await community.decided() == [("rejected", "The source no longer has it.")]
    assert counted(await community.read(*everything)) == {"proposed": 1, "unchanged": 1}
    status = "select status from resources where id = $1"
    assert await community.sql.fetchval(status, await community.id_of("1")) == "draft"
    assert len(await community.waiting()) == 2


async def test_an_archived_resource_cannot_be_archived_by_its_proposal(official: Feed) -> None:
    await official.read(official.record("1", phone="988"), official.record("2"))
    for _ in range(2):
        await official.read(official.record("2"))
    await official.archive("1")
    with pytest.raises(ResourceStateConflict):
        await official.approve()
