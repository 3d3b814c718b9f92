"""What people write about a resource, as one flat set of fields: compared, proposed, applied and rolled back."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from pydantic import ValidationError

from vibe4vets.core.errors import InvalidRequest, violations
from vibe4vets.resources.folding import fold
from vibe4vets.resources.geography import time_zone
from vibe4vets.resources.schemas import FieldChange, HoursIntake, ResourceIntake, ResourceRead

Content: TypeAlias = dict[str, Any]
"""Each field as JSON, named and shaped as in the public answer, but for `organization`, which is its name."""

FIELDS = (
    "title", "summary", "description", "eligibility", "how_to_apply", "organization", "categories", "tags", "scope",
    "states", "phone", "phone_extension", "email", "website", "hours", "languages", "cost", "locations",
)  # fmt: skip
_LISTS = {"eligibility", "categories", "tags", "states", "languages", "locations"}
_BODY = ("body",)
_PLAIN = set(FIELDS) - {"organization", "hours", "locations"}


def content_of(resource: ResourceRead) -> Content:
    """The content of a resource as it is read."""
    content = resource.model_dump(mode="json", include=_PLAIN)
    places = [place.model_dump(mode="json", exclude={"id"}) for place in resource.locations]
    hours = resource.hours.model_dump(mode="json")
    return {**content, "organization": resource.organization.name, "hours": hours, "locations": places}


def content_of_document(document: Mapping[str, Any]) -> Content:
    """The same of a `ResourceRead` as JSON, which nobody has to check again."""
    content = {field: document[field] for field in FIELDS}
    places = [{name: value for name, value in place.items() if name != "id"} for place in document["locations"]]
    return {**content, "organization": document["organization"]["name"], "locations": places}


def content_of_intake(document: str) -> Content:
    """The content of a `ResourceIntake` as JSON, also one that an older version has written."""
    given: dict[str, Any] = json.loads(document)
    content = {field: given.get(field) for field in FIELDS}
    return {**content, "hours": {"text": given.get("hours_text"), "weekly": given.get("hours_weekly")}}


def is_same(field: str, one: Any, other: Any) -> bool:  # noqa: ANN401  values of any field
    """Whether two values of a field are one; within a source an organization is its normalised name."""
    if field == "organization" and one and other:
        return one == other or fold(one) == fold(other) != ""
    return bool(one == other)


def intake_of(
    identity: Mapping[str, Any], content: Mapping[str, Any], *, within: Sequence[str] = _BODY
) -> ResourceIntake:
    """The record that `content` makes under `identity`.

    Raises InvalidRequest, also for a rule that spans fields; `within` is where the content stands in the request.
    """
    fields = {name: value for name, value in content.items() if name != "hours"}
    if "hours" in content:
        fields["hours_text"], fields["hours_weekly"] = HoursIntake.model_validate(content["hours"]).stored()
    for place in fields.get("locations", ()):
        place["time_zone"] = place.get("time_zone") or (place.get("state") and time_zone(place["state"]))
    try:
        return ResourceIntake.model_validate({**identity, **fields})
    except ValidationError as error:
        problems = [{**problem, "loc": (*within, *problem["loc"])} for problem in error.errors(include_url=False)]
        raise InvalidRequest(errors=violations(problems)) from None


def without(field: str) -> Any:  # noqa: ANN401  a value of any field
    """What a field holds when there is nothing to say."""
    if field in _LISTS:
        return []
    return {"hours": {"text": None, "weekly": None}, "description": ""}.get(field)


def is_empty(value: object) -> bool:
    """Whether a field says nothing."""
    return value in (None, "", []) or (isinstance(value, dict) and not any(value.values()))


def settled(identity: Mapping[str, Any], content: Mapping[str, Any], *, within: Sequence[str] = _BODY) -> Content:
    """`content` as it would be stored: checked, normalised, absent fields empty."""
    intake = intake_of(identity, content, within=within)
    fields = intake.model_dump(mode="json", include=_PLAIN | {"organization", "locations"})
    return {**fields, "hours": {"text": intake.hours_text, "weekly": _week(intake)}}


def _week(intake: ResourceIntake) -> Any:  # noqa: ANN401  JSON
    return intake.model_dump(mode="json", include={"hours_weekly"})["hours_weekly"]


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[FieldChange]:
    """Each field of `after` whose value is another before; what is absent counts as null."""
    for field, value in after.items():
        if before.get(field) != value:
            yield FieldChange(field=field, before=before.get(field), after=value)
