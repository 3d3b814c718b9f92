"""Opening hours: the text that people write, read into a week only where it can mean one thing.

A wrong "open now" sends a Veteran to a locked door, so every doubt ends in None: the text is still shown,
only the filter by time passes it over. The grammar over the tokens:

    week     = clause { separator clause }
    clause   = days hours | hours days | "24/7"
    days     = range { joiner range }            range = day [dash day] | "daily" | "weekdays" | ...
    hours    = "closed" | "24 hours" | "24/7" | interval { joiner interval }
    interval = time dash time | time time
"""

import re
from itertools import pairwise
from typing import Final, Literal, NamedTuple, TypeAlias

Weekly: TypeAlias = tuple[tuple[tuple[str, str], ...], ...]

# First and end minute, counted from the day's midnight: an end in the next day is more than _DAY.
_Span: TypeAlias = tuple[int, int]
_Days: TypeAlias = frozenset[int]

_LONGEST_TEXT: Final = 1_000
_HOUR: Final = 60
_NOON: Final = 12 * _HOUR
_DAY: Final = 24 * _HOUR
_LATEST_END_OF_NIGHT: Final = 9 * _HOUR
_WHOLE_DAY: Final[_Span] = (0, _DAY)


class _UncertainError(Exception):
    """The text can mean more than one week, or none."""


class _Time(NamedTuple):
    """A time of day; written as a clock (9:00, 0900) or bare (9) it may still lack its half of the day."""

    minute: int
    style: Literal["am/pm", "clock", "bare", "settled"]


class _Token(NamedTuple):
    kind: str
    days: _Days = frozenset()
    time: _Time = _Time(0, "settled")


_VOCABULARY: Final = {
    word: token
    for words, token in {
        # "T" and "S" alone could be two days each, so they are not here.
        "m mo mon monday mondays": _Token("days", frozenset({0})),
        "tu tue tues tuesday tuesdays": _Token("days", frozenset({1})),
        "w we wed weds wednesday wednesdays": _Token("days", frozenset({2})),
        "th thu thur thurs thursday thursdays": _Token("days", frozenset({3})),
        "f fr fri friday fridays": _Token("days", frozenset({4})),
        "sa sat saturday saturdays": _Token("days", frozenset({5})),
        "su sun sunday sundays": _Token("days", frozenset({6})),
        "weekday weekdays": _Token("days", frozenset(range(5))),
        "weekend weekends": _Token("days", frozenset({5, 6})),
        "daily": _Token("days", frozenset(range(7))),
        "noon": _Token("time", time=_Time(_NOON, "settled")),
        "midnight": _Token("time", time=_Time(0, "settled")),
        "closed": _Token("closed"),
        "every weekly open hours from on": _Token("filler"),
        "to thru through until till": _Token("to"),
        "and & / +": _Token("and"),
        ". ;": _Token("stop"),
        "-": _Token("dash"),
        ",": _Token("comma"),
        ":": _Token("colon"),
    }.items()
    for word in words.split()
}
_HALF_KNOWN: Final = {"clock", "bare"}
_EVERY_DAY: Final = _VOCABULARY["daily"].days
_DASHES: Final = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"))
_TOKEN: Final = re.compile(
    r"""\ ?(?:
      (?P<always> 24\ ?/\ ?7 (?:\ ?/\ ?365)? (?![0-9]) )
    | (?P<whole_day> 24\ ?(?:hours|hrs)\b (?:\ (?:a|per)\ day\b)? )
    | (?P<daily> (?:7|seven)\ days\ (?:a|per)\ week\b | every\ ?day\b )
    | (?P<time> (?P<hour>[0-9]{1,2}) (?: :?(?P<minute>[0-5][0-9]) )? (?![0-9])
                (?: \ ?(?: (?P<half>[ap])(?:\.?\ ?m)?\b | (?P<name>noon|midnight)\b ) )? )
    | (?P<word> [a-z]+ | [-,;:.&/+] )
    )(?: (?<=[a-z])\. )?""",
    re.VERBOSE,
)


