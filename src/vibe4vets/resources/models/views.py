"""How often what is published is read; as stored."""

from datetime import date
from uuid import UUID

from sqlalchemy import CheckConstraint
from sqlmodel import Field, SQLModel


class ResourceView(SQLModel, table=True):
    """How often one resource was asked for by its id on one day (UTC). Nothing about who asked."""

    __tablename__ = "resource_views"
    __table_args__ = (CheckConstraint("views > 0", name="views"),)

    resource_id: UUID = Field(primary_key=True, foreign_key="resources.id", ondelete="CASCADE")
    day: date = Field(primary_key=True)
    views: int
