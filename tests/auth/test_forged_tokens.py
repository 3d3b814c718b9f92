"""Tokens that we did not sign, or that are not what they say (RFC 8725, reliability row D2): each is refused."""

import base64
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from jose import jws
from pydantic import SecretStr

from vibe4vets.auth.exceptions import InvalidToken
from vibe4vets.auth.tokens import mint_access_token, read_access_token
from vibe4vets.core.config import Settings
from vibe4vets.core.security import derive_key

SECRET = "a secret for tests, of more than 32 characters"
KEY = derive_key(SECRET.encode(), "access token")
SETTINGS = Settings(secret_key=SecretStr(SECRET), _env_file=None)
NOW = datetime.now(UTC).replace(microsecond=0)
AT = int(NOW.timestamp())
ABSENT = object()


def header(**changed: Any) -> dict[str, Any]:
    """The header of a good token, with changes; ABSENT takes one away."""
    return _changed({"alg": "HS256", "typ": "at+jwt", "kid": "default"}, changed)


def claims(**changed: Any) -> dict[str, Any]:
    """The claims of a good token, with changes; ABSENT takes one away."""
    good = {
        "iss": "vibe4vets",
        "aud": "vibe4vets-api",
        "sub": str(uuid4()),
        "sid": str(uuid4()),
        "jti": str(uuid4()),
        "role": "admin",
        "iat": AT,
        "nbf": AT,
        "exp": AT + 900,
    }
    return _changed(good, changed)


def _changed(members: dict[str, Any], changed: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in (members | changed).items() if value is not ABSENT}


def signed(head: Any, body: Any, *, key: bytes = KEY, digest: str = "sha256") -> str:
    """A token of any header and claims, as objects or as JSON text, with a right signature."""
    unsigned = ".".join(_encoded(part) for part in (head, body))
    return f"{unsigned}.{_base64(hmac.digest(key, unsigned.encode(), digest))}"


def _encoded(part: Any) -> str:
    return _base64(part if isinstance(part, bytes) else json.dumps(part).encode())


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def good() -> str:
    """A token that is accepted: the forged ones differ from it in one thing."""
    return signed(header(), claims())


def _with_alg(alg: Any) -> Callable[[], str]:
    return lambda: signed(header(alg=alg), claims())


def _unsigned(alg: str) -> Callable[[], str]:
    return lambda: f"{_encoded(header(alg=alg))}.{_encoded(claims())}."


def _with_header(**changed: Any) -> Callable[[], str]:
    return lambda: signed(header(**changed), claims())


def _with(**changed: Any) -> Callable[[], str]:
    return lambda: signed(header(), claims(**changed))


def _by_rsa(alg: str) -> str:
    private = generate_private_key(65537, 2048).private_bytes(
        Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()
    )
    return jws.sign(claims(), private.decode(), headers={"typ": "at+jwt", "kid": "default"}, algorithm=alg)


