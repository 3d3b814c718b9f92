"""The settings of what goes out: the fetcher, the connectors, the checks of links."""

from datetime import timedelta
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, SecretStr


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
    """What an address has: an HSDS 3.x API by pages, one that sends all services at once, or a record file."""

    HSDS = "hsds"
    HSDS_NDJSON = "hsds-ndjson"
    RECORDS = "records"


class ConnectorSettings(BaseModel):
    """One connector: `VIBE4VETS_CONNECTORS__OHIO_211__BASE_URL` and so on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    base_url: str | None = Field(default=None, max_length=2000, description="The address of its API or file.")
    format: FeedFormat = Field(default=FeedFormat.HSDS, description="What is there: an HSDS 3.x API or a record file.")
    modified_after: AwareDatetime | None = Field(
        default=None, description="Of HSDS only what has changed since; what vanishes is then never noticed."
    )
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
