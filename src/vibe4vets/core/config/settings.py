"""Where the settings come from, and all of them."""

import os
from functools import cached_property
from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from vibe4vets.core.config.groups import (
    AuditSettings,
    AuthSettings,
    DatabaseSettings,
    DatabaseURL,
    Environment,
    HTTPSettings,
    JobSettings,
    LimitSettings,
    LogSettings,
    MetricsSettings,
    PagesSettings,
)
from vibe4vets.core.config.outgoing import ConnectorSettings, FetchSettings, LinkSettings
from vibe4vets.core.embedded import default_home
from vibe4vets.core.security import LEAST_KEY_BYTES, ShortKeyError
from vibe4vets.core.variables import KnownVariables


class Settings(BaseSettings):
    """Everything an operator can set. The README lists it; `.env.example` shows it."""

    model_config = SettingsConfigDict(
        env_prefix="VIBE4VETS_",
        env_nested_delimiter="__",
        env_file=".env",
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        arbitrary_types_allowed=True,
        populate_by_name=True,
    )

    env: Environment = Environment.DEVELOPMENT
    base_url: str = Field(
        default="http://127.0.0.1:8000",
        pattern=r"^https?://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._~-]+)*$",
        description="Where people reach the service, for links in what it sends; https in production.",
    )
    database_url: DatabaseURL | None = Field(default=None, validation_alias="DATABASE_URL")
    database_replica_url: DatabaseURL | None = Field(default=None, validation_alias="DATABASE_REPLICA_URL")
    database_migration_url: DatabaseURL | None = Field(default=None, validation_alias="DATABASE_MIGRATION_URL")
    database: DatabaseSettings = DatabaseSettings()
    http: HTTPSettings = HTTPSettings()
    audit: AuditSettings = AuditSettings()
    log: LogSettings = LogSettings()
    metrics: MetricsSettings = MetricsSettings()
    auth: AuthSettings = AuthSettings()
    limits: LimitSettings = LimitSettings()
    fetch: FetchSettings = FetchSettings()
    jobs: JobSettings = JobSettings()
    connectors: dict[str, ConnectorSettings] = Field(
        default_factory=dict,
        description="By the slug of the source: `__<SLUG>__BASE_URL`, `__FORMAT`, `__API_KEY`, `__ENABLED`.",
    )
    links: LinkSettings = LinkSettings()
    va_api_key: SecretStr | None = Field(default=None, validation_alias="VA_API_KEY")
    data_dir: Path = Field(default_factory=default_home)
    secret_key: SecretStr | None = Field(
        default=None,
        min_length=32,
        description="Signs cursors and tokens; at least 32 characters, the same in every process.",
    )
    allow_embedded: bool = Field(default=False, description="Let production run on the private PostgreSQL.")
    embedded: bool = Field(default=False, description="Set by the command line alone.")
    docs: bool = Field(default=True, description="Serve /docs, /redoc and /openapi.json.")
    pages: PagesSettings = PagesSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003  the library's signature
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment, then `.env`; neither may hold a misspelt setting."""
        known = KnownVariables(settings_cls, env_settings, dotenv_settings)
        return known, init_settings, env_settings, dotenv_settings

    @cached_property
    def signing_key(self) -> bytes:
        """The key that signs what clients hand back; without a setting, one kept in the data directory."""
        if self.secret_key is not None:
            return self.secret_key.get_secret_value().encode()
        return _kept_secret(self.data_dir / "secret_key")


def _kept_secret(path: Path) -> bytes:
    """Read the secret at `path`, made with mode 0600 the first time; safe with several processes."""
    path.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    if not path.exists():
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as handle:
            handle.write(os.urandom(32).hex().encode())
        try:
            os.link(fresh, path)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    kept = path.read_bytes()
    if len(kept) < LEAST_KEY_BYTES:
        raise ShortKeyError(str(path))
    return kept
