"""The application as a process of uvicorn's: a module of its own, for no other command needs the API."""

from vibe4vets.cli.working import follow_parent
from vibe4vets.main import create_app


def application() -> object:
    """The application that uvicorn serves; one of several processes ends with the one that started it."""
    follow_parent()
    return create_app()
