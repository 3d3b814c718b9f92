"""One facility as a record: what has a field goes there, all else is told in the description."""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Final

from vibe4vets.connectors.base import Record
from vibe4vets.connectors.sources.va_facilities.answers import Address, Attributes, Facility, Status, plain

_DAYS: Final = {"monday": "Mon", "tuesday": "Tue", "wednesday": "Wed", "thursday": "Thu"} | {
    "friday": "Fri",
    "saturday": "Sat",
    "sunday": "Sun",
}
_VA: Final = "U.S. Department of Veterans Affairs"
_KINDS: Final = {  # what it is, whose it is, its categories, its tag, for whom it is
    "va_health_facility": (
        "VA health facility",
        f"{_VA}, Veterans Health Administration",
        ("healthcare",),
        "va-health-facility",
        ("Veterans enrolled in VA health care",),
    ),
    "va_benefits_facility": (
        "VA benefits office",
        f"{_VA}, Veterans Benefits Administration",
        ("benefits",),
        "va-benefits-office",
        ("Veterans",),
    ),
    "va_cemetery": (
        "Cemetery for Veterans",
        f"{_VA}, National Cemetery Administration",
        ("benefits",),
        "va-cemetery",
        ("Veterans", "Spouses and family members"),
    ),
    "vet_center": (
        "Vet Center",
        f"{_VA}, Readjustment Counseling Service",
        ("mental_health", "family"),
        "vet-center",
        ("Combat Veterans", "Survivors of military sexual trauma", "Spouses and family members"),
    ),
}
_OTHER_KIND: Final = ("VA facility", _VA, ("benefits",), "va-facility", ("Veterans",))
_SERVICES: Final = {
    "mental_health": "mentalHealth ptsd addiction suicidePrevention militarySexualTrauma griefCounseling",
    "support_services": "socialWork patientAdvocates veteranConnections womensHealth lgbtq travelReimbursement",
    "housing": "homeless homelessAssistance vaHomeLoanAssistance",
    "employment": "employmentPrograms vocationalRehabilitationAndEmploymentAssistance educationAndCareerCounseling",
    "education": "educationClaimAssistance educationAndCareerCounseling",
    "family": "caregiverSupport familyCounseling familyMemberClaimAssistance burialClaimAssistance",
    "benefits": "applyingForBenefits disabilityClaimAssistance pensions preDischargeClaimAssistance registerForCare",
    "training": "transitionCounseling transitionAssistance",
    "financial": "insuranceClaimAssistanceAndFinancialCounseling",
}
_PHONE: Final = re.compile(
    r"(?:\+?1[-. ]?)?\(?([2-9]\d\d)\)?[-. /]*([2-9]\d\d)[-. ]*(\d{4})(?:/\d{4})?"
    r"(?:[\s,]*(?:x|ext\.?|extension)[\s.:]*(\d{1,8})?)?",
    re.IGNORECASE | re.ASCII,
)
_CLOCK: Final = re.compile(r"\b(\d{1,2}):?(\d\d)\s*([AP])\.?M\b\.?", re.IGNORECASE | re.ASCII)
_ZIP: Final = re.compile(r"\d{5}(?:-\d{4}(?!\d))?", re.ASCII)
_SOME_NUMBER: Final = re.compile(r"[1-9].*\d", re.ASCII)
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NORMAL: Final = "NORMAL"
_STATUSES: Final = {
    "NOTICE": "Notice",
    "LIMITED": "Limited services and hours",
    "CLOSED": "Closed",
    "TEMPORARY_CLOSURE": "Temporarily closed",
    "TEMPORARY_LOCATION": "At a temporary location",
    "VIRTUAL_CARE": "Virtual care only",
    "COMING_SOON": "Not open yet",
}
_CAPITALS: Final = {"VA", "VAMC", "CBOC", "VSOC", "US", "VISN", "II", "III", "IV"}
_ABROAD: Final = {"PH": "Philippines", "PI": "Philippines"}


def record_of(line: int, source: str, facility: Facility, content: str) -> Record:
    """The facility as a record of `source`."""
    facts = facility.attributes
    _, organization, base_categories, tag, eligibility = _KINDS.get(facts.facility_type or "", _OTHER_KIND)
    offered = facts.services.all
    status = facts.operating_status
    place = facts.address.physical or Address()
    country = _ABROAD.get(place.state or "")
    return Record(
        line=line,
        source=source,
        record_id=facility.id,
        title=_title(facts.name),
        organization=organization,
        scope="local",
        categories=(*base_categories, *_categories(service.service_id for service in offered)),
        summary=_alert(status),
        description="\n".join(_describe(facts)),
        tags=tuple(_tags(tag, facts)),
        eligibility=eligibility,
        states=(place.state,) if place.state and not country else (),
        phone=None if country else _dialled((facts.phone or {}).get("main")),
        website=_website(facts.website),
        hours=_hours(facts.hours or {}),
        street=place.street,
        # an address abroad has no state, and its postal code is no ZIP code: 01302 would be in Massachusetts
        city=f"{place.city} {place.zip or ''}, {country}" if country else place.city,
        state=None if country else place.state,
        postal_code=None if country else _zip(place.zip),
        latitude=facts.lat if facts.long is not None else None,
        longitude=facts.long if facts.lat is not None else None,
        time_zone=facts.time_zone,
        as_of=(facts.services.last_updated or "")[:10] or None,
        provenance="VA Lighthouse Facilities API v1",
        content=content,
    )


