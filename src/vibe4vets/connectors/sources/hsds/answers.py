"""HSDS 3.x services as they come: `id` and `name` are sure, all else may be absent or null, more may be there."""

from pydantic import BaseModel, ConfigDict, FiniteFloat

from vibe4vets.connectors.sources.hsds.text import plain


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True, hide_input_in_errors=True)


class Phone(_Part):
    number: str | None = None
    extension: str | None = None
    type: str | None = None
    description: str | None = None


class Schedule(_Part):
    freq: str | None = None
    interval: int | None = None
    byday: str | None = None
    bymonthday: str | None = None
    opens_at: str | None = None
    closes_at: str | None = None
    description: str | None = None
    notes: str | None = None


class Area(_Part):
    name: str | None = None
    extent: str | None = None
    extent_type: str | None = None


class Address(_Part):
    address_1: str | None = None
    address_2: str | None = None
    city: str | None = None
    region: str | None = None
    state_province: str | None = None
    postal_code: str | None = None
    address_type: str | None = None


class Location(_Part):
    location_type: str | None = None
    name: str | None = None
    latitude: FiniteFloat | None = None
    longitude: FiniteFloat | None = None
    addresses: list[Address] | None = None
    phones: list[Phone] | None = None
    schedules: list[Schedule] | None = None


class ServiceAtLocation(_Part):
    location: Location | None = None
    phones: list[Phone] | None = None
    schedules: list[Schedule] | None = None


class Language(_Part):
    code: str | None = None


class Document(_Part):
    document: str | None = None


class CostOption(_Part):
    option: str | None = None
    amount: FiniteFloat | None = None
    currency: str | None = None
    amount_description: str | None = None


class TaxonomyTerm(_Part):
    code: str | None = None
    name: str | None = None


class Attribute(_Part):
    link_type: str | None = None
    link_entity: str | None = None
    value: str | None = None
    label: str | None = None
    taxonomy_term: TaxonomyTerm | None = None

    @property
    def names(self) -> list[str]:
        """What the attribute is called, the stablest name first."""
        term = self.taxonomy_term or TaxonomyTerm()
        return [plain(name) for name in (term.code, self.value, term.name, self.label) if plain(name)]


class Organization(_Part):
    name: str | None = None
    email: str | None = None
    website: str | None = None
    phones: list[Phone] | None = None


class Link(_Part):
    url: str | None = None


class Service(_Part):
    id: str
    name: str
    status: str | None = None
    organization: Organization | None = None
    alternate_name: str | None = None
    description: str | None = None
    url: str | None = None
    additional_urls: list[Link] | None = None
    email: str | None = None
    interpretation_services: str | None = None
    application_process: str | None = None
    fees_description: str | None = None
    fees: str | None = None
    eligibility_description: str | None = None
    minimum_age: FiniteFloat | None = None
    maximum_age: FiniteFloat | None = None
    assured_date: str | None = None
    last_modified: str | None = None
    alert: str | None = None
    phones: list[Phone] | None = None
    schedules: list[Schedule] | None = None
    service_areas: list[Area] | None = None
    service_at_locations: list[ServiceAtLocation] | None = None
    languages: list[Language] | None = None
    required_documents: list[Document] | None = None
    cost_options: list[CostOption] | None = None
    attributes: list[Attribute] | None = None

    @property
    def locations(self) -> list[Location]:
        """Every location, in order."""
        return [at.location for at in self.service_at_locations or () if at.location is not None]
