"""What routes of the directory ask for by name."""

from typing import Annotated

from fastapi import Depends, Request

from vibe4vets.core.database import SessionDep
from vibe4vets.resources.service import SearchKnowledge
from vibe4vets.resources.service.places import Gazetteer, LivePlaces


async def get_gazetteer(request: Request, session: SessionDep) -> Gazetteer:
    places: LivePlaces = request.app.state.places
    return await places.current(session)


async def get_search_knowledge(request: Request) -> SearchKnowledge:
    """What the search of this process knows; a coroutine, for FastAPI sends a plain function through a thread."""
    known: SearchKnowledge = request.app.state.search_knowledge
    return known


GazetteerDep = Annotated[Gazetteer, Depends(get_gazetteer)]
SearchKnowledgeDep = Annotated[SearchKnowledge, Depends(get_search_knowledge)]
