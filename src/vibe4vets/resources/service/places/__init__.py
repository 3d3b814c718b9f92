"""Places: recognising them in what people type, and knowing where they are."""

from vibe4vets.resources.service.places.atlas import Columns
from vibe4vets.resources.service.places.gazetteer import Gazetteer
from vibe4vets.resources.service.places.live import LivePlaces
from vibe4vets.resources.service.places.loading import learn_places, load_places
from vibe4vets.resources.service.places.place import Place, PlaceKind, Reading

__all__ = ["Columns", "Gazetteer", "LivePlaces", "Place", "PlaceKind", "Reading", "learn_places", "load_places"]
