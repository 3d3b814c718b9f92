"""The connectors that this installation has: what each is, whether it can run, and how to open it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from pydantic import SecretStr

from vibe4vets.connectors.base import About, Fetcher, Source, SourceError, Version
from vibe4vets.connectors.known_sources import describe_source
from vibe4vets.connectors.sources import va_facilities
from vibe4vets.connectors.sources.hsds import Endpoint, HSDSFeed
from vibe4vets.connectors.sources.records import RecordFeed
from vibe4vets.connectors.sources.va_facilities import VAFacilities
from vibe4vets.core.config import ConnectorSettings, FeedFormat, Settings

_DAILY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Connector:
    """A source that can be read again and again."""

    about: About
    obstacle: str | None
    """Why it cannot run, with the remedy; None when it can."""
    make: Callable[[Fetcher, Version | None], Source]
    file_url: str | None = None
    """Of one that reads a single file: where that is, and what its version is kept by."""
    is_switched_off: bool = False
    """Whether the environment says so, which nobody else can change."""

    def open(self, fetcher: Fetcher, known: Version | None = None) -> Source:
        """Begin one reading; SourceError when there is an obstacle. With `known` it may end in Unmodified."""
        if self.obstacle is not None:
            raise SourceError(self.obstacle)
        return self.make(fetcher, known)


def connectors(settings: Settings) -> dict[str, Connector]:
    """Every connector by its slug: the VA's, and one per publisher that the settings name."""
    found = {va_facilities.ABOUT.slug: _va_facilities(settings)}
    for slug, given in settings.connectors.items():
        if slug not in found:
            found[slug] = _publisher(slug, given)
    return dict(sorted(found.items()))


def _va_facilities(settings: Settings) -> Connector:
    about = va_facilities.ABOUT
    given = settings.connectors.get(about.slug, ConnectorSettings())
    key = given.api_key or settings.va_api_key or SecretStr("")
    obstacle = None if key else "Set VA_API_KEY to a key of developer.va.gov."
    base_url = given.base_url or va_facilities.BASE_URL
    return Connector(
        about,
        _switched_off(about.slug, given) or obstacle,
        lambda fetcher, _: VAFacilities(fetcher, key, base_url),
        is_switched_off=not given.enabled,
    )


def _publisher(slug: str, given: ConnectorSettings) -> Connector:
    about = replace(describe_source(slug), schedule=_DAILY)
    obstacle = None if given.base_url else f"Set {_variable(slug, 'BASE_URL')} to the address of its API or file."
    obstacle = _switched_off(slug, given) or obstacle
    url, secrets = given.base_url or "", {"X-API-Key": given.api_key} if given.api_key else {}
    if given.format is FeedFormat.RECORDS:
        return Connector(
            about,
            obstacle,
            lambda fetcher, known: RecordFeed(fetcher, url, about, secrets=secrets, known=known),
            file_url=url,
            is_switched_off=not given.enabled,
        )
    stream = given.format is FeedFormat.HSDS_NDJSON
    endpoint = Endpoint(url.rstrip("/"), secrets, given.modified_after, stream)
    return Connector(
        about, obstacle, lambda fetcher, _: HSDSFeed(fetcher, endpoint, about), is_switched_off=not given.enabled
    )


def _switched_off(slug: str, given: ConnectorSettings) -> str | None:
    return None if given.enabled else f"Switched off by {_variable(slug, 'ENABLED')}."


def _variable(slug: str, part: str) -> str:
    return f"VIBE4VETS_CONNECTORS__{slug.upper()}__{part}"
