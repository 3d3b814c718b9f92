"""The one translation of filters into conditions: lists, counts, search and facets all use it.

A condition has a parameter of its filter's name in place of the values, so that a statement is built once for
every set of filters and not once a request.
"""

from collections.abc import Set as AbstractSet
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, DateTime, Text, Uuid, any_, bindparam, func, or_, select
from sqlalchemy.types import TypeEngine

from vibe4vets.resources.models import Scope, published
from vibe4vets.resources.schemas import FacetName, ResourceFilters

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
}
_BY_FACET: dict[str, ColumnElement[bool]] = {
    FacetName.CATEGORY: P.categories.op("&&")(_given("category", _TEXTS)),
    FacetName.TAG: P.tags.op("&&")(_given("tag", _TEXTS)),
    FacetName.SCOPE: P.scope == any_(_given("scope", _TEXTS)),
    FacetName.STATE: P.states.op("&&")(_given("state", _TEXTS)),
}


def values(query: ResourceFilters) -> dict[str, Any]:
    """The filters that `query` sets, by name: what the parameters of their conditions stand for."""
    given = {name: getattr(query, name) for name in (*_PLAIN, *_BY_FACET)}
    return {name: value for name, value in given.items() if value}


def plain_conditions(names: AbstractSet[str]) -> list[ColumnElement[bool]]:
    """The conditions of those filters among `names` that are not facets."""
    return [condition for name, condition in _PLAIN.items() if name in names]


def facet_conditions(names: AbstractSet[str], *, include_national: bool) -> dict[str, ColumnElement[bool]]:
    """The condition of each facet that is among `names`."""
    found = {name: condition for name, condition in _BY_FACET.items() if name in names}
    if include_national and FacetName.STATE in found:
        found[FacetName.STATE] = or_(found[FacetName.STATE], P.scope == Scope.NATIONAL.value)
    return found
