"""HTTP for files of the directory: for spreadsheets, programs and maps."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from vibe4vets.core.database import SessionDep
from vibe4vets.core.errors import InternalError, InvalidRequest, MalformedRequest, Unavailable, problem_responses
from vibe4vets.core.http import NOT_MODIFIED, PublicRoute, public_download, success
from vibe4vets.core.limits import TooManyRequests
from vibe4vets.resources import service
from vibe4vets.resources.dependencies import ExportsDep, PlacesDep
from vibe4vets.resources.schemas import ExportQuery, examples

router = APIRouter(
    prefix="/resources",
    tags=["resources"],
    route_class=PublicRoute,
    default_response_class=Response,  # each operation tells its own media type
    responses={
        **NOT_MODIFIED,
        **problem_responses(MalformedRequest, InvalidRequest, TooManyRequests, InternalError, Unavailable),
    },
)


@router.get(
    "/export.csv",
    summary="Export a table",
    responses=success("The table, a row a resource.", examples.TABLE, media_type="text/csv; charset=utf-8"),
)
async def export_csv(
    request: Request,
    session: SessionDep,
    exports: ExportsDep,
    places: PlacesDep,
    query: Annotated[ExportQuery, Query()],
) -> Response:
    """Save the resources of a list, all of them, as a table for a spreadsheet (RFC 4180).

    One row a resource, with its first location; `location_count` tells whether there are more, which the other two
    exports have. Several values of a cell are separated by `; `. What a spreadsheet might take for a formula begins
    with `'`, telephone numbers among it. All filters of `GET /resources` narrow it. A download that ends early has
    failed: its connection is broken off.
    """
    return await public_download(request, await exports.open(session, query, places, service.CSV))


@router.get(
    "/export.ndjson",
    summary="Export lines of documents",
    responses=success("The documents, one a line.", examples.LINES, media_type="application/x-ndjson"),
)
async def export_ndjson(
    request: Request,
    session: SessionDep,
    exports: ExportsDep,
    places: PlacesDep,
    query: Annotated[ExportQuery, Query()],
) -> Response:
    """Save the resources of a list, all of them, each as the list has it: one JSON document a line.

    To keep a mirror, begin with `GET /resources/changes` instead. All filters of `GET /resources` narrow it. A
    download that ends early has failed: its connection is broken off.
    """
    return await public_download(request, await exports.open(session, query, places, service.NDJSON))


@router.get(
    "/export.geojson",
    summary="Export a map",
    responses=success("The map, a feature a location.", examples.FEATURES, media_type="application/geo+json"),
)
async def export_geojson(
    request: Request,
    session: SessionDep,
    exports: ExportsDep,
    places: PlacesDep,
    query: Annotated[ExportQuery, Query()],
) -> Response:
    """Save the resources of a list, all of them, as a FeatureCollection for maps (RFC 7946).

    One feature a location, with the columns of the table as properties; `geometry` is null where no coordinates are
    known. All filters of `GET /resources` narrow it. A download that ends early has failed: it is no JSON then.
    """
    return await public_download(request, await exports.open(session, query, places, service.GEOJSON))
