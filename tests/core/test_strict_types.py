"""In a body, a number is a number and nothing like one (rows A16 and A17): every model, every field."""

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from vibe4vets.core.schemas import Input
from vibe4vets.main import create_app

NO_APPLICATION_NEEDED = create_app  # importing it has loaded every model
LOOKALIKES: dict[str, list[object]] = {
    "integer": [True, False, "1", 1.0, 1.5, [1], {"a": 1}],
    "number": [True, "1", "1.5", float("nan"), float("inf"), float("-inf"), [1.0]],
    "boolean": [0, 1, "true", "yes", "on", 1.0, [True]],
}


# Of an address, or of a form beside a file: text, which is read as what it stands for.
TEXT = {"ResourceFilters", "ResourceSelection", "ImportRequest"}


def bodies(model: type[Input] = Input) -> Iterator[type[Input]]:
    """Every model that may stand in a body; a query is text, and reads its numbers from it."""
    for child in model.__subclasses__():
        if child.__module__.startswith("vibe4vets.") and not child.__name__.endswith("Query"):
            if child.__name__ not in TEXT:
                yield child
            yield from bodies(child)


def numbers() -> Iterator[tuple[type[Input], str, str]]:
    for model in bodies():
        schema = model.model_json_schema()
        for name, field in schema.get("properties", {}).items():
            for variant in field.get("anyOf", [field]):
                if variant.get("type") in LOOKALIKES:
                    yield model, name, variant["type"]


def refused(model: type[Input], name: str, value: object) -> bool:
    try:
        model.model_validate({name: value})
    except ValidationError as error:
        return any(problem["loc"][:1] == (name,) for problem in error.errors())
    return False


@pytest.mark.parametrize(("model", "name", "kind"), list(numbers()))
def test_nothing_like_it_is_taken(model: type[Input], name: str, kind: str) -> None:
    for value in LOOKALIKES[kind]:
        assert refused(model, name, value), value


def test_a_lenient_field_would_be_seen() -> None:
    class Lenient(Input):
        whole: int = 0
        part: float = 0.0
        flag: bool = False

    for name, value in (("whole", True), ("part", "1"), ("part", float("nan")), ("flag", 1)):
        assert not refused(Lenient, name, value)
    found: list[Any] = list(numbers())
    assert {(name, kind) for _, name, kind in found} >= {("tier", "integer"), ("latitude", "number")}
