"""Swagger UI and ReDoc from our own address: their assets come with a package, never from a CDN."""

from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from string import Template

from fastapi import FastAPI
from fastapi.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles

from vibe4vets.core.config import PagesSettings

_PAGE = Template("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Vibe4Vets API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="docs/assets/swagger-ui.css">
</head>
<body>
<div id="page"></div>
<script src="docs/assets/$bundle"></script>
<script src="docs/$script"></script>
</body>
</html>
""")
_START_SWAGGER = """SwaggerUIBundle({
  url: "openapi.json", dom_id: "#page", deepLinking: true, tryItOutEnabled: true, displayRequestDuration: true,
  presets: [SwaggerUIBundle.presets.apis], validatorUrl: null
});
"""
_START_REDOC = 'Redoc.init("openapi.json", {}, document.getElementById("page"));\n'
# Both viewers style their elements inline; ReDoc builds its search index in a worker made from a blob.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:;"
    " connect-src 'self'; font-src 'self'; worker-src blob:; base-uri 'none'; form-action 'self';"
    " frame-ancestors 'none'"
)


def mount_docs(app: FastAPI, pages: PagesSettings) -> None:
    """Serve `/docs` and `/redoc`, unless they or the document that they show are switched off."""

    async def swagger() -> HTMLResponse:
        return _page("swagger-ui-bundle.js", "swagger.js")

    async def redoc() -> HTMLResponse:
        return _page("redoc.standalone.js", "redoc.js")

    async def start_swagger() -> Response:
        return Response(_START_SWAGGER, media_type="text/javascript")

    async def start_redoc() -> Response:
        return Response(_START_REDOC, media_type="text/javascript")

    def redoc_bundle() -> Response:
        return Response(_redoc_bundle(), media_type="text/javascript")

    if app.openapi_url is None or not (pages.swagger or pages.redoc):
        return
    answers: dict[str, Callable[[], object]] = {}
    if pages.swagger:
        answers |= {"/docs": swagger, "/docs/swagger.js": start_swagger}
    if pages.redoc:
        answers |= {"/redoc": redoc, "/docs/redoc.js": start_redoc, "/docs/assets/redoc.standalone.js": redoc_bundle}
    for path, answer in answers.items():
        app.add_api_route(path, answer, include_in_schema=False)
    app.mount("/docs/assets", StaticFiles(directory=_assets()))


def _page(bundle: str, script: str) -> HTMLResponse:
    return HTMLResponse(_PAGE.substitute(bundle=bundle, script=script), headers={"content-security-policy": _POLICY})


@cache
def _redoc_bundle() -> bytes:
    """ReDoc without the one image that it would load from its maker."""
    bundle = (_assets() / "redoc.standalone.js").read_bytes()
    return bundle.replace(b"https://cdn.redoc.ly/redoc/logo-mini.svg", b"data:,")


def _assets() -> Path:
    """The static files of fastapi-offline, used as a carrier of the viewers and never imported."""
    spec = find_spec("fastapi_offline")
    if spec is None or spec.origin is None:
        message = "the package fastapi-offline is not installed; run `uv sync`"
        raise ModuleNotFoundError(message)
    return Path(spec.origin).parent / "static"
