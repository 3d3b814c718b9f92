"""The places in memory, as the rest of the service asks for them."""

import math
import re
from collections.abc import Container, Sequence
from typing import Final

from vibe4vets.resources.folding import fold
from vibe4vets.resources.service.places.atlas import Atlas, Columns
from vibe4vets.resources.service.places.place import Place, PlaceKind, Reading
from vibe4vets.resources.service.places.recognition import Recognition

_ZIP: Final = re.compile(r"([0-9]{5})(?:-[0-9]{4})?")
_NUMBER: Final = r"[-+]?[0-9]{1,3}(?:\.[0-9]{1,15})?"
_POINT: Final = re.compile(rf"({_NUMBER})\s*,\s*({_NUMBER})")
_UNAMBIGUOUS: Final = 0.6


class Gazetteer:
    """Recognises and finds places. It never changes: what `places load` brings makes a new one."""

    def __init__(
        self,
        zips: Columns = Columns(),  # noqa: B008  both are frozen
        cities: Columns = Columns(),  # noqa: B008
        counties: Columns = Columns(),  # noqa: B008
        *,
        complete: bool = False,
    ) -> None:
        self._atlas = Atlas(zips, cities, counties, complete=complete)

    @property
    def words(self) -> frozenset[str]:
        """The folded words that names of cities, counties and states are made of."""
        return self._atlas.words

    @property
    def is_complete(self) -> bool:
        """Whether a file has brought the places of the whole country."""
        return self._atlas.complete

    def has_city(self, words: Sequence[str], state: str | None = None) -> bool:
        """Whether a city, of one state or any, is called by these folded words."""
        return bool(self._atlas.cities(words, state))

    def recognise(self, text: str, *, common: Container[str] = ()) -> Reading | None:
        """The place that some words of `text` name, None when none does.

        `common` holds folded words that mean something else in this directory, such as those of its lexicon:
        made of them alone, a city needs its state. The words of the reading count in `fold(text).split()`.
        """
        return Recognition(self._atlas, text, common).best()

    def find(self, text: str) -> Place | None:
        """The place that the whole of `text` names: "43215", "Columbus, OH", "Kern County, CA" or "39.96,-83.0".

        A city without its state is found where most of those called so are one; a state alone is too large.
        """
        text = text.strip()
        if found := _POINT.fullmatch(text):
            return self._point(float(found[1]), float(found[2]))
        if found := _ZIP.fullmatch(text):
            return self._atlas.zip_code(found[1])
        recognition = Recognition(self._atlas, text)
        reading = recognition.whole()
        if reading is not None:
            return reading.place
        cities = self._atlas.cities(recognition.words)
        return cities[0].place if cities and cities[0].share > _UNAMBIGUOUS else None

    def complete(self, text: str, most: int) -> list[Place]:
        """The states and cities whose name `text` may become, the largest first, or the ZIP code that it is.

        None for less than two letters.
        """
        if found := _ZIP.fullmatch(text.strip()):
            return [place] if (place := self._atlas.zip_code(found[1])) and self._atlas.knows_zip(found[1]) else []
        words = fold(text).split()
        return self._atlas.beginning(words, most) if len("".join(words)) > 1 else []

    def _point(self, latitude: float, longitude: float) -> Place | None:
        if not (math.fabs(latitude) <= 90 and math.fabs(longitude) <= 180):  # noqa: PLR2004  degrees of the globe
            return None
        state = self._atlas.state_around(latitude, longitude)
        return Place(PlaceKind.POINT, f"{latitude:g}, {longitude:g}", latitude, longitude, state)
