"""Plan, then apply: what a run does by itself, what it leaves to a person, and that a person's word stands."""

from tests.connectors.feeds import Feed, counted, told
from vibe4vets.connectors.models import Policy

NEW_PHONE, OLD_PHONE = "+16145550199", "+16145550100"


async def test_an_official_source_publishes_what_is_new_and_what_is_harmless(official: Feed) -> None:
    assert counted(await official.read(*official.records(3))) == {"created": 3}
    assert counted(await official.read(*official.records(3))) == {"unchanged": 3}
    plan = await official.read(
        official.record("1", description="Rent for two months.", website="https://www.help.example.org/new"),
        official.record("2", phone="614-555-0199"),
        official.record("3", as_of="2026-02-01"),
    )
    assert counted(plan) == {"updated": 2, "proposed": 1}
    assert plan.document["fields"] == {
        "description": {"applied": 1, "proposed": 0},
        "phone": {"applied": 0, "proposed": 1},
        "website": {"applied": 1, "proposed": 0},
    }
    first, second = await official.shown("1"), await official.shown("2")
    assert first is not None
    assert second is not None
    assert (first["description"], first["version"]) == ("Rent for two months.", 2)
    assert (second["phone"], second["version"]) == (OLD_PHONE, 1)
    [waiting] = await official.waiting()
    assert told(waiting) == {"phone": (OLD_PHONE, NEW_PHONE, OLD_PHONE)}
    assert (waiting["kind"], waiting["origin"], waiting["risk"]) == ("change", "connector", "high")
    history = await official.sql.fetch(
        "select change, actor_kind from resource_revisions where resource_id = $1 order by number",
        await official.id_of("1"),
    )
    assert [tuple(row) for row in history] == [("imported", "system")] * 2
    events = await official.sql.fetch("select action, count(*) from audit_events group by 1 order by 1")
    assert [row["action"] for row in events] == ["directory.import", "directory.propose"]
    await official.approve()
    assert (await official.shown("2") or {})["phone"] == NEW_PHONE
    assert counted(await official.read(official.record("2", phone="614-555-0199"), complete=False)) == {"unchanged": 1}


async def test_what_sends_people_elsewhere_waits_for_a_reviewer(official: Feed) -> None:
    risky = [
        {"phone": "614-555-0199"},
        {"phone": "614-555-0100 ext. 7"},
        {"street": "2 Main St"},
        {"latitude": 39.9, "longitude": -83.0},
        {"website": "https://elsewhere.example.com/rent"},
        {"website": None},
        {"eligibility": ("Veterans", "Spouses")},
    ]
    harmless = [
        {"title": "Rent help"},
        {"hours": "Mon-Fri 9:00AM-4:30PM"},
        {"place_name": "Second floor"},
        {"county": "Franklin"},
        {"summary": "Closed this week."},
        {"categories": ("housing", "financial")},
        {"cost": "Free"},
    ]
    both = [*risky, *harmless]
    await official.read(*official.records(len(both)))
    changed = [official.record(str(number), **changes) for number, changes in enumerate(both, start=1)]
    assert counted(await official.read(*changed)) == {"proposed": len(risky), "updated": len(harmless)}
    assert [proposal["risk"] for proposal in await official.waiting()] == ["high"] * len(risky)
    for number in range(1, len(risky) + 1):
        assert (await official.shown(str(number)) or {})["version"] == 1


async def test_everything_of_a_community_source_waits(community: Feed) -> None:
    assert counted(await community.read(community.record())) == {"proposed": 1}
    assert counted(await community.read(*community.records(2))) == {"proposed": 1, "unchanged": 1}
    assert await community.shown("1") is None
    assert await community.sql.fetchval("select count(*) from published_resources") == 0
    first = (await community.waiting())[0]
    assert (first["kind"], first["risk"], first["conflicting"]) == ("create", "high", False)
    assert told(first)["phone"] == (None, OLD_PHONE, OLD_PHONE)
    assert "summary" not in told(first)
    await community.approve()
    assert (await community.shown("1") or {})["source"]["slug"] == "county_list"
    assert counted(await community.read(*community.records(2))) == {"unchanged": 2}
    # also what would be harmless, and a draft's proposal keeps up with its source
    changed = community.records(2, description="Rent for two months.")
    assert counted(await community.read(*changed)) == {"proposed": 2}
    assert (await community.shown("1") or {})["description"] == "Rent for a month."
    offer, change = sorted(await community.waiting(), key=lambda proposal: proposal["kind"] != "create")
    assert (offer["kind"], change["kind"], change["risk"]) == ("create", "change", "low")
    assert told(offer)["description"][1] == "Rent for two months."
    assert offer["version"] == 2


