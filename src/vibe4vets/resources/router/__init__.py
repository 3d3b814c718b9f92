"""HTTP of the directory: what the public reads, what editors do, what staff see. No rules."""

from vibe4vets.resources.router.editing import router as editing
from vibe4vets.resources.router.public import router as public
from vibe4vets.resources.router.staff import router as staff

__all__ = ["editing", "public", "staff"]
