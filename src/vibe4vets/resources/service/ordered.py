"""A filtered list in an order: the first rows of the order are looked through, then what matches is sorted.

The planner would look through the order to its end where it takes what matches to lie scattered in it. All records of
one publisher have nearly the same trust: among a million, one page of them took eleven seconds.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import CTE, ColumnElement, Select, func, literal, select, union_all
from sqlalchemy.sql.util import ClauseAdapter

from vibe4vets.core.pagination import SIZE, SKIP, Listing, Order, Pages
from vibe4vets.resources.models import published

P = published.c
_LOOKED_THROUGH: Final = 500


def filtered(conditions: Sequence[ColumnElement[bool]], order: Order) -> Listing:
    """The list of what meets `conditions`, if any, in an `order` by columns of the published resources."""
    matching = select(P.document).where(*conditions)
    if not conditions:
        return Listing(matching, order)
    first = _page(conditions, order, SKIP + SIZE).offset(SKIP)
    return Listing(matching, order, pages=Pages(first, _page(conditions, order, SIZE, order.after())))


def _page(
    conditions: Sequence[ColumnElement[bool]], order: Order, most: ColumnElement[int], *after: ColumnElement[bool]
) -> Select[Any]:
    begin = select(published).where(*after).order_by(*order.by(order.keys)).limit(_LOOKED_THROUGH).subquery("begin")
    begun = ClauseAdapter(begin)
    seen = _best(order, [begin.c[key.name] for key in order.keys], map(begun.traverse, conditions), most, "seen")
    is_full = select(func.count() >= most).select_from(seen).scalar_subquery()
    # the offset keeps the planner from walking through the order again
    names = [P[key.name] for key in order.keys]
    rest = select(*names).where(*conditions, *after, ~is_full).offset(literal(0)).subquery("rest")
    sorted_ = _best(order, list(rest.c), [], most, "sorted")
    both = union_all(select(seen).where(is_full), select(sorted_)).subquery("both")
    keys = [both.c[f"key_{number}"] for number in range(len(order.keys))]
    page = select(P.document, *keys).join_from(both, published, P.id == keys[-1])
    return page.order_by(*order.by(keys)).limit(SIZE)


def _best(
    order: Order,
    keys: Sequence[ColumnElement[Any]],
    where: Iterable[ColumnElement[bool]],
    most: ColumnElement[int],
    name: str,
) -> CTE:
    """The keys of the first rows."""
    named = (key.label(f"key_{number}") for number, key in enumerate(keys))
    found = select(*named).where(*where).order_by(*order.by(keys)).limit(most)
    return found.cte(name).prefix_with("materialized", dialect="postgresql")
