"""The filters of a search: those that the index answers, and those that only the published row can tell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import Compiled
from sqlalchemy.dialects.postgresql.asyncpg import dialect

from vibe4vets.resources.schemas import FacetName, ResourceFilters
from vibe4vets.resources.service.filters import plain_conditions, values
from vibe4vets.resources.service.places import Place
from vibe4vets.resources.service.search import codes
from vibe4vets.resources.service.search.tsquery import Query, any_of, lexeme

_NAMED: Final = dialect(paramstyle="pyformat")  # type: ignore[no-untyped-call]
_CODES: Final = {
    FacetName.CATEGORY: codes.category,
    FacetName.TAG: codes.tag,
    FacetName.SCOPE: codes.scope,
    FacetName.STATE: codes.state,
}


@dataclass(frozen=True, slots=True)
class Narrowing:
    """What a search is narrowed to."""

    by_facet: Mapping[FacetName, Query] = field(default_factory=dict)
    """Queries of the index."""
    conditions: Sequence[str] = ()
    """SQL over `published_resources`, with `%(name)s` where a value goes."""
    values: Mapping[str, Any] = field(default_factory=dict)


def narrowing(query: ResourceFilters, near: Place | None) -> Narrowing:
    """The filters of `query`, whose `near` is found already. National programs take part whatever the state."""
    given = values(query, near)
    by_facet = {name: _index_query(name, given[name]) for name in FacetName if name in given}
    compiled = _compiled(frozenset(given))
    constants = {name: value for condition in compiled for name, value in condition.params.items()}
    return Narrowing(by_facet, [str(condition) for condition in compiled], constants | given)


def _index_query(name: FacetName, wanted: Sequence[str]) -> Query:
    found = [lexeme(_CODES[name](value)) for value in wanted]
    return any_of([*found, lexeme(codes.NATIONAL)] if name is FacetName.STATE else found)


@lru_cache(maxsize=256)
def _compiled(names: frozenset[str]) -> tuple[Compiled, ...]:
    conditions = plain_conditions(names, include_national=True)
    return tuple(condition.compile(dialect=_NAMED) for condition in conditions)
