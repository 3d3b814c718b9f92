"""Pages: a page and its count come from one statement; cursors are signed and bound to their query."""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Annotated, Any, Generic, Self, TypeVar

from fastapi import Depends, Request
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError
from sqlalchemy import (
    ColumnElement,
    Integer,
    ScalarSelect,
    Select,
    Subquery,
    bindparam,
    func,
    literal,
    select,
    true,
    tuple_,
)

from vibe4vets.core.database import Session, Statement
from vibe4vets.core.errors import AppError
from vibe4vets.core.schemas import Input, Output, PlainInt

T = TypeVar("T")
EXACT_UP_TO = 10_000
SIZE = bindparam("size", type_=Integer)
SKIP = bindparam("skip", type_=Integer)
_SIGNATURE_BYTES = 8


class InvalidCursor(AppError):
    status, type, title = (
        HTTPStatus.BAD_REQUEST,
        "invalid-cursor",
        "The cursor was altered or belongs to another query; start again without it.",
    )


class PageQuery(Input):
    """Query parameters of every list; subclass it to add filters and `sort`."""

    limit: PlainInt = Field(default=20, ge=1, le=100, description="How many items at most.", examples=[20])
    offset: PlainInt = Field(
        default=0, ge=0, le=10_000, description="How many items to skip; read deeper with `cursor`.", examples=[0]
    )
    cursor: str | None = Field(
        default=None,
        min_length=1,
        max_length=2_000,
        pattern=r"^[A-Za-z0-9_-]+$",
        description="The `next_cursor` of the page before; not together with `offset`.",
        examples=["LOR-YAIJM7RbMC41NDA3LCJmZTJiZGY1NC03ZjEwLTQ1MzktYTNmMy00NDkwMTUzN2IyMjkiLDJd"],
    )

    @model_validator(mode="after")
    def _one_way_to_page(self) -> Self:
        if self.cursor is not None and self.offset:
            raise PydanticCustomError("cursor_and_offset", "Give either cursor or offset, not both")
        return self

    def fingerprint(self) -> str:
        """What a cursor is bound to: every filter and the sort, not the place in the list."""
        return self.model_dump_json(exclude={"limit", "offset", "cursor"})


class Page(Output, Generic[T]):
    """One page of a list."""

    items: list[T]
    total: int = Field(description="How many items match, counted up to 10,000.", ge=0)
    total_is_exact: bool = Field(description="False when more than 10,000 match; `total` is then 10,000.")
    next_cursor: str | None = Field(description="Hand it back as `cursor` for the next page; null on the last.")


@dataclass(frozen=True, slots=True)
class Cursors:
    """Makes and reads cursors with one secret key, for the list at one address."""

    key: bytes
    address: str = ""

    def encode(self, values: Sequence[Any], *, query: str) -> str:
        """Sign `values`, the sort keys of the last item; they are good for `query` only."""
        body = json.dumps([*values], separators=(",", ":"), default=str, ensure_ascii=False).encode()
        return _base64(self._sign(body, query) + body)

    def decode(self, cursor: str, *, query: str) -> list[Any]:
        """Return the values of `cursor`; raises InvalidCursor unless we made it for `query`."""
        try:
            raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        except (binascii.Error, ValueError) as error:
            raise InvalidCursor from error
        signature, body = raw[:_SIGNATURE_BYTES], raw[_SIGNATURE_BYTES:]
        if _base64(raw) != cursor:  # the last character has bits that decoding ignores
            raise InvalidCursor
        if not hmac.compare_digest(signature, self._sign(body, query)):
            raise InvalidCursor
        values: list[Any] = json.loads(body)
        return values

    def _sign(self, body: bytes, query: str) -> bytes:
        digest = hashlib.sha256(f"{self.address}?{query}".encode()).digest()
        return hmac.digest(self.key, b"cursor" + digest + body, "sha256")[:_SIGNATURE_BYTES]


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


async def get_cursors(request: Request) -> Cursors:
    """The cursors of the list at this address, signed with the service's key.

    A coroutine, though it awaits nothing: FastAPI sends a plain function through a thread, at ten times the cost.
    """
    cursors: Cursors = request.app.state.cursors
    return replace(cursors, address=request.url.path)


CursorsDep = Annotated[Cursors, Depends(get_cursors)]


@dataclass(frozen=True, slots=True)
class Order:
    """A total order: `keys` end in a unique column and share one direction; `read` parses them from a cursor."""

    keys: tuple[Any, ...]
    read: tuple[Callable[[Any], Any], ...]
    descending: bool = False

    def by(self, columns: Iterable[ColumnElement[Any]]) -> list[ColumnElement[Any]]:
        """The ORDER BY terms over `columns`, which stand for the keys."""
        return [column.desc() if self.descending else column.asc() for column in columns]

    def after(self) -> ColumnElement[bool]:
        """The rows that come after the one whose keys are the parameters `after_0`, `after_1` ..."""
        last = tuple_(*(bindparam(f"after_{number}", type_=key.type) for number, key in enumerate(self.keys)))
        return tuple_(*self.keys) < last if self.descending else tuple_(*self.keys) > last


