"""What every public answer has in common."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import Request, Response
from pydantic import BaseModel

from vibe4vets.core.documents import etag_of
from vibe4vets.core.pagination import Slice
from vibe4vets.core.schemas import Identified

JSON = "application/json"
PUBLIC_CACHE = "public, max-age=60, stale-while-revalidate=300"

NOT_MODIFIED: dict[int | str, dict[str, Any]] = {
    304: {"description": "The copy that the client named in If-None-Match is current."}
}


def success(
    description: str, example: Mapping[str, Any] | str, *, status: HTTPStatus = HTTPStatus.OK, media_type: str = JSON
) -> dict[int | str, dict[str, Any]]:
    """Document the answer of an operation that succeeds, with an example.

    FastAPI drops every null from its document; as text, which `describe` reads again, the example keeps them.
    """
    content: dict[str, Any] = {"example": json.dumps(example)}
    if media_type != JSON:  # FastAPI derives no other schema
        content["schema"] = {"type": "string" if isinstance(example, str) else "object"}
    return {status.value: {"description": description, "content": {media_type: content}}}


def public_answer(request: Request, body: bytes, *, etag: str | None = None, link: str | None = None) -> Response:
    """A cacheable JSON answer, or 304 when the client has these very bytes already."""
    etag = etag or etag_of(body)
    # a proxy may compress; the bytes depend on nothing else that a client sends
    headers = {"etag": etag, "cache-control": PUBLIC_CACHE, "vary": "Accept-Encoding"}
    if link is not None:
        headers["link"] = link
    if is_current(request, etag):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type=JSON)


def is_current(request: Request, etag: str) -> bool:
    """Whether the client has what `etag` names: a weak comparison, as RFC 9110 13.1.2 wants it for If-None-Match."""
    lines = request.headers.getlist("if-none-match")
    tags = {tag.strip().removeprefix("W/") for line in lines for tag in line.split(",")}
    return "*" in tags or etag.removeprefix("W/") in tags


def conditional(request: Request, answer: Response) -> Response:
    """The answer of a read with the strong `ETag` of its bytes, or 304 for whoever has them.

    One that has brought a tag is left as it is: that may name a version, while the bytes tell more than the version.
    """
    if answer.status_code != HTTPStatus.OK or "etag" in answer.headers:
        return answer
    answer.headers["etag"] = etag_of(bytes(answer.body))
    if not is_current(request, answer.headers["etag"]):
        return answer
    kept = {name: value for name, value in answer.headers.items() if not name.startswith("content-")}
    return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=kept)


def public_page(request: Request, page: Slice) -> Response:
    """A page as a cacheable answer, with the Link to the next one."""
    return public_answer(request, page.body(), link=_next_link(request, page))


def versioned_answer(request: Request, document: BaseModel, *, etag: str | None = None) -> Response:
    """A document for whoever asked and nobody else, with the ETag that a change of it must name; 304 on reads."""
    body = document.model_dump_json().encode()
    headers = {"etag": etag or etag_of(body)}
    if request.method == "GET" and is_current(request, headers["etag"]):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(body, headers=headers, media_type=JSON)


def created_answer(request: Request, document: Identified, *, etag: str | None = None) -> Response:
    """What a POST to its list has made: 201, its own address in Location, and its ETag."""
    answer = versioned_answer(request, document, etag=etag)
    answer.status_code = HTTPStatus.CREATED
    answer.headers["location"] = f"{request.url.path}/{document.id}"
    return answer


def private_page(request: Request, page: Slice) -> Response:
    """A page for whoever asked and nobody else, with the Link to the next one."""
    link = _next_link(request, page)
    return Response(page.body(), headers={} if link is None else {"link": link}, media_type=JSON)


def _next_link(request: Request, page: Slice) -> str | None:
    """The next page (RFC 8288); relative, to hold behind any proxy."""
    if page.next_cursor is None:
        return None
    url = request.url.remove_query_params(["cursor", "offset"]).include_query_params(cursor=page.next_cursor)
    return f'<{url.path}?{url.query}>; rel="next"'
