import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vibe4vets.resources.phones import Phone, normalize_phone

ADVICE = "give ten digits with area code, such as 614-555-0123, or a short code such as 988"


@pytest.mark.parametrize(
    ("text", "number", "extension"),
    [
        ("614-555-0123", "+16145550123", None),
        ("6145550123", "+16145550123", None),
        ("614.555.0123", "+16145550123", None),
        ("614/555-0123", "+16145550123", None),
        (" (614)555-0123 ", "+16145550123", None),
        ("614\u2013555\u20130123", "+16145550123", None),
        ("614\u00a0555 0123", "+16145550123", None),
        ("+1 614 555 0123", "+16145550123", None),
        ("1-800-827-1000", "+18008271000", None),
        ("1-800-827-1000 x 5", "+18008271000", "5"),
        ("614-555-0123x123", "+16145550123", "123"),
        ("614-555-0123 #7", "+16145550123", "7"),
        ("614.555.0123, Ext. 1234", "+16145550123", "1234"),
        ("(614) 555-0123 ext. 1234", "+16145550123", "1234"),
        ("614-555-0123 extension 12345678", "+16145550123", "12345678"),
        ("1-800-MyVA411", "+18006982411", None),
        ("1-877-WAR-VETS ext 2", "+18779278387", "2"),
        ("787-555-0123", "+17875550123", None),
        ("671-555-0123", "+16715550123", None),
        # Area codes not in use (yet): real records have them.
        ("391-503-1111", "+13915031111", None),
    ],
)
def test_reads_the_ways_people_write_a_number(text: str, number: str, extension: str | None) -> None:
    assert normalize_phone(text) == Phone(number, extension)


@pytest.mark.parametrize("code", ["988", "211", "311", "411", "511", "611", "711", "811", "911"])
def test_keeps_short_codes(code: str) -> None:
    assert normalize_phone(code) == normalize_phone("-".join(code)) == Phone(code)


@pytest.mark.parametrize(
    "text", ["988 then press 1", "Dial 988 then Press 1", "988, press 1", "988 (press 1)", "988 press 1."]
)
def test_the_crisis_line_is_988(text: str) -> None:
    assert normalize_phone(text) == Phone("988")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        "n/a",
        "see website",
        "555-0123",
        "(614) 221 00",
        "000-000-0000",
        "014-555-0123",
        "114-555-0123",
        "614-155-0123",
        "614-555-01234",
        "111",
        "988 press 2",
        "988 press 1 or 2",
        "988 or 614-555-0123 press 1",
        "988 x1",
        "tty 711",
        "800-273-8255 press 1",
        "614-555-0123 option 2",
        "614-555-0123 or 614-555-0124",
        "956-992-9877/9876",
        "614-555-0123, 5",
        "5, 614-555-012",
        "call 614-555-0123",
        "614-555-0123 fax",
        "614 ext 5555",
        "614-555-01x5",
        "614-555-0123 ext",
        "614-555-0123 x 123456789",
        "1-800-FLOWERS2U",
        "+44 20 7946 0958",
        "+614 555 0123 45",
        "\uff16\uff11\uff14-555-0123",
        "1" * 5_000,
    ],
)
def test_refuses_rather_than_guesses(text: str) -> None:
    with pytest.raises(ValueError, match=r"ten digits") as refusal:
        normalize_phone(text)
    assert str(refusal.value) == ADVICE


@given(st.text() | st.text("0123456789()+-. ext#/press", max_size=40))
@example("+1" + "0" * 300)
def test_answers_every_text_with_a_number_or_the_advice(text: str) -> None:
    try:
        phone = normalize_phone(text)
    except ValueError as refusal:
        assert str(refusal) == ADVICE  # noqa: PT017
    else:
        assert phone.number.removeprefix("+").isdecimal()
        assert len(phone.number) in {3, 12}
        assert phone.extension is None or len(phone.extension) <= 8


@given(
    st.from_regex(r"[2-9][0-9]{2}-[2-9][0-9]{2}-[0-9]{4}", fullmatch=True),
    st.from_regex(r"[0-9]{1,8}", fullmatch=True),
)
def test_keeps_every_digit(written: str, extension: str) -> None:
    assert normalize_phone(f"{written} ext. {extension}") == Phone("+1" + written.replace("-", ""), extension)