def parse_weekly(text: str) -> Weekly | None:
    """Read seven tuples of ("HH:MM", "HH:MM") intervals from Monday, or None unless the text is certain.

    Intervals are local to the place, sorted and apart. An end before its start runs past midnight; midnight
    itself is "00:00" as a start and "24:00" as an end, so a whole day is ("00:00", "24:00").

    - A day is closed when the text says so, or names other days and not this one. Hours without any day are
      None; only "24/7" speaks for the week by itself. A week closed throughout is None: it stands on places
      without regular hours, such as mobile clinics.
    - A day named twice has both intervals if they are apart; overlapping, or closed and open, None.
    - Of a pair, the start may lack am or pm: it is the last such time before the end ("6-8pm", "9-1pm").
      Without any am or pm the text must show an hour that only a 24-hour clock has ("8:00-16:30"): a dance
      is "8-12" as much as an office is, and "9-5" is None with it. Two times side by side ("9 AM 4 PM")
      are a pair only when both carry am or pm.
    - A night starts at noon or later and ends by nine; "8AM-3:30AM" is a slip for PM, hence None.
    - Zones, seasons, holidays, ordinals, appointments and every other word not known here: None.

    Never raises; linear in the text, of which more than 1,000 characters are None.
    """
    if len(text) > _LONGEST_TEXT:
        return None
    try:
        return _written(_Reader(_tokens(text)).week())
    except _UncertainError:
        return None


def _tokens(text: str) -> list[_Token]:
    plain = " ".join(text.translate(_DASHES).lower().split())
    tokens: list[_Token] = []
    at = 0
    while at < len(plain):
        match = _TOKEN.match(plain, at)
        if match is None:
            raise _UncertainError
        tokens.append(_token(match))
        at = match.end()
    while tokens and tokens[-1].kind in {"stop", "comma"}:
        tokens.pop()
    return _on_one_clock(tokens)


def _token(match: re.Match[str]) -> _Token:
    kind = match.lastgroup or ""
    if kind == "time":
        return _Token("time", time=_time(match))
    if kind in {"always", "whole_day"}:
        return _Token(kind)
    token = _VOCABULARY.get("daily" if kind == "daily" else match["word"])
    if token is None:
        raise _UncertainError
    return token


def _time(match: re.Match[str]) -> _Time:
    hour, minute = int(match["hour"]), int(match["minute"] or 0)
    if match["name"]:
        if (hour, minute) != (12, 0):
            raise _UncertainError
        return _VOCABULARY[match["name"]].time
    if match["half"]:
        if not 1 <= hour <= 12:  # noqa: PLR2004
            raise _UncertainError
        return _Time(hour % 12 * _HOUR + minute + (_NOON if match["half"] == "p" else 0), "am/pm")
    return _Time(hour * _HOUR + minute, "clock" if len(match["time"]) >= len("9:00") else "bare")


def _on_one_clock(tokens: list[_Token]) -> list[_Token]:
    """Settle the times without am or pm where the text as a whole shows a 24-hour clock."""
    times = [token.time for token in tokens if token.kind == "time"]
    if all(_HOUR <= time.minute < _NOON + _HOUR for time in times if time.style in _HALF_KNOWN):
        return tokens
    if any(time.style in {"am/pm", "bare"} or time.minute > _DAY for time in times):
        raise _UncertainError
    return [token._replace(time=_Time(token.time.minute, "settled")) for token in tokens]


