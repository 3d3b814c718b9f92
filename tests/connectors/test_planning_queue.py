"""What a source asks reviewers: one open proposal for a resource, as new as its last reading."""

import asyncio

import pytest
from sqlalchemy.ext.asyncio import async_sessionmaker

from tests.connectors.feeds import ANY, PERSON, Feed, counted, told
from vibe4vets.connectors.models import Policy
from vibe4vets.core.audit import Target
from vibe4vets.core.database import Session
from vibe4vets.core.pagination import Cursors
from vibe4vets.resources import service as resources
from vibe4vets.resources.exceptions import ResourceStateConflict
from vibe4vets.resources.models import ProposalKind
from vibe4vets.resources.schemas import DuplicateQuery, MergeRequest

OLD, NEW, NEWER = "+16145550100", "+16145550199", "+16145550198"


async def test_a_newer_reading_takes_the_place_of_the_older_one(official: Feed) -> None:
    await official.read(official.record())
    await official.read(official.record(phone="614-555-0199"))
    [first] = await official.waiting()
    plan = await official.read(official.record(phone="614-555-0199", eligibility=("Everybody",), title="Rent"))
    assert counted(plan) == {"proposed": 1}
    [second] = await official.waiting()
    assert (second["id"], second["version"]) == (first["id"], 2)
    assert told(second) == {"phone": (OLD, NEW, OLD), "eligibility": (["Veterans"], ["Everybody"], ["Veterans"])}
    assert (await official.shown() or {})["title"] == "Rent"
    await official.read(official.record(phone="614-555-0198", eligibility=("Veterans",), title="Rent"))
    [third] = await official.waiting()
    # nobody has touched the number: it is the directory's, and no conflict
    assert told(third) == {"phone": (OLD, NEWER, OLD)}
    assert not third["conflicting"]
    assert await official.decided() == []


async def test_a_reading_that_changes_nothing_does_not_disturb_a_reviewer(official: Feed) -> None:
    await official.read(official.record())
    await official.read(official.record(phone="614-555-0199"))
    [first] = await official.waiting()
    await official.read(official.record(phone="614-555-0199", as_of="2026-04-01"))
    assert await official.waiting() == [first]


async def test_a_source_that_goes_back_asks_no_more(official: Feed) -> None:
    await official.read(official.record())
    await official.read(official.record(phone="614-555-0199"))
    assert counted(await official.read(official.record())) == {"unchanged": 1}
    assert await official.waiting() == []
    assert await official.decided() == [("rejected", "The source and the directory agree again.")]
    await official.read(official.record(phone="614-555-0199"))
    await official.read(official.record(phone="614-555-0199", title="Rent"), policy=Policy.PUBLISH)
    # waiting for a reviewer is no word of a person's: who publishes needs none
    assert [told(proposal) for proposal in await official.waiting()] == [{"phone": (OLD, NEW, OLD)}]
    await official.read(official.record(phone="614-555-0198"), policy=Policy.PUBLISH)
    assert await official.waiting() == []
    assert (await official.shown() or {})["phone"] == NEWER


async def test_what_was_rejected_is_not_asked_again_while_the_source_says_the_same(official: Feed) -> None:
    await official.read(official.record())
    await official.read(official.record(phone="614-555-0199"))
    await official.reject()
    for title in ("Rent", "Rents"):
        assert counted(await official.read(official.record(phone="614-555-0199", title=title))) == {"updated": 1}
        assert await official.waiting() == []
    await official.read(official.record(phone="614-555-0198", title="Rents"))
    [waiting] = await official.waiting()
    # the reviewer has kept the old one: whoever decides now sees that the source had said something else before
    assert told(waiting) == {"phone": (NEW, NEWER, OLD)}


async def test_an_import_that_publishes_a_draft_ends_its_proposal(community: Feed) -> None:
    await community.read(community.record())
    await community.read(community.record(), policy=Policy.PUBLISH)
    assert await community.shown() is not None
    assert await community.waiting() == []
    assert await community.decided() == [("rejected", "It has been published.")]


async def test_a_draft_that_somebody_else_has_published_is_not_published_again(community: Feed) -> None:
    await community.read(community.record())
    async with async_sessionmaker(community.engine, class_=Session).begin() as session:
        await resources.publish_resource(session, await community.id_of(), ANY, actor=PERSON)
    with pytest.raises(ResourceStateConflict, match="reject the proposal"):
        await community.approve()
    await community.reject()
    assert await community.shown() is not None


async def test_two_workers_leave_one_proposal(official: Feed) -> None:
    await official.read(official.record())
    given = [
        resources.SourceProposal(
            ProposalKind.CHANGE, await official.id_of(), {}, {"cost": {"before": None, "after": str(number)}}, "note"
        )
        for number in range(8)
    ]

    async def put(one: resources.SourceProposal) -> None:
        async with async_sessionmaker(official.engine, class_=Session).begin() as session:
            target = Target("resource", str(one.resource_id))
            await resources.put_source_proposals(session, [one], actor=PERSON, target=target)

    await asyncio.gather(*map(put, given))
    [waiting] = await official.waiting()
    assert waiting["version"] == 8


async def test_the_record_of_a_merged_resource_is_withheld(official: Feed, community: Feed) -> None:
    """Two sources that write one resource would undo one another in turns."""
    await official.read(official.record())
    await community.read(community.record(), policy=Policy.PUBLISH)
    kept, merged = await official.id_of(), await community.id_of()
    async with async_sessionmaker(official.engine, class_=Session).begin() as session:
        await resources.merge_resources(session, MergeRequest(kept_id=kept, merged_id=merged), actor=PERSON)
    before = await official.shown()
    for policy in (Policy.REVIEW, Policy.PUBLISH):
        plan = await community.read(community.record(phone="614-555-0199"), policy=policy)
        assert counted(plan) == {"withheld": 1}
    assert await official.shown() == before
    assert await community.waiting() == []
    assert counted(await official.read(official.record(title="Rent"))) == {"updated": 1}


async def test_duplicates_across_sources_are_suggested_and_never_merged(official: Feed, community: Feed) -> None:
    await official.read(official.record("1"), official.record("2", title="Help with rent", phone=None, city="Dayton"))
    await community.read(community.record(), policy=Policy.PUBLISH)
    async with async_sessionmaker(official.engine, class_=Session).begin() as session:
        await resources.find_duplicates(session)
        cursors = Cursors(b"a key of at least thirty-two bytes")
        found = await resources.list_duplicates(session, DuplicateQuery(), cursors)
    pairs = await official.sql.fetch("select first_id, second_id, reasons from duplicate_candidates")
    assert [({row["first_id"], row["second_id"]}, row["reasons"]) for row in pairs] == [
        ({await official.id_of("1"), await community.id_of()}, ["same-phone", "same-place", "alike-title"])
    ]
    assert len(found.documents) == 1
    assert await official.sql.fetchval("select count(*) from published_resources") == 3