@dataclass(frozen=True, slots=True)
class Slice:
    """A page as read: its items are JSON documents already."""

    documents: Sequence[str]
    matches: int
    next_cursor: str | None
    members: str = ""
    """Further members of the page's object as JSON text, each after a comma."""
    is_estimate: bool = False

    def body(self) -> bytes:
        """The page as a `Page` document."""
        return (
            f'{{"items":[{",".join(self.documents)}],"total":{min(self.matches, EXACT_UP_TO)},'
            f'"total_is_exact":{json.dumps(self.matches <= EXACT_UP_TO and not self.is_estimate)},'
            f'"next_cursor":{json.dumps(self.next_cursor)}{self.members}}}'
        ).encode()


@dataclass(frozen=True, slots=True)
class Found:
    """The rows of one page, how many match (capped), and the row's columns that stand `beside` the page.

    One of those may be `is_estimate`: the matches were not counted one by one.
    """

    rows: Sequence[Any]
    matches: int
    next_cursor: str | None
    beside: Any

    def slice(self, document: Callable[[Any], str], *, members: str = "") -> Slice:
        """The page with each row written as a JSON `document`."""
        is_estimate = getattr(self.beside, "is_estimate", False)
        return Slice([document(row) for row in self.rows], self.matches, self.next_cursor, members, is_estimate)


@dataclass(frozen=True, slots=True)
class Pages:
    """The first page and the one after a cursor, each with its keys as `key_0`, `key_1` ..., in their order.

    The parameters are `size`, and `skip` for the first, `after_0`, `after_1` ... for the next.
    """

    first: Select[Any]
    next: Select[Any]

    @classmethod
    def of(cls, matching: Select[Any], order: Order) -> Self:
        """The pages of `matching` in `order`."""
        keys = (key.label(f"key_{number}") for number, key in enumerate(order.keys))
        page = matching.add_columns(*keys).order_by(*order.by(order.keys)).limit(SIZE)
        return cls(page.offset(SKIP), page.where(order.after()))


@dataclass(frozen=True, slots=True)
class Turn:
    """Which part of a list a page is: it begins past `position` rows, or `after` the keys of the row before."""

    query: PageQuery
    cursors: Cursors
    position: int
    limit: int
    after: list[Any] | None
    deepest: int | None

    @classmethod
    def of(
        cls, query: PageQuery, cursors: Cursors, read: Sequence[Callable[[Any], Any]], *, deepest: int | None = None
    ) -> Self:
        """What `query` asks for of a list that goes no deeper than `deepest`; `read` parses the keys of a cursor."""
        position, after = query.offset, None
        if query.cursor is not None:
            *last, position = cursors.decode(query.cursor, query=query.fingerprint())
            after = [parse(value) for parse, value in zip(read, last, strict=True)]
        limit = query.limit if deepest is None else min(query.limit, deepest - position)
        return cls(query, cursors, position, limit, after, deepest)

    @property
    def size(self) -> int:
        """How many rows to read: one more than the page has, which tells whether there is a next one."""
        return self.limit + 1

    def found(self, rows: Sequence[Any], keys: Sequence[str]) -> Found:
        """The page out of the rows that were read; each has the `keys`, and `matches` beside them."""
        first, position = rows[0], self.position + self.limit
        if getattr(first, keys[0]) is None:
            return Found([], first.matches, None, first)
        cursor = None
        if len(rows) > self.limit and position != self.deepest:
            last = [getattr(rows[self.limit - 1], key) for key in keys]
            cursor = self.cursors.encode([*last, position], query=self.query.fingerprint())
        return Found(rows[: self.limit], first.matches, cursor, first)


class Listing:
    """One statement that reads a page of `matching`, its capped count, and the scalar columns `beside` it.

    Building it costs more than running it: where the same one is asked for often, make it once, with
    parameters in place of values. It reads no deeper than `deepest` rows where that is set. `pages` stand in for
    those of `matching` where an order needs a statement of its own to be quick.
    """

    def __init__(
        self,
        matching: Select[Any],
        order: Order,
        *,
        beside: Sequence[ColumnElement[Any]] = (),
        deepest: int | None = None,
        pages: Pages | None = None,
    ) -> None:
        self._order, self._deepest = order, deepest
        self._keys = [f"key_{number}" for number in range(len(order.keys))]
        pages = pages or Pages.of(matching, order)
        total = select(_capped_count(matching).label("matches"), *beside).subquery("total")
        self._first, self._next = self._beside(total, pages.first), self._beside(total, pages.next)

    def _beside(self, total: Subquery, page: Select[Any]) -> Statement:
        rows = page.subquery("page")
        # the left join keeps the count when the page itself is empty
        statement = select(total, rows).join_from(total, rows, true(), isouter=True)
        return Statement(statement.order_by(*self._order.by(rows.c[key] for key in self._keys)))

    async def read(
        self, session: Session, query: PageQuery, cursors: Cursors, parameters: Mapping[str, Any] | None = None
    ) -> Found:
        """Run the statement with the values of its `parameters`."""
        turn = Turn.of(query, cursors, self._order.read, deepest=self._deepest)
        given = {**(parameters or {}), "size": turn.size, "skip": turn.position}
        if turn.after is not None:
            given |= {f"after_{number}": value for number, value in enumerate(turn.after)}
        rows = await session.rows(self._first if turn.after is None else self._next, given)
        return turn.found(rows, self._keys)


def _capped_count(matching: Select[Any]) -> ScalarSelect[int]:
    """How many rows match, counted no further than one past what a page calls exact."""
    capped = matching.with_only_columns(literal(1), maintain_column_froms=True).limit(EXACT_UP_TO + 1).subquery()
    return select(func.count()).select_from(capped).scalar_subquery()
