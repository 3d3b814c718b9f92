"""What routes of the directory ask for by name."""

from typing import Annotated

from fastapi import Depends, Request

from vibe4vets.core.http import ClientAddress, address_key
from vibe4vets.resources.service import Exports, Listener, SearchKnowledge, SearchLearning, Views
from vibe4vets.resources.service.places import LivePlaces


async def get_places(request: Request) -> LivePlaces:
    places: LivePlaces = request.app.state.places
    return places


async def get_search_knowledge(request: Request) -> SearchKnowledge:
    """What the search of this process knows; a coroutine, for FastAPI sends a plain function through a thread."""
    known: SearchKnowledge = request.app.state.search_knowledge
    return known


async def get_views(request: Request) -> Views:
    """What this process counts of readings."""
    views: Views = request.app.state.views
    return views


async def get_exports(request: Request) -> Exports:
    """The exports of this process."""
    exports: Exports = request.app.state.exports
    return exports


async def get_listener(request: Request, address: ClientAddress) -> Listener:
    """What counts the searches of whoever asks."""
    learning: SearchLearning = request.app.state.search_learning
    return Listener(learning, address_key(address))


ExportsDep = Annotated[Exports, Depends(get_exports)]
ListenerDep = Annotated[Listener, Depends(get_listener)]
PlacesDep = Annotated[LivePlaces, Depends(get_places)]
SearchKnowledgeDep = Annotated[SearchKnowledge, Depends(get_search_knowledge)]
ViewsDep = Annotated[Views, Depends(get_views)]
