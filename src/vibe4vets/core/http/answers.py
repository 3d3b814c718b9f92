"""What every public answer has in common."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import Request, Response

from vibe4vets.core.documents import etag_of
from vibe4vets.core.pagination import Slice

JSON = "application/json"
PUBLIC_CACHE = "public, max-age=60, stale-while-revalidate=300"

NOT_MODIFIED: dict[int | str, dict[str, Any]] = {
    304: {"description": "The copy that the client named in If-None-Match is current."}
}


def success(description: str, example: Mapping[str, Any]) -> dict[int | str, dict[str, Any]]:
    """Document the answer 200 of an operation, with an example.

    FastAPI drops every null from its document; as text, which `describe` reads again, the example keeps them.
    """
    return {200: {"description": description, "content": {JSON: {"example": json.dumps(example)}}}}


def public_answer(request: Request, body: bytes, *, etag: str | None = None, link: str | None = None) -> Response:
    """A cacheable JSON answer, or 304 when the client has these very bytes already."""
    etag = etag or etag_of(body)
    # a proxy may compress; the bytes depend on nothing else that a client sends
    headers = {"etag": etag, "cache-control": PUBLIC_CACHE, "vary": "Accept-Encoding"}
    if link is not None:
        headers["link"] = link
    if _matches(request.headers.getlist("if-none-match"), etag):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type=JSON)


def _matches(if_none_match: Sequence[str], etag: str) -> bool:
    """Weak comparison, as RFC 9110 13.1.2 wants it for If-None-Match; the header may come in several lines."""
    tags = {tag.strip().removeprefix("W/") for line in if_none_match for tag in line.split(",")}
    return "*" in tags or etag in tags


def public_page(request: Request, page: Slice) -> Response:
    """A page as a cacheable answer, with the Link to the next one (RFC 8288); relative, to hold behind any proxy."""
    link = None
    if page.next_cursor is not None:
        url = request.url.remove_query_params(["cursor", "offset"]).include_query_params(cursor=page.next_cursor)
        link = f'<{url.path}?{url.query}>; rel="next"'
    return public_answer(request, page.body(), link=link)