def _title(name: str) -> str:
    words = plain(name).split()
    if not name.isupper():
        return " ".join(words)
    return " ".join(word if word in _CAPITALS else word.capitalize() for word in words)


def _categories(service_ids: Iterable[str]) -> Iterator[str]:
    offered = {_spelt(service_id) for service_id in service_ids}
    return (category for category, ids in _SERVICES.items() if offered & set(ids.split()))


def _spelt(service_id: str) -> str:
    """One spelling: the API has both `vaHomeLoanAssistance` and `vAHomeLoanAssistance`."""
    return re.sub("^vA", "va", service_id)


def _tags(kind: str, facts: Attributes) -> Iterator[str]:
    yield from ("va", kind, facts.classification or "")
    yield from ("mobile-unit",) if facts.mobile else ()
    code = facts.operating_status.code or _NORMAL
    yield from (f"status-{code.replace('_', '-')}",) if code != _NORMAL else ()
    yield from (_CAMEL.sub("-", _spelt(service.service_id)) for service in facts.services.all)


def _alert(status: Status) -> str | None:
    """What has to be known before going there; CLOSED is said, and is no reason to delete."""
    if status.code in {None, _NORMAL}:
        return None
    labels = (plain(extra.label) for extra in status.supplemental_status or ())
    told = ". ".join(filter(None, (plain(status.additional_info).rstrip("."), *labels)))
    said = _STATUSES.get(status.code or "", f"Status: {(status.code or '').lower()}")
    return f"{said}: {told}."[:500] if told else f"{said}."


def _dialled(text: str | None) -> str | None:
    """A number as people write it, if there is one to dial: VA publishes `x` without a number, and two ends of one."""
    match = _PHONE.fullmatch(plain(text))
    if match is None:
        return None
    number = "-".join(match.group(1, 2, 3))
    return f"{number} ext. {match[4]}" if match[4] else number


def _website(text: str | None) -> str | None:
    address = plain(text).replace(" ", "%20")
    if not address:
        return None
    return address if "://" in address else f"https://{address}"


def _zip(text: str | None) -> str | None:
    match = _ZIP.match(text or "")
    return match[0] if match else None


def _hours(hours: Mapping[str, str | None]) -> str | None:
    """The week as people write it: Mon-Fri 8:00AM-4:30PM; Sat-Sun Closed. A day without hours is told as such."""
    days = [(short, _clock(hours.get(day))) for day, short in _DAYS.items()]
    if not any(text for _, text in days):
        return None
    spans = []
    for text, group in groupby(days, key=lambda day: day[1]):
        names = [short for short, _ in group]
        span = names[0] if len(names) == 1 else f"{names[0]}-{names[-1]}"
        spans.append(f"{span} {text or 'hours not given'}")
    return "; ".join(spans)


def _clock(text: str | None) -> str:
    written = plain(text)
    return "" if written == "-" else _CLOCK.sub(lambda time: f"{time[1]}:{time[2]}{time[3].upper()}M", written)


def _describe(facts: Attributes) -> Iterator[str]:
    place = facts.address.physical or Address()
    where = ", ".join(filter(None, (plain(place.city), plain(place.state))))
    kind = _KINDS.get(facts.facility_type or "", _OTHER_KIND)[0]
    classification = f" ({facts.classification})" if facts.classification else ""
    yield f"{kind}{classification}{f' in {where}' if where else ''}."
    if facts.mobile:
        yield "Mobile unit: it travels, so call before you go. The address is the one of its base."
    if facts.services.all:
        yield f"Services: {', '.join(plain(service.name) or service.service_id for service in facts.services.all)}."
    yield from map(plain, facts.operational_hours_special_instructions or ())
    yield from _describe_phones(facts.phone or {}, abroad=place.state in _ABROAD)
    if facts.address.mailing and facts.address.mailing.whole:
        yield f"Mailing address: {facts.address.mailing.whole}."
    yield from _describe_system(facts)


def _describe_phones(phones: Mapping[str, str | None], *, abroad: bool) -> Iterator[str]:
    """Every number but the main one, and that too where it cannot be dialled as it is published."""
    told = []
    for use, text in phones.items():
        if not _SOME_NUMBER.search(text or "") or (use == "main" and not abroad and _dialled(text)):
            continue
        number = plain(text) if abroad else _dialled(text) or plain(text)
        told.append(f"{_CAMEL.sub(' ', use).lower()} {number}")
    if told:
        yield f"{'Phones (Philippines)' if abroad else 'Other phones'}: {'; '.join(told)}."


def _describe_system(facts: Attributes) -> Iterator[str]:
    parts = [f"VISN {facts.visn}"] if facts.visn else []
    parts += [facts.health_care_system.name] if facts.health_care_system and facts.health_care_system.name else []
    parts += [f"part of {facts.parent.id}"] if facts.parent and facts.parent.id else []
    if parts:
        yield f"VA system: {', '.join(parts)}."
    if facts.satisfaction and facts.satisfaction.health:
        scores = facts.satisfaction.health.items()
        rated = ", ".join(f"{_CAMEL.sub(' ', name).lower()} {score:.0%}" for name, score in scores)
        since = f" (as of {facts.satisfaction.effective_date})" if facts.satisfaction.effective_date else ""
        yield f"Veterans' satisfaction{since}: {rated}."
