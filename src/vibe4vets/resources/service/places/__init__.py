"""Places: recognising them in what people type, and knowing where they are."""

from vibe4vets.resources.service.places.atlas import Columns
from vibe4vets.resources.service.places.gazetteer import Gazetteer
from vibe4vets.resources.service.places.place import Place, PlaceKind, Reading

__all__ = ["Columns", "Gazetteer", "Place", "PlaceKind", "Reading"]
