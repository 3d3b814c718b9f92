"""Settings: read once from the environment, frozen, with units in their types."""

import os
from datetime import timedelta
from enum import StrEnum
from functools import cached_property
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from vibe4vets.core.embedded import default_home

DRIVER = "postgresql+asyncpg"


def _database_url(text: object) -> object:
    """Accept any postgres:// spelling; libpq's `sslmode` becomes asyncpg's `ssl`."""
    if not isinstance(text, str):
        return text
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):  # a ValueError would quote what stands in the port's place
        message = "is not a database URL; write postgresql://user:password@host:5432/name"
        raise ValueError(message) from None
    if url.get_backend_name() not in {"postgresql", "postgres"}:
        message = "must name a PostgreSQL server: postgresql://user:password@host:5432/name"
        raise ValueError(message)
    query = dict(url.query)
    if "sslmode" in query:
        query["ssl"] = query.pop("sslmode")
    return url.set(drivername=DRIVER, query=query)


DatabaseURL = Annotated[URL, BeforeValidator(_database_url)]


class Environment(StrEnum):
    DEVELOPMENT = "development"
    PRODUCTION = "production"


class DatabaseSettings(BaseModel):
    """Pools and the time limits of every session (reliability row I9)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pool_size: int = Field(
        default=10, ge=1, le=200, description="Connections for writes, and as many for staff's reads, per process."
    )
    read_pool_size: int = Field(default=20, ge=1, le=200, description="Connections for public reads, per process.")
    pool_wait: timedelta = Field(default=timedelta(seconds=2), description="Wait for a free connection.")
    connect_timeout: timedelta = timedelta(seconds=3)
    statement_timeout: timedelta = timedelta(seconds=5)
    bulk_statement_timeout: timedelta = Field(
        default=timedelta(seconds=60), description="For imports, `reindex` and other work without a reader."
    )
    lock_timeout: timedelta = timedelta(seconds=2)
    idle_in_transaction_timeout: timedelta = timedelta(seconds=10)


class HTTPSettings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    deadline: timedelta = Field(
        default=timedelta(seconds=5.8), description="An answer that has not begun by then is a 503."
    )


def _exceptions(text: str) -> str:
    """See that every part is an address with its port; host names would have to be resolved, and could change."""
    try:
        for part in text.split(","):
            address, _, port = part.strip().rpartition(":")
            ip_address(address.strip("[]"))
            int(port)
    except ValueError:
        message = "write numeric addresses with their ports: 127.0.0.1:8001,[::1]:8001"
        raise ValueError(message) from None
    return text


class FetchSettings(BaseModel):
    """The one outbound HTTP client. Certificates, address checks and caps are no settings (reliability row F14)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    allow: Annotated[str, AfterValidator(_exceptions)] | None = Field(
        default=None, description="Addresses with ports that may be fetched although they are not public; for tests."
    )

    @property
    def exceptions(self) -> frozenset[tuple[IPv4Address | IPv6Address, int]]:
        """What `allow` names."""
        parts = (part.strip().rpartition(":") for part in (self.allow or "").split(",") if part.strip())
        return frozenset((ip_address(address.strip("[]")), int(port)) for address, _, port in parts)

    @property
    def reaches_inside(self) -> bool:
        """Whether addresses that are not public may be fetched, which no production may."""
        return bool(self.exceptions)


class ConnectorSettings(BaseModel):
    """One connector: `VIBE4VETS_CONNECTORS__OHIO_211__BASE_URL` and so on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    base_url: str | None = Field(default=None, max_length=2000, description="The address of its API.")
    api_key: SecretStr | None = None
    enabled: bool = True


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
    database_url: DatabaseURL | None = Field(default=None, validation_alias="DATABASE_URL")
    database_replica_url: DatabaseURL | None = Field(default=None, validation_alias="DATABASE_REPLICA_URL")
    database_migration_url: DatabaseURL | None = Field(default=None, validation_alias="DATABASE_MIGRATION_URL")
    database: DatabaseSettings = DatabaseSettings()
    http: HTTPSettings = HTTPSettings()
    fetch: FetchSettings = FetchSettings()
    connectors: dict[str, ConnectorSettings] = Field(
        default_factory=dict, description="By the slug of the source: `__<SLUG>__BASE_URL`, `__API_KEY`, `__ENABLED`."
    )
    va_api_key: SecretStr | None = Field(default=None, validation_alias="VA_API_KEY")
    data_dir: Path = Field(default_factory=default_home)
    secret_key: SecretStr | None = Field(
        default=None, min_length=32, description="Signs cursors; at least 32 characters, the same in every process."
    )
    embedded: bool = Field(default=False, description="Set by the command line alone.")
    docs: bool = Field(default=True, description="Serve /docs, /redoc and /openapi.json.")

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
    return path.read_bytes()
