"""The one translation of filters into conditions: lists, counts, search and facets all use it."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, cast, func, or_
from sqlalchemy.dialects.postgresql import ARRAY, array
from sqlalchemy.types import Text

from vibe4vets.resources.models import Scope, published
from vibe4vets.resources.schemas import FacetName, ResourceFilters

P = published.c


def conditions(query: ResourceFilters, *, include_national: bool) -> list[ColumnElement[bool]]:
    """Every condition that `query` sets; all of them must hold."""
    return [*plain_conditions(query), *facet_conditions(query, include_national=include_national).values()]


def plain_conditions(query: ResourceFilters) -> Iterator[ColumnElement[bool]]:
    """The conditions of filters that are not facets."""
    if query.id:
        yield P.id.in_(query.id)
    if query.organization_id:
        yield P.organization_id.in_(query.organization_id)
    if query.source:
        yield P.source.in_(query.source)
    if query.language:
        yield _overlaps(P.languages, query.language)
    if query.city:
        yield P.cities.op("&&")(array([func.fold(city) for city in query.city]))
    if query.updated_since:
        yield P.updated_at >= query.updated_since


def facet_conditions(query: ResourceFilters, *, include_national: bool) -> dict[FacetName, ColumnElement[bool]]:
    """The condition of each facet that has a filter."""
    found: dict[FacetName, ColumnElement[bool]] = {}
    if query.category:
        found[FacetName.CATEGORY] = _overlaps(P.categories, query.category)
    if query.tag:
        found[FacetName.TAG] = _overlaps(P.tags, query.tag)
    if query.scope:
        found[FacetName.SCOPE] = P.scope.in_(query.scope)
    if query.state:
        here = _overlaps(P.states, query.state)
        found[FacetName.STATE] = or_(here, P.scope == Scope.NATIONAL) if include_national else here
    return found


def _overlaps(column: ColumnElement[Any], values: Sequence[str]) -> ColumnElement[bool]:
    return column.op("&&")(cast([str(value) for value in values], ARRAY(Text)))
