"""What enters is bounded: no text wider than its column, no list without an end (row A20)."""

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError
from sqlmodel import SQLModel

import vibe4vets.main  # noqa: F401  every input there is
from vibe4vets.auth import models as accounts
from vibe4vets.core.pagination import PageQuery
from vibe4vets.core.schemas import Input, Line, LongText
from vibe4vets.resources import models, schemas

# the table that a model is written to, and the columns that go by another name there
TABLES = {
    "Registration": (accounts.User, {}),
    "LexiconEntryIntake": (models.LexiconEntry, {}),
    "LexiconEntryUpdate": (models.LexiconEntry, {}),
    "SourceIntake": (models.Source, {}),
    "LocationIntake": (models.Location, {}),
    "ResourceIntake": (
        models.Resource,
        {"organization": (models.Organization, "name"), "source": (models.Source, "slug")},
    ),
    "ResourceCreate": (
        models.Resource,
        {
            "organization": (models.Organization, "name"),
            "source": (models.Source, "slug"),
            "reason": (models.ResourceRevision, "reason"),
        },
    ),
    "ResourceUpdate": (
        models.Resource,
        {"organization": (models.Organization, "name"), "reason": (models.ResourceRevision, "reason")},
    ),
    "HoursIntake": (models.Resource, {"text": (models.Resource, "hours_text")}),
    "ResourceFields": (models.Resource, {"organization": (models.Organization, "name")}),
    "Contact": (models.SubmitterContact, {}),
    **{name: (models.Proposal, {}) for name in ("SuggestionCreate", "ProposalCreate")},
    "FeedbackCreate": (models.Proposal, {"kind": (models.Proposal, "feedback")}),
}
IS_ELSEWHERE = {
    ("ResourceIntake", "locations"),
    *(
        (name, field)
        for name in ("ResourceCreate", "ResourceUpdate", "ResourceFields")
        for field in ("locations", "hours")
    ),
    ("HoursIntake", "weekly"),
    ("Registration", "password"),
    *(
        (name, field)
        for name in ("SuggestionCreate", "ProposalCreate", "FeedbackCreate")
        for field in ("resource", "contact")
    ),
}
UNPAGED = {"ChangesQuery", "ExportQuery", "MappingQuery", "ResourceFilters", "ResourceSelection", "SuggestQuery"}
# the body of an act, of which nothing but the reason is stored as it is
ACTS = {
    "Act", "Anonymous", "Approval", "BulkDecision", "BulkRequest", "Claim", "Dismissal", "MergeRequest", "Refusal",
    "Rollback", "Verification",
}  # fmt: skip
# of credentials only hashes are stored
CREDENTIALS = {"TokenForm", "RefreshRequest", "PasswordChange", "PasswordReset"}
# what admins send, whose columns have other names
ADMINS = {"ConnectorUpdate", "ImportRequest", "KeyCreate", "RunRequest", "UserCreate", "UserUpdate"}


def inputs(model: type[Input] = Input) -> Iterator[type[Input]]:
    for child in model.__subclasses__():
        yield child
        yield from inputs(child)


ALL_INPUTS = sorted(
    {model for model in inputs() if model.__module__.startswith("vibe4vets.")}, key=lambda m: m.__name__
)