async def test_a_reviewer_publishes_of_a_new_record_what_they_approve(community: Feed) -> None:
    await community.read(community.record(email="help@example.org"))
    await community.approve(["title", "phone", "categories"])
    shown = await community.shown()
    assert shown is not None
    assert (shown["title"], shown["phone"], shown["source"]["record_id"]) == ("Help with rent", OLD_PHONE, "1")
    assert (shown["email"], shown["description"], shown["locations"], shown["hours"]["text"]) == (None, "", [], None)
    # what was left out is a person's decision, and the source does not undo it by saying it again or otherwise
    assert counted(await community.read(community.record(email="help@example.org"))) == {"unchanged": 1}
    changed = community.record(email="rent@example.org")
    assert counted(await community.read(changed, policy=Policy.PUBLISH)) == {"proposed": 1}
    [waiting] = await community.waiting()
    assert told(waiting) == {"email": ("help@example.org", "rent@example.org", None)}


async def test_a_rejected_new_record_is_not_offered_again_while_the_source_says_the_same(community: Feed) -> None:
    await community.read(community.record())
    await community.reject()
    for same in (community.record(), community.record(as_of="2026-02-01")):
        await community.read(same)
        assert await community.waiting() == []
    await community.read(community.record(title="Help with rent and heating"))
    [waiting] = await community.waiting()
    assert waiting["kind"] == "create"
    await community.edit(title="Edited while it waited")
    [waiting] = await community.waiting()
    assert waiting["conflicting"]
    assert told(waiting)["title"] == (None, "Help with rent and heating", "Edited while it waited")


async def test_what_a_person_has_set_is_never_overwritten(official: Feed) -> None:
    await official.read(official.record())
    await official.edit(title="Rent help of the office", phone="614-555-0150")
    for policy in (Policy.REVIEW, Policy.PUBLISH):
        changed = official.record(
            title=f"Help with rent ({policy})", description=f"By {policy}.", phone="614-555-0199", as_of="2026-03-01"
        )
        assert counted(await official.read(changed, policy=policy)) == {"proposed": 1}
        shown = await official.shown()
        assert shown is not None
        assert (shown["title"], shown["phone"]) == ("Rent help of the office", "+16145550150")
        assert shown["description"] == f"By {policy}."
        [waiting] = await official.waiting()
        assert waiting["conflicting"]
        assert told(waiting) == {
            "title": ("Help with rent", f"Help with rent ({policy})", "Rent help of the office"),
            "phone": (OLD_PHONE, NEW_PHONE, "+16145550150"),
        }


async def test_what_a_person_has_set_to_the_same_needs_nobody(official: Feed) -> None:
    await official.read(official.record())
    await official.edit(phone="614-555-0199")
    assert counted(await official.read(official.record(phone="614-555-0199"))) == {"unchanged": 1}
    assert await official.waiting() == []
    # and it is the source's again: what it says next is compared with that
    plan = await official.read(official.record(phone="614-555-0198"), policy=Policy.PUBLISH)
    assert counted(plan) == {"updated": 1}


async def test_a_person_who_edits_while_a_run_waits_is_not_overwritten(official: Feed) -> None:
    await official.read(official.record())

    async def edit() -> None:
        await official.edit(title="Edited meanwhile")

    plan = await official.read(official.record(title="From the source"), meanwhile=edit)
    assert counted(plan) == {"updated": 1}
    assert (await official.shown() or {})["title"] == "Edited meanwhile"
    [waiting] = await official.waiting()
    assert told(waiting) == {"title": ("Help with rent", "From the source", "Edited meanwhile")}
    row = await official.sql.fetchrow("select updated, proposed from connector_runs order by created_at desc limit 1")
    assert tuple(row) == (0, 1)


