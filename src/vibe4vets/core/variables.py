"""Variables of the environment that look like settings and are none."""

import difflib
from collections.abc import Iterator

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource


class UnknownSettingError(ValueError):
    """A variable has our prefix and is none of our settings: a typo, which must not silently be a default."""

    def __init__(self, name: str, alike: str | None) -> None:
        super().__init__(f"{name}: there is no such setting" + (f"; did you mean {alike}?" if alike else ""))


class KnownVariables(PydanticBaseSettingsSource):
    """Gives no value: it looks at the variables that the other sources have found."""

    def __init__(self, settings_cls: type[BaseSettings], *sources: PydanticBaseSettingsSource) -> None:
        super().__init__(settings_cls)
        self._found = [source.env_vars for source in sources if isinstance(source, EnvSettingsSource)]

    def get_field_value(self, field: object, field_name: str) -> tuple[object, str, bool]:  # noqa: ARG002
        """No field has its value from here."""
        return None, field_name, False

    def __call__(self) -> dict[str, object]:
        """Raise UnknownSettingError for the first variable that no setting is named by."""
        known = {
            name: isinstance(field.default, BaseModel) or field.default_factory is dict
            for name, field in self._fields()
        }
        for variable in (name.upper() for found in self._found for name in found):
            name, *part = variable.split("__", 1)
            if name.startswith("VIBE4VETS_") and (name not in known or (part and not known[name])):
                raise UnknownSettingError(variable, next(iter(difflib.get_close_matches(variable, known, 1)), None))
        return {}

    def _fields(self) -> Iterator[tuple[str, FieldInfo]]:
        for name, field in self.settings_cls.model_fields.items():
            yield f"VIBE4VETS_{name.upper()}", field