def variants(schema: dict[str, Any], definitions: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What a value may be, its references resolved."""
    if "$ref" in schema:
        yield from variants(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    elif "anyOf" in schema:
        for variant in schema["anyOf"]:
            yield from variants(variant, definitions)
    else:
        yield schema


def unbounded(schema: dict[str, Any], definitions: dict[str, Any], where: str) -> Iterator[str]:
    """The texts and lists below `schema` that may grow without end."""
    for variant in variants(schema, definitions):
        match variant.get("type"):
            case "string" if not variant.keys() & {"maxLength", "enum", "const", "format"}:
                yield where
            case "array":
                if "maxItems" not in variant:
                    yield where
                for part in [variant.get("items", {}), *variant.get("prefixItems", ())]:
                    yield from unbounded(part, definitions, f"{where}[]")
            case "object":
                for name, part in variant.get("properties", {}).items():
                    yield from unbounded(part, definitions, f"{where}.{name}")


def test_every_input_is_known_here() -> None:
    assert schemas.ResourceIntake in ALL_INPUTS
    names = {model.__name__ for model in ALL_INPUTS}
    assert {"PageQuery", "ResourceQuery", "SearchQuery", "OrganizationQuery", *TABLES} <= names
    apart = {*TABLES, *ACTS, *CREDENTIALS, *ADMINS, *UNPAGED}
    assert all(issubclass(model, PageQuery) for model in ALL_INPUTS if model.__name__ not in apart)


@pytest.mark.parametrize("model", ALL_INPUTS)
def test_every_text_and_list_has_an_end(model: type[Input]) -> None:
    schema = model.model_json_schema()
    assert schema["additionalProperties"] is False
    assert list(unbounded(schema, schema.get("$defs", {}), model.__name__)) == []


@pytest.mark.parametrize("name", TABLES)
def test_no_text_is_wider_than_its_column(name: str) -> None:
    model = next(model for model in ALL_INPUTS if model.__name__ == name)
    table, elsewhere = TABLES[name]
    schema = model.model_json_schema()
    compared = 0
    for field, part in schema["properties"].items():
        if (name, field) in IS_ELSEWHERE:
            continue
        owner, column_name = elsewhere.get(field, (table, field))
        column = SQLModel.metadata.tables[str(owner.__tablename__)].c[column_name]
        kinds = list(variants(part, schema.get("$defs", {})))
        assert {"type": "null"} not in kinds or column.nullable, field
        for kind in kinds:
            if kind.get("type") == "string" and not kind.keys() & {"enum", "format"}:
                assert kind["maxLength"] <= getattr(column.type, "length", 0), field
                compared += 1
    assert compared >= 1


def test_a_text_without_an_end_would_be_seen() -> None:
    class Loose(Input):
        texts: list[str]
        text: str | None

    schema = Loose.model_json_schema()
    assert list(unbounded(schema, {}, "Loose")) == ["Loose.texts", "Loose.texts[]", "Loose.text"]


@pytest.mark.parametrize("bad", ["a\0b", "\ud800", "\x1b[31m", "\x85", "\u202e", "\u2066", "a\nb", "a\tb"])
def test_a_line_holds_no_control_or_surrogate(bad: str) -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(Line).validate_python(bad)
    assert caught.value.errors()[0]["type"] == "unsafe_text"
    if bad in {"a\nb", "a\tb"}:
        assert TypeAdapter(LongText).validate_python(bad) == bad
        return
    with pytest.raises(ValidationError):
        TypeAdapter(LongText).validate_python(bad)


def test_text_is_stored_composed_and_trimmed() -> None:
    location = schemas.LocationIntake.model_validate({"city": "  Can\u0303on City "})
    assert location.city == "Ca\u00f1on City"


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), 1e999, 90.01, -91.0])
def test_coordinates_are_finite_and_on_the_globe(bad: float) -> None:
    with pytest.raises(ValidationError):
        schemas.LocationIntake.model_validate({"latitude": bad, "longitude": 0.0})
    with pytest.raises(ValidationError):
        schemas.LocationIntake.model_validate({"latitude": 0.0, "longitude": bad * 2})


@pytest.mark.parametrize("bad", [True, 1.0, "1", None, 0, 5])
def test_a_tier_is_an_integer_and_nothing_like_one(bad: object) -> None:
    with pytest.raises(ValidationError):
        schemas.SourceIntake.model_validate({"slug": "s", "name": "S", "tier": bad})


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(ValidationError) as caught:
        schemas.SourceIntake.model_validate({"slug": "s", "name": "S", "tier": 1, "status": "published"})
    assert caught.value.errors()[0]["loc"] == ("status",)
