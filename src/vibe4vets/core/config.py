"""Settings: read once from the environment, frozen, with units in their types."""

import os
from datetime import timedelta
from enum import StrEnum
from functools import cached_property
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, IPvAnyNetwork, SecretStr
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from vibe4vets.core.embedded import default_home
from vibe4vets.core.quotas import require_quota
from vibe4vets.core.security import LEAST_KEY_BYTES, ShortKeyError
from vibe4vets.core.variables import KnownVariables

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


def _parts(text: object) -> object:
    """A list in one variable, its parts separated by commas."""
    return [part for part in map(str.strip, text.split(",")) if part] if isinstance(text, str) else text


HostName = Annotated[str, Field(pattern=r"^(\*|[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])$")]
Origin = Annotated[str, Field(pattern=r"^https?://([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?$")]


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
    body_deadline: timedelta = Field(
        default=timedelta(seconds=30),
        description="A body that is not whole by then is a 408.",
    )
    max_address_bytes: int = Field(default=8 * 1024, ge=1024, description="A longer address is a 414.")
    max_header_bytes: int = Field(default=32 * 1024, ge=1024, description="Larger headers are a 431.")
    max_header_fields: int = Field(default=100, ge=10, description="More header fields are a 431.")
    max_body_bytes: int = Field(default=1024 * 1024, ge=1024, description="A larger body is a 413.")
    allowed_hosts: Annotated[tuple[HostName, ...], NoDecode, BeforeValidator(_parts)] = Field(
        default=("*",), min_length=1, description="Names that the service goes by, without ports; `*` is any."
    )
    cors_origins: Annotated[tuple[Origin, ...], NoDecode, BeforeValidator(_parts)] = Field(
        default=(), description="Origins whose pages may use what is not a public read, such as https://app.example."
    )
    trusted_proxies: Annotated[tuple[IPvAnyNetwork, ...], NoDecode, BeforeValidator(_parts)] = Field(
        default=(), description="Addresses or networks of our own proxies, whose X-Forwarded-For and -Proto count."
    )


Quota = Annotated[str, AfterValidator(require_quota)]


class LimitSettings(BaseModel):
    """How often something may be done: `requests/time` with s, m or h, or `off` (reliability rows E1 and E6)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    public_reads: Quota = Field(default="600/1m", description="Public reads of an address, in each process.")
    submissions_per_address: Quota = Field(default="5/1h", description="Suggestions and feedback of an address.")
    submissions: Quota = Field(default="200/1h", description="Suggestions and feedback of everybody together.")
    registrations_per_address: Quota = Field(default="5/1h", description="Requests for an account, of an address.")
    password_resets_per_address: Quota = Field(default="30/1h", description="Uses of reset links, from an address.")
    partner_requests: Quota = Field(default="120/1m", description="Requests with an API key.")
    connector_runs: Quota = Field(default="6/1h", description="Runs of a connector that people start.")
    login_failures_per_account: Quota = Field(
        default="10/15m", description="Failed logins to an account from an address; a success clears them."
    )
    login_failures_per_address: Quota = Field(default="30/15m", description="Failed logins from an address.")


SigningKey = Annotated[SecretStr, Field(min_length=32)]
SigningKeyName = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,32}$")]


class AuthSettings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    signing_keys: dict[SigningKeyName, SigningKey] = Field(
        default={},
        description="Keys of access tokens by name, at least 32 characters each: the first signs, all verify. "
        "Without any, the key is derived from the secret.",
    )
    registration: bool = Field(
        default=False, description="Let partners ask for an account, which waits until an admin activates it."
    )
    reset_page: str | None = Field(
        default=None,
        pattern=r"^https?://[^\s#]+$",
        max_length=1_000,
        description="Where a front end takes a reset link; the token follows behind #token=.",
    )
    session_idle: timedelta = Field(
        default=timedelta(days=14),
        gt=timedelta(0),
        le=timedelta(days=14),
        description="A login not refreshed so long ends.",
    )
    session_lifetime: timedelta = Field(
        default=timedelta(days=30),
        gt=timedelta(0),
        le=timedelta(days=30),
        description="A login ends after it, used or not.",
    )


class PagesSettings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    swagger: bool = Field(default=True, description="Serve /docs, which needs /openapi.json.")
    redoc: bool = Field(default=True, description="Serve /redoc, which needs /openapi.json.")
    openapi: bool = Field(default=True, description="Serve /openapi.json.")


class AuditSettings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    seal_interval: timedelta = Field(
        default=timedelta(seconds=10), gt=timedelta(0), description="Pause between two sealings of the audit's events."
    )


class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogSettings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    level: LogLevel = Field(default=LogLevel.INFO, description="The least that is logged; `info` has every request.")


class MetricsSettings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    token: SecretStr | None = Field(default=None, min_length=32, description="What whoever reads /metrics must bear.")


class JobSettings(BaseModel):
    """Workers, and the runs of connectors that they do."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    concurrency: int = Field(default=4, ge=2, le=100, description="Runs that a worker does at the same time.")
    lease: timedelta = Field(
        default=timedelta(seconds=30),
        ge=timedelta(seconds=1),
        le=timedelta(minutes=10),
        description="A worker that was silent for so long has lost its runs, and another goes on with them.",
    )
    poll: timedelta = Field(
        default=timedelta(seconds=5), gt=timedelta(0), description="Look for work so often; mostly it is told at once."
    )
    retry_pause: timedelta = Field(
        default=timedelta(seconds=30),
        gt=timedelta(0),
        description="Pause before a failed run is tried again; it doubles each time, up to 15 minutes.",
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


class FeedFormat(StrEnum):
    HSDS = "hsds"
    RECORDS = "records"


class ConnectorSettings(BaseModel):
    """One connector: `VIBE4VETS_CONNECTORS__OHIO_211__BASE_URL` and so on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    base_url: str | None = Field(default=None, max_length=2000, description="The address of its API or file.")
    format: FeedFormat = Field(default=FeedFormat.HSDS, description="What is there: an HSDS 3.x API or a record file.")
    api_key: SecretStr | None = None
    enabled: bool = True


class LinkSettings(BaseModel):
    """The checks of web sites that resources name (reliability row F12)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool = Field(default=True, description="Check links at all.")
    control_url: str = Field(
        default="https://www.va.gov/",
        pattern=r"^https?://[^\s#]+$",
        max_length=2000,
        description="What answers whenever our own way out works; while it does not, no failure counts.",
    )
    every: timedelta = Field(
        default=timedelta(days=7), ge=timedelta(hours=1), description="A link that works is checked so often."
    )


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
