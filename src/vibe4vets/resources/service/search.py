"""Full-text search over what is published."""

import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import CTE, ColumnElement, Float, Text, bindparam, cast, func, literal_column, null, select, true
from sqlalchemy.dialects.postgresql import aggregate_order_by, array

from vibe4vets.core.database import Session
from vibe4vets.core.pagination import EXACT_UP_TO, Cursors, Found, Listing, Order, Slice
from vibe4vets.resources.models import published
from vibe4vets.resources.schemas import SEARCH_DEPTH, FacetName, Interpretation, SearchQuery, TermRead
from vibe4vets.resources.service.crisis import crisis_line
from vibe4vets.resources.service.filters import facet_conditions, find_near, plain_conditions, values
from vibe4vets.resources.service.places import LivePlaces
from vibe4vets.resources.service.places.nearness import distance_miles
from vibe4vets.resources.terms import category_name, scope_name, state_name, tag_name

P = published.c
# What a word is worth by the field it stands in: {D, C, B, A} = place and eligibility, description,
# organization and tags, title.
_WEIGHTS: ColumnElement[Any] = literal_column("'{0.1, 0.2, 0.4, 1.0}'::real[]")
_LANGUAGE: ColumnElement[Any] = literal_column("'vibe4vets'::regconfig")
_DIVIDE_BY_LOG_LENGTH = 1
_FACET_VALUES = 50
_FACETS: dict[FacetName, tuple[ColumnElement[Any], Callable[[str], str]]] = {
    FacetName.CATEGORY: (P.categories, category_name),
    FacetName.STATE: (P.states, state_name),
    FacetName.TAG: (P.tags, tag_name),
    FacetName.SCOPE: (array([P.scope]), scope_name),
}


async def search(session: Session, query: SearchQuery, cursors: Cursors, places: LivePlaces) -> Slice:
    """Return one page of what matches `query`, best first, with the facets it asks for, in one statement."""
    given = values(query, await find_near(session, query, places))
    found = await _listing(frozenset(given), tuple(query.facets)).read(session, query, cursors, given | {"q": query.q})
    return _answer(query, found)


@lru_cache(maxsize=256)
def _listing(names: frozenset[str], facets: tuple[FacetName, ...]) -> Listing:
    hits = _hits(names, facets)
    passes = [hits.c[f"passes_{name}"] for name in FacetName]
    # a subquery in the select list runs for the rows of the page only, after they were sorted and cut
    document = select(P.document).where(P.id == hits.c.id).scalar_subquery().label("document")
    miles = distance_miles(hits.c.id) if "near_latitude" in names else null()
    matching = select(document, hits.c.score, miles.label("distance_miles")).where(*passes)
    order = Order((hits.c.score, hits.c.trust_score, hits.c.id), (float, float, UUID), descending=True)
    return Listing(matching, order, beside=[_facet(name, hits) for name in facets], deepest=SEARCH_DEPTH)


def _hits(names: frozenset[str], facets: tuple[FacetName, ...]) -> CTE:
    """What matches the words and the plain filters, and whether it passes each facet's filter.

    No more than the count that a page calls exact is ranked: a word that half the directory shares
    decides nothing, and the cost stays flat.
    """
    words = func.websearch_to_tsquery(_LANGUAGE, bindparam("q", type_=Text))
    score = func.ts_rank(_WEIGHTS, P.search, words, _DIVIDE_BY_LOG_LENGTH, type_=Float).label("score")
    conditions = facet_conditions(names, include_national=True)
    # without facets every filter narrows the search itself
    required = [] if facets else list(conditions.values())
    passes = [(conditions.get(name, true()) if facets else true()).label(f"passes_{name}") for name in FacetName]
    return (
        select(P.id, P.trust_score, score, *passes, *(_FACETS[name][0].label(name) for name in facets))
        .where(P.search.op("@@")(words), *plain_conditions(names, include_national=True), *required)
        .limit(EXACT_UP_TO + 1)
        .cte("hits")
    )


def _facet(name: FacetName, hits: CTE) -> ColumnElement[str]:
    """The most frequent values of one facet as JSON, counted over what passes the filters of the others."""
    others = [hits.c[f"passes_{other}"] for other in FacetName if other is not name]
    each = select(func.unnest(hits.c[name]).label("value")).where(*others).subquery()
    counted = (
        select(each.c.value, func.count().label("uses"))
        .group_by(each.c.value)
        .order_by(func.count().desc(), each.c.value)
        .limit(_FACET_VALUES)
        .subquery()
    )
    pair = func.json_build_array(counted.c.value, counted.c.uses)
    in_order = aggregate_order_by(pair, counted.c.uses.desc(), counted.c.value)
    return cast(select(func.json_agg(in_order)).scalar_subquery(), Text).label(f"facet_{name}")


def _hit(row: Any) -> str:  # noqa: ANN401  a row of any statement
    miles = "null" if row.distance_miles is None else f"{row.distance_miles:.1f}"
    return f'{{"resource":{row.document},"score":{row.score:.6f},"distance_miles":{miles}}}'


def _answer(query: SearchQuery, found: Found) -> Slice:
    facets = {
        name: [
            TermRead(value=value, name=_FACETS[name][1](value), count=count).model_dump()
            for value, count in json.loads(getattr(found.beside, f"facet_{name}") or "[]")
        ]
        for name in query.facets
    }
    understood = Interpretation(query=query.q, corrected=None, place=None, relaxed=[])
    crisis = crisis_line(query.q)
    return found.slice(
        _hit,
        members=f',"facets":{json.dumps(facets)},"interpretation":{understood.model_dump_json()},'
        f'"crisis":{crisis.model_dump_json() if crisis else "null"}',
    )
