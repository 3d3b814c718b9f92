"""What the Facilities API v1 answers. Empty keys are left out, so every one may be absent; unknown ones come and go."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, FiniteFloat
from pydantic.alias_generators import to_camel


def plain(text: str | None) -> str:
    """Text on one line, without the spaces around it."""
    return " ".join((text or "").split())


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


class _Part(BaseModel):
    model_config = ConfigDict(
        alias_generator=to_camel, extra="ignore", coerce_numbers_to_str=True, hide_input_in_errors=True
    )


class Address(_Part):
    address1: str | None = None
    address2: str | None = None
    address3: str | None = None
    city: str | None = None
    state: str | None = None
    zip: str | None = None

    @property
    def street(self) -> str | None:
        return ", ".join(filter(None, map(plain, (self.address1, self.address2, self.address3)))) or None

    @property
    def whole(self) -> str:
        return ", ".join(filter(None, map(plain, (self.street, self.city, f"{self.state or ''} {self.zip or ''}"))))


class Addresses(_Part):
    physical: Address | None = None
    mailing: Address | None = None


class Service(_Part):
    name: str | None = None
    service_id: str


class Services(_Part):
    health: list[Service] | None = None
    benefits: list[Service] | None = None
    other: list[Service] | None = None
    last_updated: str | None = None

    @property
    def all(self) -> list[Service]:
        return [*(self.health or ()), *(self.benefits or ()), *(self.other or ())]


class Parent(_Part):
    id: str | None = None


class Satisfaction(_Part):
    health: dict[str, FiniteFloat] | None = None
    effective_date: str | None = None


class Label(_Part):
    label: str | None = None


class Status(_Part):
    code: str | None = None
    additional_info: str | None = None
    supplemental_status: list[Label] | None = None


class System(_Part):
    name: str | None = None


class Attributes(_Part):
    name: str
    facility_type: str | None = None
    classification: str | None = None
    parent: Parent | None = None
    website: str | None = None
    lat: FiniteFloat | None = None
    long: FiniteFloat | None = None
    time_zone: str | None = None
    address: Addresses = Addresses()
    phone: dict[str, str | None] | None = None
    hours: dict[str, str | None] | None = None
    operational_hours_special_instructions: Annotated[list[str], BeforeValidator(_as_list)] | None = None
    services: Services = Services()
    satisfaction: Satisfaction | None = None
    mobile: bool | None = None
    operating_status: Status = Status()
    visn: str | None = None
    health_care_system: System | None = None


class Facility(_Part):
    id: str
    attributes: Attributes
