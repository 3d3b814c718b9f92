"""The one translation of filters into conditions: lists, counts, search and facets all use it.

A condition has a parameter of its filter's name in place of the values, so that a statement is built once for
every set of filters and not once a request.
"""

from collections.abc import Set as AbstractSet
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, DateTime, Text, Uuid, any_, bindparam, func, or_, select
from sqlalchemy.types import TypeEngine

from vibe4vets.core.database import Session
from vibe4vets.core.errors import InvalidRequest, Violation
from vibe4vets.core.models import utc_now
from vibe4vets.resources.models import Scope, published
from vibe4vets.resources.schemas import FacetName, ResourceFilters
from vibe4vets.resources.service.opening import clocks_at, open_at
from vibe4vets.resources.service.places import LivePlaces, Place
from vibe4vets.resources.service.places.nearness import box_parameters, in_box, near_parameters, within_radius

P = published.c
_TEXTS, _IDS = ARRAY(Text), ARRAY(Uuid)


def _given(name: str, kind: TypeEngine[Any]) -> ColumnElement[Any]:
    return bindparam(name, type_=kind)


_PLAIN: dict[str, ColumnElement[bool]] = {
    "id": P.id == any_(_given("id", _IDS)),
    "organization_id": P.organization_id == any_(_given("organization_id", _IDS)),
    "source": P.source == any_(_given("source", _TEXTS)),
    "language": P.languages.op("&&")(_given("language", _TEXTS)),
    "city": P.cities.op("&&")(
        func.array(select(func.fold(func.unnest(_given("city", _TEXTS)))).scalar_subquery(), type_=_TEXTS)
    ),
    "updated_since": P.updated_at >= _given("updated_since", DateTime(timezone=True)),
    "open_at": open_at(),
}
_BY_FACET: dict[str, ColumnElement[bool]] = {
    FacetName.CATEGORY: P.categories.op("&&")(_given("category", _TEXTS)),
    FacetName.TAG: P.tags.op("&&")(_given("tag", _TEXTS)),
    FacetName.SCOPE: P.scope == any_(_given("scope", _TEXTS)),
    FacetName.STATE: P.states.op("&&")(_given("state", _TEXTS)),
}


_PLACED = {
    "radius": {national: within_radius(include_national=national) for national in (True, False)},
    "east": dict.fromkeys((True, False), in_box(across_the_date_line=False)),
    "east_beyond": dict.fromkeys((True, False), in_box(across_the_date_line=True)),
}


async def find_near(session: Session, query: ResourceFilters, places: LivePlaces) -> Place | None:
    """The place that `near` names; raises InvalidRequest, with advice, when it is none that is known."""
    if query.near is None:
        return None
    place = (await places.current(session)).find(query.near)
    if place is None:
        advice = 'No such place is known, or several are: give a ZIP code, "City, ST" or "latitude,longitude"'
        raise InvalidRequest(errors=[Violation(pointer="/query/near", code="unknown_place", message=advice)])
    return place


def values(query: ResourceFilters, near: Place | None) -> dict[str, Any]:
    """The filters that `query` sets, by name: what the parameters of their conditions stand for."""
    given = {name: getattr(query, name) for name in (*_PLAIN, *_BY_FACET)}
    given = {name: value for name, value in given.items() if value}
    if query.open_at is not None:
        instant = utc_now() if query.open_at == "now" else query.open_at
        given |= {"open_at": instant, **clocks_at(instant)}
    if query.bbox is not None:
        given |= box_parameters(query.bbox)
    if near is not None:
        given |= near_parameters(near, query.reach_miles)
    return given


def plain_conditions(names: AbstractSet[str], *, include_national: bool = False) -> list[ColumnElement[bool]]:
    """The conditions of those filters among `names` that are not facets.

    Near a place, programs of its whole state count, and national ones with `include_national`.
    """
    placed = [conditions[include_national] for name, conditions in _PLACED.items() if name in names]
    return [*(condition for name, condition in _PLAIN.items() if name in names), *placed]


def facet_conditions(names: AbstractSet[str], *, include_national: bool) -> dict[str, ColumnElement[bool]]:
    """The condition of each facet that is among `names`."""
    found = {name: condition for name, condition in _BY_FACET.items() if name in names}
    if include_national and FacetName.STATE in found:
        found[FacetName.STATE] = or_(found[FacetName.STATE], P.scope == Scope.NATIONAL.value)
    return found


def list_conditions(names: AbstractSet[str], *, include_national: bool) -> list[ColumnElement[bool]]:
    """What a list has to meet, and an export of the same filters."""
    return [
        *plain_conditions(names, include_national=include_national),
        *facet_conditions(names, include_national=include_national).values(),
    ]
