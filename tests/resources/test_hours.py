from itertools import pairwise
from time import perf_counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vibe4vets.resources.hours import Weekly, parse_weekly

LATE = "08:00-16:30"
ALWAYS = "00:00-24:00"


def week(*days: str) -> Weekly:
    """Seven days from Monday, each "08:00-12:00 13:00-16:00" or "" for closed; missing days are closed."""
    return tuple(tuple((span[:5], span[6:]) for span in day.split()) for day in (*days, *[""] * (7 - len(days))))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Mon-Fri 8:00AM-4:30PM; Sat-Sun Closed", week(*[LATE] * 5)),
        ("Monday-Friday 8:00 AM - 4:30 PM", week(*[LATE] * 5)),
        ("Monday - Friday: 8:00 AM - 4:30 PM", week(*[LATE] * 5)),
        ("Monday - Friday, 8:00 AM - 4:30 PM", week(*[LATE] * 5)),
        ("8:00 AM - 4:30 PM Monday-Friday", week(*[LATE] * 5)),
        ("Mon\u2013Fri, 8\u00a0a.m.\u20134:30 p.m.", week(*[LATE] * 5)),
        ("Mon. thru Fri. 8 AM to 4:30 PM", week(*[LATE] * 5)),
        ("Hours: Mon through Fri, from 8am until 4:30pm.", week(*[LATE] * 5)),
        ("M-F 8a-4:30p", week(*[LATE] * 5)),
        ("Mon-Fri 730AM-430PM; Sat-Sun Closed", week(*["07:30-16:30"] * 5)),
        ("weekdays 8am-4:30pm. Closed weekends.", week(*[LATE] * 5)),
        ("Tue-Fri 10:30am-2:30pm", week("", *["10:30-14:30"] * 4)),
        ("Fri-Mon 9am-5pm", week("09:00-17:00", "", "", "", *["09:00-17:00"] * 3)),
        ("Mon Closed; Tue 9:30AM-3:30PM; Wed-Sun Closed", week("", "09:30-15:30")),
        ("Closed on Sundays; Mon-Sat 8am-4:30pm", week(*[LATE] * 6)),
        ("Mon-Thu 10am-6pm, closed Fri-Sun", week(*["10:00-18:00"] * 4)),
        ("Mon,Wed,Fri 10:00 AM - 2:00 PM", week("10:00-14:00", "", "10:00-14:00", "", "10:00-14:00")),
        (
            "Monday, Wednesday, Friday, 9:00 AM - 12:00 PM",
            week("09:00-12:00", "", "09:00-12:00", "", "09:00-12:00"),
        ),
        ("Mon/Thu 9am-11:30am", week("09:00-11:30", "", "", "09:00-11:30")),
        ("Tuesdays and Thursdays - 10am-2pm", week("", "10:00-14:00", "", "10:00-14:00")),
        (
            "Monday-Tuesday, Thursday 7:30 AM - 4:00 PM; Wednesday 7:30 AM - 11:30 AM",
            week("07:30-16:00", "07:30-16:00", "07:30-11:30", "07:30-16:00"),
        ),
        ("Mon 9am - 12pm, 1pm - 4pm", week("09:00-12:00 13:00-16:00")),
        ("Tue-Fri 9am-12pm & 1-4pm; Sat 9am-1pm", week("", *["09:00-12:00 13:00-16:00"] * 4, "09:00-13:00")),
        ("Wed 12 PM-1:30 PM, 9:30 AM-11 AM", week("", "", "09:30-11:00 12:00-13:30")),
        (
            "Monday 10am-12pm, Tuesday and Wednesday 1pm-3pm",
            week("10:00-12:00", "13:00-15:00", "13:00-15:00"),
        ),
        ("Wed/Fri 10am-noon", week("", "", "10:00-12:00", "", "10:00-12:00")),
        ("Sat noon - 12 midnight", week("", "", "", "", "", "12:00-24:00")),
        ("Monday: 09:00 AM - 01:00 PM Tuesday: 01:00 PM - 02:00 PM", week("09:00-13:00", "13:00-14:00")),
        (
            "Every Thursday 4:30PM 5:30PM; EVERY TUES 2:00 PM 3:00 PM",
            week("", "14:00-15:00", "", "16:30-17:30"),
        ),
        ("Weekly; Tuesday and Friday 12:30 pm - 2:30 pm", week("", "12:30-14:30", "", "", "12:30-14:30")),
        ("Sa: 11:30a - 12:30p; Su: 12:30p - 1:30p", week("", "", "", "", "", "11:30-12:30", "12:30-13:30")),
        ("Daily 6 AM - 11 PM", week(*["06:00-23:00"] * 7)),
        ("Every day 8am-9pm", week(*["08:00-21:00"] * 7)),
        ("8am-9pm, 7 days a week", week(*["08:00-21:00"] * 7)),
    ],
)
def test_reads_certain_text(text: str, expected: Weekly) -> None:
    assert parse_weekly(text) == expected


