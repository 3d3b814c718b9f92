"""Passwords: what may be one, how it is kept, and that keeping it never holds up the rest."""

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest
from passlib.hash import argon2
from pydantic import ValidationError

from vibe4vets.auth import passwords
from vibe4vets.auth.exceptions import PasswordRefused, TooManySignIns
from vibe4vets.auth.passwords import NewPassword, check_password, hash_password, verify_password
from vibe4vets.core.schemas import Input

GOOD = "seven otters mend the quiet bridge"
EMAIL = "margaret.o-hale@harbor-legal.example"


class Body(Input):
    password: NewPassword


@pytest.mark.parametrize(
    "password",
    [
        GOOD,
        "correct horse battery staple",
        "\U0001f9a6" * 3 + "twelve more letters",
        "8391-2205-7713-9964",  # digits alone: there is no rule of composition
        "jrbqzxtwpvnmkdg",
        "é" * 2 + "twelve letters and some",
        " both ends are mine ",
        "x" + GOOD * 7 + "12345678901234567",
    ],
)
def test_good_password(password: str) -> None:
    assert Body(password=password).password == password
    check_password(password, email=EMAIL)


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("fourteen chars", "string_too_short"),
        ("e\u0301" * 14, "string_too_short"),  # 28 code points as typed, 14 as kept
        ("ab3" * 85 + "zz", "string_too_long"),
        ("Vibe4Vets-2026-rocks", "password_names_us"),
        ("my VETERAN neighbours", "password_names_us"),
        ("who is Margaret, really", "password_names_you"),
        ("HARBOR of calm waters", "password_names_you"),
        ("two legal pads of paper", "password_names_you"),
        ("passwordpassword", "password_common"),
        ("PasswordPassword", "password_common"),
        ("1qaz2wsx3edc4rfv", "password_common"),
        ("password12345678", "password_common"),
        ("!! iloveyou !! 2026", "password_common"),
        ("letmein letmein letmein", "password_common"),
        ("aaaaaaaaaaaaaaaaaaaa", "password_common"),
        ("123456789012345678", "password_common"),
        ("qwertyuiopasdfgh", "password_common"),
        ("zyxwvutsrqponmlkj", "password_common"),
        ("P@ssw0rdP@ssw0rd", "password_common"),
    ],
)
def test_refused_password(password: str, code: str) -> None:
    with pytest.raises(PasswordRefused) as caught:
        check_password(password, email=EMAIL, pointer="/body/new_password")
    (violation,) = caught.value.errors
    assert (violation.code, violation.pointer) == (code, "/body/new_password")
    assert password.casefold() not in f"{violation.message} {caught.value.detail}".casefold()


@pytest.mark.parametrize(
    "password", ["fourteen chars", "x" * 257, "a\0" * 10, "a\ud800" * 10, "a\u202e" * 10, "\n" * 20]
)
def test_request_refuses(password: str) -> None:
    with pytest.raises(ValidationError):
        Body(password=password)


def test_the_list_holds_the_hundred_thousand_most_frequent() -> None:
    words = passwords._listed().decode().split()  # noqa: SLF001  the list is shipped, so its size is a promise
    assert len(words) > 100_000
    assert {"password", "dragon", "trustno1", "1qaz2wsx3edc4rfv"} <= set(words)


async def test_a_hash_is_argon2id_with_the_least_costs_of_owasp() -> None:
    assert (await hash_password(GOOD)).startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert await hash_password(GOOD) != await hash_password(GOOD)


async def test_every_character_counts() -> None:
    """bcrypt would look at the first 72 bytes only."""
    long = ("0123456789abcdefghijklmnopqrstuvwxyz-" * 7)[:256]
    stored = await hash_password(long)
    assert (await verify_password(long, stored)).matches
    for place in (14, 72, 199, 255):
        changed = long[:place] + ("x" if long[place] != "x" else "y") + long[place + 1 :]
        assert not (await verify_password(changed, stored)).matches
    assert not (await verify_password(long + "x", stored)).matches


async def test_accents_are_one_spelling() -> None:
    stored = await hash_password("cafe\u0301 au lait, merci")
    assert (await verify_password("caf\u00e9 au lait, merci", stored)).matches


@pytest.mark.parametrize("password", ["\ud800" * 20, "\0" * 20, "x" * 100_000, "", GOOD])
async def test_a_wrong_password_of_any_kind_is_only_wrong(password: str) -> None:
    stored = await hash_password("another one, not that")
    assert await verify_password(password, stored) == passwords.Verified(matches=False, new_hash=None)
    assert await verify_password(password, None) == passwords.Verified(matches=False, new_hash=None)


async def test_a_weaker_hash_is_made_anew() -> None:
    weak = argon2.using(type="ID", memory_cost=8, time_cost=1, parallelism=1).hash(GOOD)
    verified = await verify_password(GOOD, weak)
    assert verified.matches
    assert verified.new_hash is not None
    assert verified.new_hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert (await verify_password(GOOD, verified.new_hash)).new_hash is None
    assert (await verify_password("not that one, no", weak)).new_hash is None


@pytest.fixture
async def held(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[list[int]]:
    """Ten pieces of work that do not end before the test does; one entry for each that has begun."""
    monkeypatch.setattr(passwords, "_PATIENCE_SECONDS", 0.2)
    begun: list[int] = []
    all_begun, go = threading.Barrier(passwords._AT_ONCE + 1), threading.Event()  # noqa: SLF001

    def hold() -> None:
        begun.append(1)
        all_begun.wait(10)
        go.wait(10)

    waiting = [asyncio.wrap_future(passwords._HASHING.submit(hold)) for _ in range(10)]  # noqa: SLF001
    await asyncio.to_thread(all_begun.wait, 10)
    yield begun
    all_begun.abort()
    go.set()
    await asyncio.gather(*waiting, return_exceptions=True)


async def test_few_hash_at_once_and_the_rest_wait_in_vain(held: list[int]) -> None:
    with pytest.raises(TooManySignIns) as caught:
        await hash_password(GOOD)
    assert (caught.value.status, caught.value.headers["Retry-After"]) == (503, "2")
    assert len(held) == passwords._AT_ONCE <= 4  # noqa: SLF001


async def test_who_gave_up_waiting_costs_nothing_later(held: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[object] = []
    monkeypatch.setattr(passwords, "_verify", lambda *given: calls.append(given))
    with pytest.raises(TooManySignIns):
        await verify_password(GOOD, None)
    assert held
    assert calls == []
