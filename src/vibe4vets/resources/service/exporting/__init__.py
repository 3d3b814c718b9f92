"""The whole directory, or a selection of it, as a file."""

from vibe4vets.resources.service.exporting.formats import CSV, GEOJSON, NDJSON
from vibe4vets.resources.service.exporting.reading import Exports

__all__ = ["CSV", "GEOJSON", "NDJSON", "Exports"]
