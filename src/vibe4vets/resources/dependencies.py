"""What routes of the directory ask for by name."""

from typing import Annotated

from fastapi import Depends, Request

from vibe4vets.resources.service.places import LivePlaces


async def get_places(request: Request) -> LivePlaces:
    places: LivePlaces = request.app.state.places
    return places


PlacesDep = Annotated[LivePlaces, Depends(get_places)]
