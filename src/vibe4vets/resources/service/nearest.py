"""The list by distance: the index on the globe returns locations nearest first, and reading ends with the page."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Float,
    Select,
    literal_column,
    select,
    true,
    tuple_,
    union_all,
)

from vibe4vets.core.pagination import SIZE, SKIP, Listing, Order, Pages
from vibe4vets.resources.models import published, published_locations
from vibe4vets.resources.service.places.nearness import chord

P, L = published.c, published_locations.c
CHORD = chord(published_locations)
_OTHER = published_locations.alias("other")
_OTHER_CHORD = chord(_OTHER)
_IS_NEAREST = ~(
    select(_OTHER.c.position)
    .where(_OTHER.c.resource_id == L.resource_id, tuple_(_OTHER_CHORD, _OTHER.c.position) < tuple_(CHORD, L.position))
    .exists()
)
_NOWHERE = ~select(L.position).where(L.resource_id == P.id).exists()
# longer than any straight line through the globe, so that what has no coordinates comes last
_BEYOND: ColumnElement[float] = literal_column("3::double precision", type_=Float())


_ORDER = Order((CHORD, P.id), (float, UUID))
_WITHOUT = Order((_BEYOND, P.id), (float, UUID))


def nearest_first(conditions: Sequence[ColumnElement[bool]]) -> Listing:
    """A list of what meets `conditions`, by how far its nearest location is from `near`."""
    first = _page(conditions, SKIP + SIZE, true(), true()).offset(SKIP)
    following = _page(conditions, SIZE, _ORDER.after(), _WITHOUT.after())
    return Listing(select(P.document).where(*conditions), _ORDER, pages=Pages(first, following))


def _page(
    conditions: Sequence[ColumnElement[bool]],
    most: ColumnElement[int],
    after: ColumnElement[bool],
    after_without: ColumnElement[bool],
) -> Select[Any]:
    """Each part stops by itself: without its own limit, the second would be read to the end."""
    placed = _keyed(_ORDER).join_from(published_locations, published, P.id == L.resource_id)
    placed = placed.where(*conditions, _IS_NEAREST, after).order_by(*_ORDER.keys).limit(most)
    without = _keyed(_WITHOUT).where(*conditions, _NOWHERE, after_without).order_by(P.id).limit(most)
    both = union_all(placed, without).subquery("both")
    return select(both).order_by(both.c.key_0, both.c.key_1).limit(SIZE)


def _keyed(order: Order) -> Select[Any]:
    return select(P.document, *(key.label(f"key_{number}") for number, key in enumerate(order.keys)))
