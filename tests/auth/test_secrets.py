"""Secrets are compared by `core.security.same` alone: `==` ends at the first difference, and its time tells where."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "src/vibe4vets"
SECRET = re.compile(r"(^|_)(secrets?|passwords?|tokens?|hash|hashes|digest|hmac|signature|pepper|crc|link)($|_)")
# public values with such a name: what a login counts, and the hashes by which the audit finds tampering
PUBLIC = {"content_hash", "link_type", "plan_hash", "token_epoch", "token_type", "token_id"}
PUBLIC_FILES = {"core/audit/verifying.py"}


def test_no_secret_is_compared_by_equality() -> None:
    found = [
        f"{path.relative_to(SOURCE)}:{line}"
        for path in sorted(SOURCE.rglob("*.py"))
        if str(path.relative_to(SOURCE)) not in PUBLIC_FILES
        for line in comparisons(path.read_text(encoding="utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize(
    "offence",
    [
        "key.secret_hash == given",
        "given != user.password_hash",
        "if token == kept: pass",
        "token_hash(key, purpose, token) == row.hash",
        "row['secret'] == given",
        "hmac.digest(a, b, c) == d",
        "signature in (kept, other)",
    ],
)
def test_an_offence_is_found(offence: str) -> None:
    assert [*comparisons(offence)] == [1]


@pytest.mark.parametrize(
    "fine",
    [
        "same(token, kept)",
        "R.token_hash == digest",
        "token is None",
        "row.content_hash == other",
        "APIKey.prefix == prefix",
        "len(token) == 43",
    ],
)
def test_what_is_no_offence(fine: str) -> None:
    assert [*comparisons(fine)] == []


def comparisons(source: str) -> Iterator[int]:
    """The line of every comparison of Python's own in which a secret takes part."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Compare) and any(isinstance(op, ast.Eq | ast.NotEq | ast.In) for op in node.ops):
            parts = [node.left, *node.comparators]
            if not any(_is_column(part) for part in parts) and any(
                SECRET.search(name) and name not in PUBLIC for part in parts for name in _names(part)
            ):
                yield node.lineno


def _is_column(node: ast.expr) -> bool:
    """A column of a table, `T.token_hash`: it is PostgreSQL that compares, and it finds the hash of a random token."""
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and len(node.value.id) == 1


def _names(node: ast.expr) -> Iterator[str]:
    """What an operand calls itself: the last name of a path, the key of an item, the function of a call."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.Subscript(slice=ast.Constant(value=str(name))):
            yield name
        case ast.Call(func=ast.Attribute(attr="digest" | "hexdigest") as function):
            yield function.attr
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            yield name
        case ast.Tuple(elts=inner) | ast.List(elts=inner) | ast.Set(elts=inner):
            for part in inner:
                yield from _names(part)
