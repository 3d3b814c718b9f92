"""Opening hours and other short texts, as people write them."""

import re
from collections.abc import Iterable
from itertools import groupby
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from vibe4vets.connectors.sources.hsds.answers import Schedule

_DAYS: Final = {"MO": "Mon", "TU": "Tue", "WE": "Wed", "TH": "Thu", "FR": "Fri", "SA": "Sat", "SU": "Sun"}
_ORDER: Final = list(_DAYS)
_TIME: Final = re.compile(r"(\d\d):(\d\d)", re.ASCII)
_ORDINALS: Final = {"1": "1st", "2": "2nd", "3": "3rd", "4": "4th", "5": "5th", "-1": "last"}
_NTH_DAY: Final = re.compile(r"(-?\d)(MO|TU|WE|TH|FR|SA|SU)", re.ASCII)


def plain(text: str | None) -> str:
    """Text on one line, without the spaces around it."""
    return " ".join((text or "").split())


def hours(schedules: Iterable["Schedule"]) -> str | None:
    """Every schedule: "Mon-Fri 9:00AM-5:00PM; Sat 10:00AM-1:00PM", and its own words where it has no times."""
    told = dict.fromkeys(text for schedule in schedules if (text := _schedule(schedule)))
    return "; ".join(told) or None


def _schedule(schedule: "Schedule") -> str:
    times = "-".join(filter(None, map(_clock, (schedule.opens_at, schedule.closes_at))))
    days = _days(schedule)
    if not times or not days:
        return plain(schedule.description) or plain(schedule.notes) or times
    return f"{days} {times}"


def _days(schedule: "Schedule") -> str:
    """The days of a week; every other rhythm in words that nobody reads as a week."""
    codes = [code.strip().upper() for code in (schedule.byday or "").split(",") if code.strip()]
    if schedule.freq == "WEEKLY" and set(codes) <= set(_DAYS):
        days = _spans(sorted({_ORDER.index(code) for code in codes}))
        return days if schedule.interval in {None, 0, 1} else f"every {schedule.interval} weeks on {days}"
    nth = [f"{_ORDINALS[found[1]]} {_DAYS[found[2]]}" for code in codes if (found := _NTH_DAY.fullmatch(code))]
    if schedule.freq == "MONTHLY" and nth:
        return f"monthly on the {', '.join(nth)}"
    return f"monthly on day {schedule.bymonthday}" if schedule.bymonthday else ""


def _spans(days: list[int]) -> str:
    spans = []
    for _, run in groupby(enumerate(days), key=lambda place: place[1] - place[0]):
        names = [_DAYS[_ORDER[day]] for _, day in run]
        spans.append(names[0] if len(names) == 1 else f"{names[0]}-{names[-1]}")
    return ", ".join(spans)


def _clock(text: str | None) -> str | None:
    found = _TIME.match(text or "")
    if found is None:
        return None
    hour = int(found[1])
    return f"{hour % 12 or 12}:{found[2]}{'AM' if hour % 24 < 12 else 'PM'}"  # noqa: PLR2004
