"""Uploads: read after the guards, part by part as they come; what is larger than 1 MiB lies on disk."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any, BinaryIO, ClassVar

from fastapi import Depends, File, Request
from fastapi.exceptions import RequestValidationError
from starlette.datastructures import UploadFile

from vibe4vets.core.database import SessionDep
from vibe4vets.core.http.bodies import Bodies
from vibe4vets.core.http.idempotency import Key, claim_request
from vibe4vets.core.http.routes import GuardedRoute

MOST_BYTES = 10 * 1024 * 1024
_FIELDS_BYTES = 64 * 1024
_PATIENCE_SECONDS = 30
"""How long it may take to look through a large file and to store it."""
_FILE = "file"
_BLOCK = 256 * 1024


class UploadRoute(GuardedRoute):
    """A guarded route whose endpoint asks for an `UploadDep`; a stranger's file is never read."""

    max_body_bytes: ClassVar[int | None] = MOST_BYTES + _FIELDS_BYTES
    reads_body = False


@dataclass(frozen=True, slots=True)
class Upload:
    """A form with one file: its text fields, the file, and the name that came with it, which is no path."""

    fields: dict[str, str]
    file: BinaryIO
    name: str

    def digest(self) -> bytes:
        """A hash of all of it."""
        content = hashlib.sha256()
        self.file.seek(0)
        while block := self.file.read(_BLOCK):
            content.update(block)
        return json.dumps([self.name, self.fields], sort_keys=True).encode() + content.digest()


async def receive_upload(request: Request) -> AsyncIterator[Upload]:
    """Read the form; raises RequestValidationError unless it has one `file` and every other field once."""
    bodies = Bodies(File(), request.scope["route"].max_body_bytes)
    received, fault = await bodies.read(request)
    if fault is not None:
        raise fault
    async with received.form() as form:
        fields: dict[str, str] = {}
        files: list[UploadFile] = []
        for name, part in form.multi_items():
            if isinstance(part, UploadFile) != (name == _FILE):
                raise _refusal(name, "file_type", "The file goes into the part `file`, text into the others")
            if isinstance(part, UploadFile):
                files.append(part)
            elif fields.setdefault(name, part) is not part:
                raise _refusal(name, "repeated", "Give this field once")
        if len(files) != 1:
            raise _refusal(_FILE, "missing" if not files else "repeated", "Send one file as the part `file`")
        deadline: asyncio.Timeout = request.scope["state"]["deadline"]
        deadline.reschedule(asyncio.get_running_loop().time() + _PATIENCE_SECONDS)
        content: Any = files[0].file
        yield Upload(fields, content, files[0].filename or "")


UploadDep = Annotated[Upload, Depends(receive_upload)]


async def claim_upload(request: Request, session: SessionDep, upload: UploadDep, key: Key = None) -> Upload:
    """The upload; one that was sent before with the same Idempotency-Key is answered as it was."""
    if key is not None:
        await claim_request(request, session, key, await asyncio.to_thread(upload.digest))
    return upload


ClaimedUpload = Annotated[Upload, Depends(claim_upload)]


def _refusal(name: str, code: str, message: str) -> RequestValidationError:
    return RequestValidationError([{"loc": ("body", name), "type": code, "msg": message}])