@pytest.mark.parametrize(
    "text",
    ["24/7", "Open 24/7.", "24/7/365", "Mon-Sun 24/7", "Monday - Sunday 24/7", "24 hours, 7 days a week",
     "Open 24 hours a day, seven days per week", "Mon-Sun 24 hrs", "Mon-Sun 00:00-24:00"],
)  # fmt: skip
def test_round_the_clock_is_seven_whole_days(text: str) -> None:
    assert parse_weekly(text) == week(*[ALWAYS] * 7)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Saturday: 14:00-16:00", "14:00-16:00"),
        ("Saturday: 8:00-16:30", LATE),
        ("Sat 0800-1630", LATE),
        ("Saturday: 10:00-12:00, 13:00-15:00", "10:00-12:00 13:00-15:00"),
        ("Sat 18:00-24:00", "18:00-24:00"),
        ("Sat 00:30-05:00", "00:30-05:00"),
        ("Sat 6-8pm", "18:00-20:00"),
        ("Sat 9-11:30am", "09:00-11:30"),
        ("Sat 9-1pm", "09:00-13:00"),
        ("Sat 10-12pm", "10:00-12:00"),
        ("Sat 12-3pm", "12:00-15:00"),
    ],
)
def test_a_missing_half_of_the_day_is_taken_only_from_the_text(text: str, expected: str) -> None:
    assert parse_weekly(text) == week("", "", "", "", "", expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Fri 6pm-2am", week("", "", "", "", "18:00-02:00")),
        ("Fri 8:00AM-12:00AM", week("", "", "", "", "08:00-24:00")),
        ("Fri 6pm-midnight", week("", "", "", "", "18:00-24:00")),
        ("Fri midnight-6am", week("", "", "", "", "00:00-06:00")),
        ("daily 8pm-8am", week(*["20:00-08:00"] * 7)),
        ("Sun 8pm-8am, Mon 8am-5pm", week("08:00-17:00", "", "", "", "", "", "20:00-08:00")),
    ],
)
def test_a_night_runs_past_midnight(text: str, expected: Weekly) -> None:
    assert parse_weekly(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Mon 9am-5pm; Mon 9am-5pm", week("09:00-17:00")),
        ("Mon 9am-12pm; Mon 12pm-3pm", week("09:00-12:00 12:00-15:00")),
        ("Mon 9am-12pm; Mon 11am-3pm", None),
        ("Mon 9am-5pm; Mon-Fri Closed", None),
        ("Mon-Fri 9am-5pm; closed Wed", None),
        ("Mon-Fri 24/7", None),
        ("24/7; Sun closed", None),
        ("Sun 8pm-8am, Mon 7am-9am", None),
        ("Mon 8pm-8am, Tue 7am-9am", None),
    ],
)
def test_a_day_named_twice_must_agree(text: str, expected: Weekly | None) -> None:
    assert parse_weekly(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ; ",
        "Closed",
        "Mon-Sun Closed",
        "24 hours",
        "8:00 am - 10:00 am",
        "Mon-Fri",
        "Mon-Fri 9am-5pm, Sat",
        "Mon-Mon 9am-5pm",
        "weekdays-Sat 9am-5pm",
        "Sat-weekdays 9am-5pm",
        "Mon 9am",
        "Thursdays at 6pm",
        "Mon 9am-",
        "Mon-Fri 9-5",
        "Mon-Fri 8:00-4:30",
        "Saturday: 10:00-12:00",
        "Tues & Wed 9-12",
        "Every Monday 10:00 2:00",
        "M - F: 8:30a-4:30",
        "Mon 9am-5",
        "Mon 9-12am",
        "Mon 9-8am",
        "Tuesday 2:30 5pm",
        "Mon 9am-5pm*",
        "Mon (9am-5pm)",
        "Mon 8:00AM-1200",
        "Mon 9am-17:00",
        "Mon 9-17:00",
        "Mon 14:00-16",
        "Mon 13pm-15pm",
        "Mon 0am-5am",
        "Mon 9:75-17:00",
        "Mon 24:30-25:00",
        "Mon 24:00-06:00",
        "Mon 10:30 noon-1pm",
        "Mon 12am-12am",
        "Mon 00:00-00:00",
        "Mon 9am-9am",
        "Mon-Fri 8:00AM-3:30AM; Sat-Sun Closed",
        "Wednesday: 09:00 PM - 01:30 PM",
        "Every Saturday 10:00pm 12:00pm",
        "M-S 9am-5pm",
        "T 9am-5pm",
        "Tue Thu 9am-5pm",
        "Daily Monday 8:00am 4:00pm",
        "Tuesday or Thursday 9am-5pm",
        "Mon 9am-5pm every",
        "Mon-Sun Sunrise-Sundown",
        "Mon-Sun 8:00am-Sunset",
        "Mon-Fri By Appointment Only; Sat-Sun Closed",
        "Monday-Friday 8:00am-4:30pm (Appointment only)",
        "Mon Closed; Tue Please Call for Hours; Wed-Sun Closed",
        "Mon-Fri AM-PM; Sat-Sun Closed",
        "1st and 3rd Tuesday 9am-12pm",
        "2nd & 4th Monday Each Month 1:00pm - 4:00pm",
        "Every other Monday 12:00 PM 2:00 PM",
        "Every 2nd Wednesday 9:00 AM - 12:00 PM",
        "Twice per Month Saturday 8:30AM 9:30AM",
        "biweekly Tuesday 4:00pm 6:00pm",
        "May - September; Weekly; Wednesday 4:40 pm - 6:00 pm",
        "Monday-Friday 9:00am-3:30pm, closed 12pm-1pm for lunch.",
        "Mon-Fri 9am-5pm except holidays",
        "Monday-Friday 7:00 AM - 7:00 PM ET",
        "24/7 helpline",
        "Monday-Friday 8:00 AM - 5:00 PM, 24/7 (211 agents after hours)",
        "Call crisis line: 804-972-0813",
        "Mon \u0669am-5pm",
        "Mon-Fri 9am-5pm " + ";" * 1_000,
    ],
)
def test_every_doubt_is_none(text: str) -> None:
    assert parse_weekly(text) is None


