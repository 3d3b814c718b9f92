"""What routes of the directory ask for by name."""

from typing import Annotated

from fastapi import Depends, Request

from vibe4vets.core.database import SessionDep
from vibe4vets.resources.service.places import Gazetteer, LivePlaces


async def get_gazetteer(request: Request, session: SessionDep) -> Gazetteer:
    places: LivePlaces = request.app.state.places
    return await places.current(session)


GazetteerDep = Annotated[Gazetteer, Depends(get_gazetteer)]