class _Reader:
    """Reads the tokens from left to right; what it cannot place raises _UncertainError."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = [*tokens, _Token("end")]
        self._at = 0
        self._open: dict[int, set[_Span]] = {}
        self._closed: set[int] = set()
        self._says_always = False

    def week(self) -> dict[int, set[_Span]]:
        while self._kind() != "end":
            self._clause()
        always = {day: {_WHOLE_DAY} for day in _EVERY_DAY}
        contradicted = self._closed & self._open.keys() or (self._says_always and self._open != always)
        if contradicted or not self._open:
            raise _UncertainError
        return self._open

    def _clause(self) -> None:
        self._skip("stop", "comma", "and", "colon", "filler")
        if self._kind() == "days":
            days = self._days()
            self._skip("colon", "comma", "dash", "filler")
            self._record(days, self._hours())
            return
        names_the_week = self._kind() == "always"
        spans = self._hours()
        self._skip("comma", "filler")
        self._record(self._days() if self._kind() == "days" or not names_the_week else _EVERY_DAY, spans)

    def _record(self, days: _Days, spans: set[_Span]) -> None:
        if not spans:
            self._closed |= days
            return
        for day in days:
            self._open.setdefault(day, set()).update(spans)

    def _days(self) -> _Days:
        days = self._range()
        while self._joins("days"):
            days |= self._range()
        return days

    def _range(self) -> _Days:
        first = self._take("days").days
        if self._kind() not in {"dash", "to"} or self._kind(1) != "days":
            return first
        self._at += 1
        last = self._take("days").days
        if first == last or len(first) > 1 or len(last) > 1:
            raise _UncertainError
        (start,), (end,) = first, last
        return frozenset((start + offset) % 7 for offset in range((end - start) % 7 + 1))

    def _hours(self) -> set[_Span]:
        """Read the spans of a day: none when it is closed."""
        if self._kind() == "time":
            spans = {self._interval()}
            while self._joins("time"):
                spans.add(self._interval())
            return spans
        kind = self._take("closed", "whole_day", "always").kind
        self._says_always |= kind == "always"
        return set() if kind == "closed" else {_WHOLE_DAY}

    def _interval(self) -> _Span:
        start = self._take("time").time
        if self._kind() in {"dash", "to"}:
            self._at += 1
        elif start.style != "am/pm":
            raise _UncertainError
        return _span(start, self._take("time").time)

    def _kind(self, ahead: int = 0) -> str:
        return self._tokens[self._at + ahead].kind

    def _take(self, *kinds: str) -> _Token:
        if self._kind() not in kinds:
            raise _UncertainError
        self._at += 1
        return self._tokens[self._at - 1]

    def _skip(self, *kinds: str) -> None:
        while self._kind() in kinds:
            self._at += 1

    def _joins(self, kind: str) -> bool:
        """Step over a comma, an "and" or both, if the list goes on behind them."""
        ahead = 0
        while self._kind(ahead) in {"comma", "and"}:
            ahead += 1
        if not ahead or self._kind(ahead) != kind:
            return False
        self._at += ahead
        return True


def _span(start: _Time, end: _Time) -> _Span:
    first, last = start.minute, end.minute or _DAY
    if end.style in _HALF_KNOWN or first in {end.minute, _DAY}:
        # Equal times are how forms say "all day" and how they say nothing.
        raise _UncertainError
    if start.style in _HALF_KNOWN:
        earlier, later = first % _NOON, first % _NOON + _NOON
        first = later if later < last else earlier
        # "9-12am" is as likely a slip for noon.
        if last == _DAY:
            raise _UncertainError
    if first < last:
        return first, last
    if first < _NOON or last > _LATEST_END_OF_NIGHT:
        raise _UncertainError
    return first, last + _DAY


def _written(week: dict[int, set[_Span]]) -> Weekly:
    spans = sorted((day * _DAY + start, day * _DAY + end) for day in week for start, end in week[day])
    around = (spans[0][0] + 7 * _DAY, spans[0][1] + 7 * _DAY)
    if any(end > start for (_, end), (start, _) in pairwise([*spans, around])):
        raise _UncertainError
    return tuple(
        tuple((_clock(start), _clock(end if end <= _DAY else end - _DAY)) for start, end in sorted(week.get(day, ())))
        for day in range(7)
    )


def _clock(minute: int) -> str:
    return f"{minute // _HOUR:02}:{minute % _HOUR:02}"