WORDS = """
    Mon Tue Wed Thu Fri Sat Sun Mondays weekdays daily Closed Every weekly open 9am 5pm 12pm 8:00 16:30 0900 9
    12 24 24/7 24:00 noon midnight am pm - \u2013 to , ; : & and / . hours call 1st
"""
PIECES = st.lists(st.sampled_from(WORDS.split()), max_size=14)


@given(st.text() | PIECES.map(" ".join) | PIECES.map("".join))
@example("Sun 11pm-9am; Mon 9am-5pm")
def test_any_text_is_none_or_a_well_formed_week(text: str) -> None:
    weekly = parse_weekly(text)
    if weekly is None:
        return
    assert len(weekly) == 7
    spans: list[tuple[int, int]] = []
    for day, intervals in enumerate(weekly):
        for start, end in intervals:
            (first, last) = (int(clock[:2]) * 60 + int(clock[3:]) for clock in (start, end))
            assert all(len(clock) == 5 and clock[2] == ":" and clock[3:] < "60" for clock in (start, end))
            assert 0 <= first < 1440
            assert 0 < last <= 1440
            assert first != last
            spans.append((day * 1440 + first, day * 1440 + last + (1440 if last < first else 0)))
    assert spans
    around = [*spans, (spans[0][0] + 7 * 1440, 0)]
    assert all(end <= start for (_, end), (start, _) in pairwise(around))


@given(
    st.lists(st.booleans(), min_size=7, max_size=7).filter(any),
    st.integers(0, 1438).flatmap(lambda start: st.tuples(st.just(start), st.integers(start + 1, 1439))),
)
def test_what_is_written_is_read(open_days: list[bool], span: tuple[int, int]) -> None:
    names = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    halves = " - ".join(f"{m // 60 % 12 or 12}:{m % 60:02} {'AM' if m < 720 else 'PM'}" for m in span)
    clocks = "-".join(f"{m // 60:02}:{m % 60:02}" for m in span)
    text = "; ".join(
        f"{name} {halves if is_open else 'Closed'}" for name, is_open in zip(names, open_days, strict=True)
    )
    assert parse_weekly(text) == week(*(clocks if is_open else "" for is_open in open_days))


@pytest.mark.parametrize(
    "piece", ["Mon ", "Mon,", "9am-", "9am-5pm,", " ", "1", "a", "24 ", "7 days ", "and ", "-", "x."]
)
def test_the_longest_text_is_quick(piece: str) -> None:
    text = (piece * 1_000)[:1_000]
    started = perf_counter()
    parse_weekly(text)
    assert perf_counter() - started < 0.1
