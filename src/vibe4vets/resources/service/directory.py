"""Public reads of the directory. Each is one statement over what is published."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Select, Text, func, select, text

from vibe4vets.core.database import Session
from vibe4vets.core.pagination import Cursors, Order, PageQuery, Pager, Slice
from vibe4vets.resources.exceptions import OrganizationNotFound, ResourceGone, ResourceNotFound
from vibe4vets.resources.models import organizations, published
from vibe4vets.resources.schemas import (
    ORGANIZATION_RESOURCES,
    OrganizationQuery,
    OrganizationRead,
    ResourceQuery,
    ResourceSort,
    TermRead,
)
from vibe4vets.resources.service.filters import conditions
from vibe4vets.resources.terms import category_name, state_name, tag_name

P = published.c
_ONE = text(
    "select document, etag, null::uuid as successor_id from published_resources where id = :id"
    " union all select null, null, successor_id from withdrawn_resources where id = :id"
)
_ORDERS = {
    ResourceSort.TRUST: Order((P.trust_score, P.id), (float, UUID), descending=True),
    ResourceSort.UPDATED: Order((P.updated_at, P.id), (datetime.fromisoformat, UUID), descending=True),
    ResourceSort.TITLE: Order((P.title_key, P.id), (str, UUID)),
}
_BY_NAME = Order((organizations.c.name_key, organizations.c.id), (str, UUID))


@dataclass(frozen=True, slots=True)
class Document:
    """A published resource as its answer: JSON text and strong entity tag."""

    body: str
    etag: str


async def get_resource(session: Session, resource_id: UUID) -> Document:
    """Return the published document; raises ResourceGone once withdrawn, else ResourceNotFound."""
    row = (await session.execute(_ONE, {"id": resource_id})).one_or_none()
    if row is None:
        raise ResourceNotFound
    if row.document is None:
        raise ResourceGone(successor=row.successor_id and str(row.successor_id))
    return Document(row.document, row.etag)


async def list_resources(session: Session, query: ResourceQuery, cursors: Cursors) -> Slice:
    """Return one page of the published resources that match `query`."""
    matching = select(P.document).where(*conditions(query, include_national=query.include_national))
    found = await Pager(_ORDERS[query.sort], cursors).read(session, matching, query)
    return found.slice(lambda row: row.document)


async def list_categories(session: Session, query: PageQuery, cursors: Cursors) -> Slice:
    """Return the categories in use, most used first."""
    return await _list_terms(session, P.categories, category_name, query, cursors)


async def list_tags(session: Session, query: PageQuery, cursors: Cursors) -> Slice:
    """Return the tags in use, most used first."""
    return await _list_terms(session, P.tags, tag_name, query, cursors)


async def list_states(session: Session, query: PageQuery, cursors: Cursors) -> Slice:
    """Return the states that something serves or stands in, most served first."""
    return await _list_terms(session, P.states, state_name, query, cursors)


async def _list_terms(
    session: Session, column: ColumnElement[Any], name: Callable[[str], str], query: PageQuery, cursors: Cursors
) -> Slice:
    each = select(func.unnest(column).label("value")).select_from(published).subquery()
    terms = select(each.c.value, func.count().label("uses")).group_by(each.c.value).subquery()
    order = Order((-terms.c.uses, terms.c.value), (int, str))
    found = await Pager(order, cursors).read(session, select(terms.c.value, terms.c.uses), query)
    return found.slice(lambda row: TermRead(value=row.value, name=name(row.value), count=row.uses).model_dump_json())


def _organizations() -> Select[Any]:
    """The organizations that something published names."""
    theirs = P.organization_id == organizations.c.id
    count = select(func.count()).where(theirs).scalar_subquery()
    return select(
        organizations.c.id, organizations.c.name, organizations.c.website, count.label("resource_count")
    ).where(select(P.id).where(theirs).exists())


async def list_organizations(session: Session, query: OrganizationQuery, cursors: Cursors) -> Slice:
    """Return one page of the organizations that have something published, by name."""
    matching = _organizations()
    if query.name is not None:
        part = func.regexp_replace(func.fold(query.name), r"([\\%_])", r"\\\1", "g")
        matching = matching.where(organizations.c.name_key.like(func.concat("%", part, "%")))
    found = await Pager(_BY_NAME, cursors).read(session, matching, query)
    return found.slice(lambda row: OrganizationRead.model_validate(row).model_dump_json())


async def get_organization(session: Session, organization_id: UUID) -> str:
    """Return the organization as JSON, with its most trusted resources; raises OrganizationNotFound."""
    most_trusted = (
        select(P.document)
        .where(P.organization_id == organization_id)
        .order_by(P.trust_score.desc(), P.id.desc())
        .limit(ORGANIZATION_RESOURCES)
    )
    statement = _organizations().add_columns(
        func.array(most_trusted.scalar_subquery(), type_=ARRAY(Text)).label("documents")
    )
    row = (await session.execute(statement.where(organizations.c.id == organization_id))).one_or_none()
    if row is None:
        raise OrganizationNotFound
    summary = OrganizationRead.model_validate(row).model_dump_json()
    return f'{summary[:-1]},"resources":[{",".join(row.documents)}]}}'
