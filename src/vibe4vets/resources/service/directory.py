"""Public reads of the directory. Each is one statement over what is published."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Select, Text, Uuid, bindparam, func, select

from vibe4vets.core.database import Session, Statement
from vibe4vets.core.pagination import Cursors, Listing, Order, PageQuery, Slice
from vibe4vets.resources.exceptions import OrganizationNotFound, ResourceGone, ResourceNotFound
from vibe4vets.resources.models import organizations, published, published_terms, withdrawn
from vibe4vets.resources.schemas import (
    ORGANIZATION_RESOURCES,
    OrganizationQuery,
    OrganizationRead,
    ResourceQuery,
    ResourceSort,
    TermRead,
)
from vibe4vets.resources.service.filters import find_near, list_conditions, values
from vibe4vets.resources.service.nearest import nearest_first
from vibe4vets.resources.service.ordered import filtered
from vibe4vets.resources.service.places import LivePlaces
from vibe4vets.resources.service.views import Views
from vibe4vets.resources.terms import category_name, state_name, tag_name

P, ORGANIZATION = published.c, organizations.c
_ID = bindparam("id", type_=Uuid)
_PUBLISHED = Statement(select(P.document, P.etag).where(P.id == _ID))
# Who takes the place of one that took another's place: the chain ends in what is published, if in anything.
_chain = select(withdrawn.c.successor_id).where(withdrawn.c.id == _ID).cte("chain", recursive=True)
_next = withdrawn.alias("later")
_chain = _chain.union(select(_next.c.successor_id).join(_chain, _next.c.id == _chain.c.successor_id))
_successor = select(P.id).join(_chain, P.id == _chain.c.successor_id).limit(1).scalar_subquery()
_WITHDRAWN = Statement(select(_successor.label("successor_id")).where(withdrawn.c.id == _ID))
_ORDERS = {
    ResourceSort.TRUST: Order((P.trust_score, P.id), (float, UUID), descending=True),
    ResourceSort.UPDATED: Order((P.updated_at, P.id), (datetime.fromisoformat, UUID), descending=True),
    ResourceSort.TITLE: Order((P.title_key, P.id), (str, UUID)),
}


@dataclass(frozen=True, slots=True)
class Document:
    """A published resource as its answer: JSON text and strong entity tag."""

    body: str
    etag: str


async def get_resource(session: Session, resource_id: UUID, views: Views) -> Document:
    """Return the published document, which counts; raises ResourceGone once withdrawn, else ResourceNotFound."""
    for row in await session.rows(_PUBLISHED, {"id": resource_id}):
        views.count(resource_id)
        return Document(row.document, row.etag)
    for row in await session.rows(_WITHDRAWN, {"id": resource_id}):
        raise ResourceGone(successor=row.successor_id and str(row.successor_id))
    raise ResourceNotFound


async def list_resources(session: Session, query: ResourceQuery, cursors: Cursors, places: LivePlaces) -> Slice:
    """Return one page of the published resources that match `query`."""
    given = values(query, await find_near(session, query, places))
    listing = _resources(query.sort, frozenset(given), query.include_national)
    found = await listing.read(session, query, cursors, given)
    return found.slice(lambda row: row.document)


@lru_cache(maxsize=256)
def _resources(sort: ResourceSort, names: frozenset[str], include_national: bool) -> Listing:  # noqa: FBT001
    where = list_conditions(names, include_national=include_national)
    if sort is ResourceSort.DISTANCE:
        return nearest_first(where)
    return filtered(where, _ORDERS[sort])


async def list_categories(session: Session, query: PageQuery, cursors: Cursors) -> Slice:
    """Return the categories in use, most used first."""
    return await _list_terms(session, _CATEGORIES, category_name, query, cursors)


async def list_tags(session: Session, query: PageQuery, cursors: Cursors) -> Slice:
    """Return the tags in use, most used first."""
    return await _list_terms(session, _TAGS, tag_name, query, cursors)


async def list_states(session: Session, query: PageQuery, cursors: Cursors) -> Slice:
    """Return the states that something serves or stands in, most served first."""
    return await _list_terms(session, _STATES, state_name, query, cursors)


async def _list_terms(
    session: Session, terms: Listing, name: Callable[[str], str], query: PageQuery, cursors: Cursors
) -> Slice:
    found = await terms.read(session, query, cursors)
    return found.slice(lambda row: TermRead(value=row.value, name=name(row.value), count=row.uses).model_dump_json())


def _terms(kind: str) -> Listing:
    terms = published_terms.c
    in_use = select(terms.value, terms.uses).where(terms.kind == kind, terms.uses > 0)
    return Listing(in_use, Order((-terms.uses, terms.value), (int, str)))


def _published_organizations() -> Select[Any]:
    """The organizations that something published names."""
    theirs = P.organization_id == ORGANIZATION.id
    count = select(func.count()).where(theirs).scalar_subquery()
    return select(ORGANIZATION.id, ORGANIZATION.name, ORGANIZATION.website, count.label("resource_count")).where(
        select(P.id).where(theirs).exists()
    )


_CATEGORIES, _TAGS, _STATES = _terms("category"), _terms("tag"), _terms("state")
_BY_NAME = Order((ORGANIZATION.name_key, ORGANIZATION.id), (str, UUID))
_ORGANIZATIONS = Listing(_published_organizations(), _BY_NAME)
_PART = func.regexp_replace(func.fold(bindparam("name", type_=Text)), r"([\\%_])", r"\\\1", "g")
_ORGANIZATIONS_NAMED = Listing(
    _published_organizations().where(ORGANIZATION.name_key.like(func.concat("%", _PART, "%"))), _BY_NAME
)


async def list_organizations(session: Session, query: OrganizationQuery, cursors: Cursors) -> Slice:
    """Return one page of the organizations that have something published, by name."""
    listing = _ORGANIZATIONS if query.name is None else _ORGANIZATIONS_NAMED
    found = await listing.read(session, query, cursors, {"name": query.name} if query.name else None)
    return found.slice(lambda row: OrganizationRead.model_validate(row).model_dump_json())


_MOST_TRUSTED = (
    select(P.document)
    .where(P.organization_id == _ID)
    .order_by(P.trust_score.desc(), P.id.desc())
    .limit(ORGANIZATION_RESOURCES)
    .scalar_subquery()
)
_ORGANIZATION = Statement(
    _published_organizations()
    .add_columns(func.array(_MOST_TRUSTED, type_=ARRAY(Text)).label("documents"))
    .where(ORGANIZATION.id == _ID)
)


async def get_organization(session: Session, organization_id: UUID) -> str:
    """Return the organization as JSON, with its most trusted resources; raises OrganizationNotFound."""
    for row in await session.rows(_ORGANIZATION, {"id": organization_id}):
        summary = OrganizationRead.model_validate(row).model_dump_json()
        return f'{summary[:-1]},"resources":[{",".join(row.documents)}]}}'
    raise OrganizationNotFound
