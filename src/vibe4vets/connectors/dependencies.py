"""What the operations of connectors ask for."""

from typing import Annotated

from fastapi import Depends, Path, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from vibe4vets.auth.dependencies import SettingsDep, is_admin
from vibe4vets.connectors import service
from vibe4vets.connectors.registry import Connector
from vibe4vets.connectors.schemas import ConnectorRead, ImportRequest
from vibe4vets.connectors.service import SentFile
from vibe4vets.core.database import Session
from vibe4vets.core.http import ClaimedUpload
from vibe4vets.core.http.bodies import parse_json
from vibe4vets.core.schemas import Slug

ConnectorName = Annotated[
    Slug, Path(description="The `name` of a connector: the slug of its source.", examples=["va_facilities"])
]


async def get_connector(settings: SettingsDep, name: ConnectorName) -> Connector:
    """The connector at this address; ConnectorNotFound when there is none."""
    return service.find_connector(settings, name)


async def tell_sources(request: Request, session: Session) -> list[ConnectorRead] | None:
    """How each source does, for an admin; None for everybody else."""
    if not await is_admin(request, session):
        return None
    return await service.list_connectors(session, request.app.state.settings)


async def read_import(upload: ClaimedUpload) -> tuple[ImportRequest, SentFile]:
    """What was sent with a file, and the file; RequestValidationError for a field that is wrong."""
    fields: dict[str, object] = {**upload.fields}
    if "columns" in fields:
        fields["columns"] = parse_json(upload.fields["columns"].encode())
    try:
        given = ImportRequest.model_validate(fields)
    except ValidationError as error:
        raise RequestValidationError([{**one, "loc": ("body", *one["loc"])} for one in error.errors()]) from error
    return given, SentFile(upload.file, upload.name)


CurrentConnector = Annotated[Connector, Depends(get_connector)]
SentImport = Annotated[tuple[ImportRequest, SentFile], Depends(read_import)]
