"""The OpenAPI document, which many tests read and walk: making it takes as long as a hundred of them."""

from vibe4vets.core.config import Settings
from vibe4vets.main import create_app

APP = create_app(Settings.model_validate({"DATABASE_URL": "postgresql://nobody@nowhere/nothing"}))
DOCUMENT = APP.openapi()
