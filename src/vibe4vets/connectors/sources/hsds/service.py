"""One HSDS service as a record."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from vibe4vets.connectors.base import Place, Record
from vibe4vets.connectors.categories import CATEGORIES, FALLBACK, categories_in
from vibe4vets.connectors.sources.hsds.answers import Address, Area, Location, Organization, Phone, Service
from vibe4vets.connectors.sources.hsds.text import hours, plain

_LONGEST_ELIGIBILITY: Final = 200
_NATION: Final = {"united states", "united states of america", "usa", "us", "nationwide", "national"}
_NOT_TO_CALL: Final = {"fax", "textphone", "pager", "text"}


def record_of(line: int, source: str, service: Service, content: str) -> Record:
    """The service as a record of `source`."""
    organization = service.organization or Organization()
    places = [place for place in map(_place, service.locations) if place is not None]
    first = places[0] if places else Place()
    names = [attribute.names for attribute in service.attributes or () if attribute.link_type != "eligibility"]
    return Record(
        line=line,
        source=source,
        record_id=service.id,
        title=plain(service.name),
        organization=plain(organization.name) or plain(service.name),
        scope=_scope(service, places),
        categories=_categories(names),
        summary=_alert(service),
        description="\n".join(_describe(service)),
        how_to_apply="\n".join(_apply(service)) or None,
        cost=_cost(service),
        tags=tuple(group[0] for group in names if group and group[0] not in CATEGORIES),
        eligibility=tuple(_eligibility(service)),
        languages=tuple(_languages(service)),
        areas=tuple(text for area in service.service_areas or () for text in _names(area)),
        phone=_phone(service),
        email=plain(service.email) or plain(organization.email) or None,
        website=_website(service.url) or _website(organization.website),
        hours=_hours(service),
        street=first.street,
        city=first.city,
        county=first.county,
        state=first.state,
        postal_code=first.postal_code,
        latitude=first.latitude,
        longitude=first.longitude,
        place_name=first.name,
        other_places=tuple(places[1:]),
        as_of=(service.assured_date or service.last_modified or "")[:10] or None,
        provenance="HSDS 3.x feed",
        content=content,
    )


def _categories(names: list[list[str]]) -> tuple[str, ...]:
    """Our own names where the publisher has them, else what its names speak of."""
    own = dict.fromkeys(name for group in names for name in group if name in CATEGORIES)
    return tuple(own) or categories_in(name for group in names for name in group) or (FALLBACK,)


def _place(location: Location) -> Place | None:
    address = next(
        (found for found in location.addresses or () if found.address_type in {None, "physical"}),
        (location.addresses or [Address()])[0],
    )
    pair = location.latitude is not None and location.longitude is not None
    place = Place(
        street=", ".join(filter(None, map(plain, (address.address_1, address.address_2)))) or None,
        city=plain(address.city) or None,
        county=plain(address.region) or None,
        state=plain(address.state_province) or None,
        postal_code=plain(address.postal_code) or None,
        latitude=location.latitude if pair else None,
        longitude=location.longitude if pair else None,
    )
    if place == Place():  # a virtual location has nowhere to go to
        return None
    return replace(place, name=plain(location.name) or None)


def _scope(service: Service, places: list[Place]) -> str:
    areas = service.service_areas or ()
    if any(name.casefold() in _NATION for area in areas for name in _names(area)):
        return "national"
    return "state" if not places and any(area.extent_type == "state" for area in areas) else "local"


def _names(area: Area) -> list[str]:
    """What an area is called; a drawing of its outline is no name."""
    extent = "" if area.extent_type in {"geojson", "topojson", "kml"} else plain(area.extent)
    return list(dict.fromkeys(filter(None, (extent, plain(area.name)))))


def _alert(service: Service) -> str | None:
    closed = "Temporarily closed." if service.status == "temporarily closed" else ""
    return f"{closed} {plain(service.alert)}".strip()[:500] or None


def _describe(service: Service) -> Iterator[str]:
    if service.description:
        yield service.description.strip()
    if plain(service.alternate_name):
        yield f"Also known as {plain(service.alternate_name)}."
    if len(plain(service.eligibility_description)) > _LONGEST_ELIGIBILITY:
        yield f"Who may use it: {plain(service.eligibility_description)}"
    areas = [names[-1] for area in service.service_areas or () if (names := _names(area))]
    if areas:
        yield f"Serves: {'; '.join(areas)}."
    if plain(service.interpretation_services):
        yield f"Interpretation: {plain(service.interpretation_services)}"
    numbers = [_told(phone) for phone in service.phones or () if plain(phone.number)]
    if len(numbers) > 1:
        yield f"Phones: {'; '.join(numbers)}."
    links = [plain(link.url) for link in service.additional_urls or () if plain(link.url)]
    if links:
        yield f"See also: {' '.join(links)}"


def _apply(service: Service) -> Iterator[str]:
    if service.application_process:
        yield service.application_process.strip()
    documents = [plain(document.document) for document in service.required_documents or () if plain(document.document)]
    if documents:
        yield f"Bring: {', '.join(documents)}."


def _cost(service: Service) -> str | None:
    described = plain(service.fees_description) or plain(service.fees)
    if described:
        return described[:500]
    told = []
    for option in service.cost_options or ():
        words = plain(option.amount_description) or plain(option.option)
        amount = f"{option.amount:g} {option.currency or 'USD'}" if option.amount else ""
        told.append(" ".join(filter(None, (words.capitalize(), amount))))
    return "; ".join(filter(None, told))[:500] or None


def _eligibility(service: Service) -> Iterator[str]:
    described = plain(service.eligibility_description)
    if len(described) <= _LONGEST_ELIGIBILITY:
        yield from (part.strip() for part in described.split(";") if part.strip())
    for attribute in service.attributes or ():
        if attribute.link_type == "eligibility" and attribute.names:
            yield attribute.names[-1][:_LONGEST_ELIGIBILITY]
    youngest, oldest = service.minimum_age, service.maximum_age
    if youngest is not None or oldest is not None:
        yield f"Ages {f'{youngest or 0:g} to {oldest:g}' if oldest is not None else f'{youngest:g} and older'}"


def _languages(service: Service) -> Iterator[str]:
    for language in service.languages or ():
        found = re.match(r"[A-Za-z]{2,3}(?![A-Za-z])", language.code or "")
        if found:
            yield found[0].lower()


def _phones(service: Service) -> Iterator[Phone]:
    """Every number to call, the service's own first."""
    yield from service.phones or ()
    for at in service.service_at_locations or ():
        yield from at.phones or ()
        yield from (at.location.phones if at.location else None) or ()
    yield from (service.organization.phones if service.organization else None) or ()


def _phone(service: Service) -> str | None:
    for phone in _phones(service):
        if phone.type not in _NOT_TO_CALL and plain(phone.number):
            extension = f" ext. {phone.extension}" if phone.extension else ""
            return plain(phone.number).strip('"') + extension
    return None


def _told(phone: Phone) -> str:
    use = plain(phone.description) or plain(phone.type)
    return f"{plain(phone.number)}{f' ext. {phone.extension}' if phone.extension else ''}{f' ({use})' if use else ''}"


def _hours(service: Service) -> str | None:
    own = hours(service.schedules or ())
    if own:
        return own
    for at in service.service_at_locations or ():
        found = hours(at.schedules or ()) or hours((at.location.schedules if at.location else None) or ())
        if found:
            return found
    return None


def _website(text: str | None) -> str | None:
    address = plain(text).replace(" ", "%20")
    return address if not address or "://" in address else f"https://{address}"
