"""Answers that are too long to be in memory at once."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from http import HTTPStatus
from typing import Protocol

from fastapi import Request, Response
from fastapi.responses import StreamingResponse
from starlette.types import Receive

from vibe4vets.core.http.answers import PUBLIC_CACHE, is_current


class Download(Protocol):
    """A file that is made while it is sent."""

    @property
    def etag(self) -> str: ...
    @property
    def media_type(self) -> str: ...
    @property
    def file_name(self) -> str: ...
    def chunks(self) -> AsyncGenerator[bytes]: ...


async def public_download(request: Request, file: Download) -> Response:
    """A cacheable file to save, or 304 when the client has it.

    Its first chunk is made before the answer begins: what is wrong by then is a problem like any other. What goes
    wrong later breaks the connection off, so that nobody takes a part for the whole.
    """
    headers = {
        "etag": file.etag,
        "cache-control": PUBLIC_CACHE,
        "vary": "Accept-Encoding",
        "content-disposition": f'attachment; filename="{file.file_name}"',
    }
    if is_current(request, file.etag):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    chunks = file.chunks()
    first = await anext(chunks)
    if request.state.is_head:  # nobody would read the rest
        await chunks.aclose()
    return _Stream(_whole(first, chunks), headers=headers, media_type=file.media_type)


class _Stream(StreamingResponse):
    """Looks whether the client is still there, and lets others run meanwhile, whatever the server makes of waiting."""

    async def listen_for_disconnect(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":  # noqa: ASYNC110  the next message is awaited
            await asyncio.sleep(0)


async def _whole(first: bytes, rest: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
    yield first
    async for chunk in rest:
        yield chunk