async def test_a_verified_resource_changes_by_proposals_only(official: Feed) -> None:
    await official.read(official.record())
    await official.verify()
    await official.read(official.record(as_of="2026-02-01"))
    for policy in (Policy.REVIEW, Policy.PUBLISH):
        changed = official.record(title=f"Help with rent ({policy})", as_of="2026-02-01")
        assert counted(await official.read(changed, policy=policy)) == {"proposed": 1}
        assert (await official.shown() or {})["title"] == "Help with rent"
        [waiting] = await official.waiting()
        assert told(waiting) == {"title": ("Help with rent", f"Help with rent ({policy})", "Help with rent")}


async def test_the_number_of_a_crisis_line_waits_whatever_the_policy(official: Feed) -> None:
    line = {"title": "Veterans Crisis Line", "phone": "988"}
    tagged = {"title": "Suicide line", "tags": ("crisis line",)}
    await official.read(official.record("1"), official.record("2", **line), official.record("3", **tagged))
    await official.read(official.record("1", phone="614-555-0199"), complete=False)
    plan = await official.read(
        official.record("2", **line | {"phone": "614-555-0199"}, description="New."),
        official.record("3", title="Suicide line"),
        policy=Policy.PUBLISH,
    )
    assert counted(plan) == {"proposed": 2}
    assert (await official.shown("2") or {})["phone"] == "988"
    assert (await official.shown("2") or {})["description"] == "New."
    assert (await official.shown("3") or {})["tags"] == ["crisis-line"]
    assert [proposal["risk"] for proposal in await official.waiting()] == ["crisis", "crisis", "high"]


async def test_a_number_and_its_extension_go_together(official: Feed) -> None:
    await official.read(official.record())
    await official.edit(phone="614-555-0150")
    await official.read(official.record(phone="614-555-0100 ext. 2"), policy=Policy.PUBLISH)
    shown = await official.shown()
    assert shown is not None
    assert (shown["phone"], shown["phone_extension"]) == ("+16145550150", None)


async def test_an_organization_is_its_name_however_it_is_written(official: Feed) -> None:
    await official.read(official.record("1"), official.record("2", organization="The Office"))
    assert (await official.shown("2") or {})["organization"]["name"] == (
        (await official.shown("1") or {})["organization"]["name"]
    )
    others = official.records(2, organization="The Other Office")
    assert counted(await official.read(*others)) == {"updated": 2}


async def test_an_operator_publishes_all_but_what_people_have_said(official: Feed) -> None:
    plan = await official.read(official.record("1"), official.record("2"), policy=Policy.DRAFT)
    assert counted(plan) == {"created": 2}
    assert await official.shown("1") is None
    await official.edit("2", title="Edited draft")
    changed = official.records(2, phone="614-555-0199", title="Help")
    assert counted(await official.read(*changed, policy=Policy.DRAFT)) == {"updated": 1, "proposed": 1}
    assert counted(await official.read(*changed, policy=Policy.PUBLISH)) == {"published": 2}
    assert (await official.shown("1") or {})["phone"] == NEW_PHONE
    assert (await official.shown("2") or {})["title"] == "Edited draft"
    again = official.records(2, phone="614-555-0100")
    assert counted(await official.read(*again, policy=Policy.DRAFT)) == {"withheld": 2}
    assert (await official.shown("1") or {})["phone"] == NEW_PHONE
    assert counted(await official.read(*again, policy=Policy.PUBLISH)) == {"updated": 1, "proposed": 1}
    assert (await official.shown("1") or {})["phone"] == OLD_PHONE


async def test_records_of_an_older_release_are_compared_with_what_their_import_wrote(official: Feed) -> None:
    await official.read(*official.records(3))
    await official.edit("1", title="Edited")
    await official.sql.execute("update source_records set content = null")
    plan = await official.read(
        official.record("1", title="From the source"),
        official.record("2", title="From the source"),
        official.record("3"),
    )
    assert counted(plan) == {"proposed": 1, "updated": 1, "unchanged": 1}
    assert await official.sql.fetchval("select count(*) from source_records where content is null") == 0


async def test_what_an_editor_has_archived_stays_so(official: Feed) -> None:
    await official.read(official.record())
    await official.archive()
    for policy in Policy:
        assert counted(await official.read(official.record(title="New"), policy=policy)) == {"withheld": 1}
    assert await official.shown() is None
    assert await official.waiting() == []
