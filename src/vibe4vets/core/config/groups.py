"""The groups of settings, each with its defaults and units in the types."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, IPvAnyNetwork, SecretStr
from pydantic_settings import NoDecode
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from vibe4vets.core.quotas import require_quota

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
