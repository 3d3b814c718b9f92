"""Settings: read once from the environment, frozen, with units in their types."""

from vibe4vets.core.config.groups import (
    DRIVER,
    AuditSettings,
    AuthSettings,
    DatabaseSettings,
    Environment,
    HTTPSettings,
    JobSettings,
    LimitSettings,
    LogLevel,
    LogSettings,
    MetricsSettings,
    PagesSettings,
)
from vibe4vets.core.config.outgoing import ConnectorSettings, FeedFormat, FetchSettings, LinkSettings
from vibe4vets.core.config.settings import Settings

__all__ = [
    "DRIVER",
    "AuditSettings",
    "AuthSettings",
    "ConnectorSettings",
    "DatabaseSettings",
    "Environment",
    "FeedFormat",
    "FetchSettings",
    "HTTPSettings",
    "JobSettings",
    "LimitSettings",
    "LinkSettings",
    "LogLevel",
    "LogSettings",
    "MetricsSettings",
    "PagesSettings",
    "Settings",
]
