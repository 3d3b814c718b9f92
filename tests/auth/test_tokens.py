"""Good access tokens, the keys that sign them, keys that are too short. Forged tokens have a file of their own."""

import subprocess
import sys
import tomllib
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from jose import jws
from pydantic import SecretStr, ValidationError

from vibe4vets.auth.exceptions import InvalidToken
from vibe4vets.auth.tokens import LIFETIME, AccessClaims, mint_access_token, read_access_token
from vibe4vets.core.config import Settings
from vibe4vets.core.security import ShortKeyError, derive_key

PROJECT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
USER, SESSION = uuid4(), uuid4()
OLD, NEW = "an old key of more than 32 characters", "a new key of more than 32 characters"


def _settings(**keys: str) -> Settings:
    return Settings(secret_key=SecretStr("s" * 32), auth={"signing_keys": keys}, _env_file=None)


def _mint(settings: Settings) -> str:
    return mint_access_token(settings, user_id=USER, session_id=SESSION, role="editor", now=NOW)


@pytest.mark.parametrize("keys", [{}, {"2026-11": OLD}])
def test_what_is_minted_is_read(keys: dict[str, str]) -> None:
    settings = _settings(**keys)
    claims = read_access_token(settings, _mint(settings), NOW)
    assert claims == AccessClaims(USER, SESSION, claims.token_id, "editor", NOW, NOW + timedelta(minutes=15))
    assert isinstance(claims.token_id, UUID)


def test_every_token_is_another() -> None:
    settings = _settings()
    assert read_access_token(settings, _mint(settings), NOW).token_id != (
        read_access_token(settings, _mint(settings), NOW).token_id
    )


def test_a_token_says_what_it_is() -> None:
    assert jws.get_unverified_header(_mint(_settings(k1=NEW))) == {"alg": "HS256", "typ": "at+jwt", "kid": "k1"}


def test_it_ends_after_fifteen_minutes_to_the_second() -> None:
    settings = _settings()
    token = _mint(settings)
    assert timedelta(minutes=15) == LIFETIME
    read_access_token(settings, token, NOW + LIFETIME - timedelta(seconds=1))
    with pytest.raises(InvalidToken):
        read_access_token(settings, token, NOW + LIFETIME)


def test_a_clock_may_run_ahead_by_a_minute() -> None:
    settings = _settings()
    token = _mint(settings)
    read_access_token(settings, token, NOW - timedelta(seconds=60))
    with pytest.raises(InvalidToken):
        read_access_token(settings, token, NOW - timedelta(seconds=61))


def test_keys_rotate_without_a_gap() -> None:
    before = _settings(old=OLD)
    token = _mint(before)
    both = _settings(new=NEW, old=OLD)
    assert read_access_token(both, token, NOW).user_id == USER
    assert jws.get_unverified_header(_mint(both))["kid"] == "new"
    with pytest.raises(InvalidToken):
        read_access_token(before, _mint(both), NOW)
    with pytest.raises(InvalidToken):
        read_access_token(_settings(new=NEW), token, NOW)


def test_a_key_has_one_name() -> None:
    """The same bytes under another name, or another name's bytes, verify nothing."""
    with pytest.raises(InvalidToken):
        read_access_token(_settings(b=OLD, a=NEW), _mint(_settings(a=OLD)), NOW)


def test_the_secret_alone_signs_nothing() -> None:
    """Cursors are signed with the secret itself; no key of one purpose serves another."""
    assert len({derive_key(b"s" * 32, purpose) for purpose in ("access token", "api key", "other")}) == 3
    assert derive_key(b"s" * 32, "access token") != b"s" * 32


@pytest.mark.parametrize("short", ["", "k" * 31])
def test_a_short_key_refuses_to_start(short: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VIBE4VETS_AUTH__SIGNING_KEYS", f'{{"k": "{short}"}}')
    with pytest.raises(ValidationError, match="at least 32 "):
        Settings(_env_file=None)
    monkeypatch.delenv("VIBE4VETS_AUTH__SIGNING_KEYS")
    monkeypatch.setenv("VIBE4VETS_SECRET_KEY", short)
    with pytest.raises(ValidationError, match="at least 32 "):
        Settings(_env_file=None)
    (tmp_path / "secret_key").write_text(short, encoding="utf-8")
    with pytest.raises(ShortKeyError, match="secret_key has fewer than 32 bytes"):
        _ = Settings(data_dir=tmp_path, secret_key=None, _env_file=None).signing_key
    with pytest.raises(ShortKeyError):
        derive_key(short.encode(), "access token")


def test_keys_are_read_from_the_environment_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIBE4VETS_AUTH__SIGNING_KEYS", f'{{"z-new": "{NEW}", "a-old": "{OLD}"}}')
    settings = Settings(_env_file=None)
    assert [*settings.auth.signing_keys] == ["z-new", "a-old"]
    assert NEW not in repr(settings)


def test_what_python_jose_asks_for_in_vain_is_absent() -> None:
    """ecdsa has CVE-2024-23342, which nobody will fix; beside cryptography none of the three is imported."""
    unused = ("ecdsa", "rsa", "pyasn1")
    assert [name for name in unused if find_spec(name)] == []
    locked = tomllib.loads((PROJECT / "uv.lock").read_text(encoding="utf-8"))
    assert {package["name"] for package in locked["package"]}.isdisjoint(unused)
    program = (
        "import sys\n"
        f"sys.modules.update(dict.fromkeys({unused}))\n"  # None: importing one of them is an ImportError
        "from jose import jwk, jws\n"
        "from jose.backends.cryptography_backend import CryptographyHMACKey\n"
        "key = jwk.construct(b'k' * 32, 'HS256')\n"
        "assert isinstance(key, CryptographyHMACKey)\n"
        "assert jws.verify(jws.sign(b'{}', key), key, ['HS256']) == b'{}'\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
