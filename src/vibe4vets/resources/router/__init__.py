"""HTTP of the directory: what the public reads and sends, what partners propose, what editors and staff do."""

from vibe4vets.resources.router.editing import router as editing
from vibe4vets.resources.router.exports import router as exports
from vibe4vets.resources.router.proposals import router as proposals
from vibe4vets.resources.router.public import router as public
from vibe4vets.resources.router.staff import router as staff
from vibe4vets.resources.router.suggestions import router as suggestions

# the exports first: their addresses would be ids of resources
routers = (exports, public, suggestions, proposals, editing, staff)
