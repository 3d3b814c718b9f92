"""`Idempotency-Key` on a route that makes something: `dependencies=[..., IDEMPOTENT]`, after the guards.

The endpoint must do its work in the session of `SessionDep`, where the key is stored too. An upload, whose body is read
as it comes, claims its key itself (`uploads.py`).
"""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import Depends, Header, Request, Response

from vibe4vets.core.audit import ANONYMOUS, Actor
from vibe4vets.core.database import Session, SessionDep
from vibe4vets.core.idempotency import Answer, Claim, claim_key

IDEMPOTENCY_KEY = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class _AnsweredBefore(Exception):
    """Not an error: it ends the request, which has nothing left to do."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer


Key = Annotated[
    str | None,
    Header(
        alias=IDEMPOTENCY_KEY,
        pattern=r'^"?[A-Za-z0-9._:-]{16,128}"?$',
        description="A random text of your own (a UUID will do), new for each thing to be made. Sent again with the"
        " same request within 24 hours, it makes nothing more: you get the first answer, with"
        f" `{REPLAYED}: true`. With another request it is a 422.",
        examples=["b8c6ab1e-6c3e-4d54-9a30-3c9b7e1f2a10"],
    ),
]


async def claim_request(request: Request, session: Session, key: str, body: bytes) -> None:
    """Take `key` for the request with this body, or answer as it was answered before."""
    actor: Actor = getattr(request.state, "actor", ANONYMOUS)
    claim = await claim_key(
        session,
        request.app.state.settings.signing_key,
        scope=f"{actor.kind.value} {actor.id}\0{request.method} {request.scope['route'].path}",
        key=key.strip('"'),
        request=f"{request.url.path}?{request.url.query}\n".encode() + body,
    )
    if claim.answer is not None:
        raise _AnsweredBefore(claim.answer)
    request.state.claim = claim


async def _claim(request: Request, session: SessionDep, key: Key = None) -> None:
    if key is not None:
        has_body = request.scope["route"].body_field is not None
        await claim_request(request, session, key, await request.body() if has_body else b"")


IDEMPOTENT = Depends(_claim)


def answering_once(handle: Handler) -> Handler:
    """Give the first answer again, or keep the one at hand: an error leaves nothing, so that it can be tried anew."""

    async def answer(request: Request) -> Response:
        try:
            response = await handle(request)
        except _AnsweredBefore as before:
            kept = before.answer
            return Response(kept.body, kept.status, {**kept.headers, REPLAYED: "true"})
        claim: Claim | None = getattr(request.state, "claim", None)
        if claim is not None:
            headers = {name: value for name, value in response.headers.items() if name != "content-length"}
            await claim.keep(Answer(response.status_code, headers, bytes(response.body)))
        return response

    return answer