def _public_key_as_secret() -> str:
    public = generate_private_key(65537, 2048).public_key()
    return signed(header(), claims(), key=public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


def _tampered(part: int) -> str:
    parts = good().split(".")
    parts[part] = parts[part][:-3] + ("AAA" if parts[part][-3:] != "AAA" else "BBB")
    return ".".join(parts)


def _duplicate_claim() -> str:
    text = json.dumps(claims())
    return signed(header(), f'{text[:-1]}, "sub": "{uuid4()}"}}'.encode())


def _duplicate_header() -> str:
    return signed(b'{"alg": "none", "typ": "at+jwt", "kid": "default", "alg": "HS256"}', claims())


def _loose_end() -> str:
    """The last character of a signature has four bits that say nothing: a second spelling of the same token."""
    token = good()
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return token[:-1] + alphabet[alphabet.index(token[-1]) ^ 1]


def _other_purpose(purpose: str) -> Callable[[], str]:
    return lambda: signed(header(), claims(), key=derive_key(SECRET.encode(), purpose))


JWK = {"kty": "oct", "k": _base64(KEY), "alg": "HS256"}
FORGED: dict[str, Callable[[], str]] = {
    # algorithms
    "alg none, no signature": _unsigned("none"),
    "alg None, no signature": _unsigned("None"),
    "alg nOnE, no signature": _unsigned("nOnE"),
    "alg none, signed": _with_alg("none"),
    "alg empty": _with_alg(""),
    "alg missing": _with_alg(ABSENT),
    "alg null": _with_alg(None),
    "alg a list": _with_alg(["HS256"]),
    "alg in small letters": _with_alg("hs256"),
    "alg HS384": lambda: signed(header(alg="HS384"), claims(), digest="sha384"),
    "alg HS512": lambda: signed(header(alg="HS512"), claims(), digest="sha512"),
    "alg HS256 by sha512": lambda: signed(header(), claims(), digest="sha512"),
    "alg RS256": lambda: _by_rsa("RS256"),
    "alg RS512": lambda: _by_rsa("RS512"),
    "public key as secret": _public_key_as_secret,
    # keys
    "another key": lambda: signed(header(), claims(), key=b"k" * 32),
    "an empty key": lambda: signed(header(), claims(), key=b""),
    "the secret itself": lambda: signed(header(), claims(), key=SECRET.encode()),
    "the key of API keys": _other_purpose("api key"),
    "the key of refresh tokens": _other_purpose("refresh token"),
    # type
    "typ missing": _with_header(typ=ABSENT),
    "typ JWT": _with_header(typ="JWT"),
    "typ rt+jwt": _with_header(typ="rt+jwt"),
    "typ in capitals": _with_header(typ="AT+JWT"),
    "typ with application/": _with_header(typ="application/at+jwt"),
    "typ null": _with_header(typ=None),
    # headers that make a reader do things
    "crit": _with_header(crit=["exp"]),
    "crit empty": _with_header(crit=[]),
    "b64 false": _with_header(b64=False, crit=["b64"]),
    "jwk": _with_header(jwk=JWK),
    "jku": _with_header(jku="https://evil.example/keys.json"),
    "x5u": _with_header(x5u="https://evil.example/key.pem"),
    "x5c": _with_header(x5c=["AAAA"]),
    "zip": _with_header(zip="DEF"),
    "cty JWT": _with_header(cty="JWT"),
    "kid missing": _with_header(kid=ABSENT),
    "kid null": _with_header(kid=None),
    "kid unknown": _with_header(kid="other"),
    "kid a path": _with_header(kid="../../../../dev/null"),
    "kid SQL": _with_header(kid="default' or '1'='1"),
    "kid an object": _with_header(kid={"default": 1}),
    "header a list": lambda: signed([], claims()),
    "header duplicate": _duplicate_header,
    "header not JSON": lambda: signed(b"alg=HS256", claims()),
    "header UTF-16": lambda: signed(json.dumps(header()).encode("utf-16"), claims()),
    # times
    "expired": _with(iat=AT - 901, nbf=AT - 901, exp=AT - 1),
    "expires now": _with(iat=AT - 900, nbf=AT - 900, exp=AT),
    "not yet": _with(nbf=AT + 120),
    "from the future": _with(iat=AT + 120, nbf=AT + 120, exp=AT + 1_000),
    "good for too long": _with(exp=AT + 901),
    "exp text": _with(exp=str(AT + 900)),
    "exp a fraction": _with(exp=AT + 900.5),
    "exp true": _with(exp=True),
    "exp null": _with(exp=None),
    "exp huge": _with(exp=10**1_000),
    "exp negative": _with(exp=-1),
    "exp infinite": lambda: signed(header(), json.dumps(claims(exp=float("inf"))).encode()),
    "exp not a number": lambda: signed(header(), json.dumps(claims(exp=float("nan"))).encode()),
    "iat text": _with(iat=str(AT)),
    "nbf true": _with(nbf=True),
    "nbf text": _with(nbf=str(AT)),
    # who and for whom
    **{f"{name} missing": _with(**{name: ABSENT}) for name in claims()},
    "iss of another": _with(iss="https://evil.example"),
    "iss longer": _with(iss="vibe4vets2"),
    "aud of another": _with(aud="another-api"),
    "aud a list": _with(aud=["vibe4vets-api", "another-api"]),
    "aud empty": _with(aud=""),
    "sub a number": _with(sub=1),
    "sub null": _with(sub=None),
    "sub an object": _with(sub={"id": "x"}),
    "sub not a UUID": _with(sub="admin"),
    "sub in braces": _with(sub=f"{{{uuid4()}}}"),
    "sid not a UUID": _with(sid="1"),
    "jti not a UUID": _with(jti="1"),
    "role empty": _with(role=""),
    "role a number": _with(role=1),
    "claims duplicate": _duplicate_claim,
    "claims a list": lambda: signed(header(), [claims()]),
    "claims text": lambda: signed(header(), json.dumps("text").encode()),
    "claims not UTF-8": lambda: signed(header(), json.dumps(claims()).encode()[:-1] + b"\xff}"),
    "claims with a byte order mark": lambda: signed(header(), b"\xef\xbb\xbf" + json.dumps(claims()).encode()),
    "claims nested deep": lambda: signed(header(), b"[" * 1_200),
    # the shape
    "four parts": lambda: f"{good()}.AAAA",
    "five parts, as encrypted ones have": lambda: "AAAA." * 4 + "AAAA",
    "two parts": lambda: good().rpartition(".")[0],
    "no parts": lambda: "x",
    "only dots": lambda: "..",
    "signature empty": lambda: good().rpartition(".")[0] + ".",
    "header changed": lambda: _tampered(0),
    "claims changed": lambda: _tampered(1),
    "signature changed": lambda: _tampered(2),
    "signature with loose bits": _loose_end,
    "signature padded": lambda: good() + "=",
    "signature in standard base64": lambda: good()[:-2] + "+/",
    "a space inside": lambda: good().replace(".", ". ", 1),
    "JSON serialisation": lambda: json.dumps(
        dict(zip(("protected", "payload", "signature"), good().split("."), strict=True))
    ),
    "too long": lambda: signed(header(), claims(more="x" * 3_000)),
    "a megabyte": lambda: signed(header(), claims(more="x" * 1_000_000)),
    "letters beyond ASCII": lambda: good().replace("e", "\u0435", 1),
    "half a surrogate pair": lambda: f"\ud800{good()[1:]}",
}


def test_there_are_enough_of_them() -> None:
    assert len(FORGED) >= 45


def test_the_pattern_of_all_is_good() -> None:
    """Else every forged token would be refused for the wrong reason."""
    token = mint_access_token(SETTINGS, user_id=uuid4(), session_id=uuid4(), role="admin", now=NOW)
    assert jws.get_unverified_header(token) == header()
    assert jws.verify(token, KEY, ["HS256"])
    assert json.loads(jws.get_unverified_claims(token)).keys() == claims().keys()
    assert read_access_token(SETTINGS, good(), NOW).role == "admin"


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
def test_forged_token_is_refused(forge: Callable[[], str]) -> None:
    with pytest.raises(InvalidToken):
        read_access_token(SETTINGS, forge(), NOW)


async def test_forged_tokens_are_refused_at_the_door(client: httpx.AsyncClient) -> None:
    """All alike: whoever forges a token does not learn what gave it away. Too long a header is met earlier (431)."""
    for name, forge in FORGED.items():
        value = b"Bearer " + forge().encode(errors="surrogatepass")
        answer = await client.get("/api/v1/auth/me", headers={b"authorization": value})
        if len(value) < 8_000:
            assert (answer.status_code, answer.json()["type"]) == (401, "invalid-token"), name
            assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"', name
        else:
            assert answer.status_code in {401, 431}, name


async def test_a_good_token_of_nobody_is_refused(client: httpx.AsyncClient) -> None:
    """The session and the account are looked up; a signature alone opens nothing."""
    answer = await client.get("/api/v1/auth/me", headers={"authorization": f"Bearer {good()}"})
    assert (answer.status_code, answer.json()["type"]) == (401, "invalid-token")
